"""A report of the error engine, in the formats of `penstock check --format`."""
