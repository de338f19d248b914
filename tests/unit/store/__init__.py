"""The journal on SQLite, piece by piece."""
