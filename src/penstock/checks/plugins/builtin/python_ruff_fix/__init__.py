"""The plugin python_ruff_fix."""
