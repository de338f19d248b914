"""The escalation pipeline: checks, mechanical fixes and AI agents, one state at a time."""
