"""The plugin python_black_fix."""
