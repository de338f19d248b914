"""Results written back into a plan, and not a byte more."""
