"""Scans of files: a walk, duplicates, caches, the trash, secrets."""
