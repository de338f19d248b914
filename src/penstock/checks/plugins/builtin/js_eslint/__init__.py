"""The plugin js_eslint."""
