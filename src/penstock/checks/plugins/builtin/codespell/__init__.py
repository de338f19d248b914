"""The plugin codespell."""
