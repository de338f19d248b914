"""Telling an issue tracker what becomes of the workstreams that belong to its issues."""
