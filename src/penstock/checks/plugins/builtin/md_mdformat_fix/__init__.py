"""The plugin md_mdformat_fix."""
