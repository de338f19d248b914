"""The plugin python_safety."""
