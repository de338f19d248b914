"""The plugin js_prettier_fix."""
