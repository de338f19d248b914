"""The measuring programs, piece by piece."""
