"""The places that secrets can be kept in, one file each."""
