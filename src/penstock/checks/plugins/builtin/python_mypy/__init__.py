"""The plugin python_mypy."""
