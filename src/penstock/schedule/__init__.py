"""Which workstream may run when: graph, waves, readiness, scope overlap. Pure."""
