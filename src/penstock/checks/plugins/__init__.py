"""Plugins of the error engine: what they are, where they come from, and how their tools are judged."""
