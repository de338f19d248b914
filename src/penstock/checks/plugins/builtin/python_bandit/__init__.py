"""The plugin python_bandit."""
