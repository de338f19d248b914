"""Writing results back into plans."""
