"""The plugin python_isort_fix."""
