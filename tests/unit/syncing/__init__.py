"""Writing results back into the plans of a repository."""
