"""Git: the worktree pool, the scope diff, commits, the fingerprint, integration."""
