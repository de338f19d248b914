"""The journal: every intent and outcome, on SQLite."""
