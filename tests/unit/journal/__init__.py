"""The documented functions of the journal."""
