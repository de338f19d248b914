"""Plans as people and their tools write them, read into one shape."""
