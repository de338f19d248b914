"""The plugin python_ruff."""
