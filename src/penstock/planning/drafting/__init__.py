"""From what a plan says to workstream bundles: grouping, order, conflicts, counts."""
