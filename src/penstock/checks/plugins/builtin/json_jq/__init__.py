"""The plugin json_jq."""
