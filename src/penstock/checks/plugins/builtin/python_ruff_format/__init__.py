"""The plugin python_ruff_format."""
