"""Is this repository and machine ready: scaffolding and detection of tools."""
