"""The plugin gitleaks."""
