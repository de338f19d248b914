"""Versions of packages and programs: what is wanted, what is there, and whether they agree."""
