"""The plugin powershell_pssa."""
