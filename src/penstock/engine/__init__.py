"""The flow of a run: steps, FIX loop, recovery, integration, reports."""
