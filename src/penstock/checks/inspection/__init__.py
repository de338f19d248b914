"""The error engine: units of work, cached results, fixers, findings that are kept or set aside."""
