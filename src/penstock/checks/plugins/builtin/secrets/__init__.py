"""The plugin secrets."""
