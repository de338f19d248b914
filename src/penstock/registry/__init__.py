"""The AIM registry: tools, coordination rules and the settings of AIM."""
