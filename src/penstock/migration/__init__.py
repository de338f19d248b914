"""Bringing an AI_MANGER tree over to aim_config and the vault: reversible, repeatable, crash-safe."""
