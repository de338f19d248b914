"""Turning plans that people have written into bundles: the parts of planning put together."""
