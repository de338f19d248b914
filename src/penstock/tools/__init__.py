"""The AI coding CLIs: how each is started and how its words are read."""
