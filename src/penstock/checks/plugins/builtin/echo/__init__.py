"""The plugin echo."""
