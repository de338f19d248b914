"""The plugin json_syntax."""
