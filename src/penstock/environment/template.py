"""The config/pipeline.yaml that `penstock init` writes: every key, commented out, with its default."""

from __future__ import annotations

PIPELINE_YAML = """\
# How penstock works in this repository. Every key is optional: what stands behind a `#` is the
# default. Precedence: option > environment > this file > default.

# Where the journal lies: a path from the top of the repository. Environment: PIPELINE_DB_PATH.
# db: state/pipeline.db

# The tool of bundles that name none.
# default_tool: aider

# Checks after an edit, by id in config/tool_profiles.json. Absent: found out from the repository
# (ruff for Python, pytest where tests exist). []: none.
# static_tools: [ruff]
# runtime_tools: [pytest]

# What a worktree gets beside git's own files.
# worktree:
#   copy: []       # ignored files and folders to copy, such as .env (also: .worktreeinclude)
#   symlink: []    # ignored ones to link, such as node_modules
#   setup: []      # commands, without a shell, run once in a fresh worktree
#   pool: 4        # idle worktrees kept for the next workstream

# limits:
#   max_parallel: 4        # workstreams at a time
#   tools: {}              # turns at a time with one tool, such as {codex: 1}
#   capabilities: {}       # at a time with one capability, such as {linting: 2}
#   wall_s: null           # seconds for one tool turn (null: the tool's own, 1800 for AI tools)
#   idle_s: null           # seconds without output before a tool counts as hung (null: 300)
#   max_cost_usd: null     # for a run; a bundle may set its own
#   max_tokens: null       # for a run
#   per_day:               # for a UTC day
#     max_cost_usd: null
#     max_tokens: null
#   budget_mode: halt      # at a cap: halt, warn, or continue
#   allow_unpriced: false  # may tools without a known price run under a cost limit?
#   turn_tokens: null      # reserved for a turn when nothing better is known
#   context_tokens: 128000 # the longest prompt that is given to a tool
#   min_free_mb: 200       # disk space below which nothing starts
#   max_worktrees: null    # how many worktrees there may be
#   max_lost_attempts: 3   # lost so often, a workstream is quarantined
#   wait_s: 900            # how long a rate limit is slept through

# USD per 1000 tokens by model, for tools that report tokens but no cost.
# prices:
#   some-model: {input: 0.003, output: 0.015, cache_read: 0.0003, cache_write: 0.00375}

# Bundles that claim the same files: refuse them, serialise them (one after the other), or merge.
# overlap_policy: refuse

# An edit outside files_scope and files_create: fail the workstream, or revert those files.
# scope_policy: fail

# When your own checkout changes during a tool turn: stop the run, or warn and go on. Absent: stop
# without a terminal, warn at one.
# checkout_policy: stop

# The look for secrets in what a workstream committed, before it is merged: stop it, or warn. `level`
# is certain (shapes of providers), default, or all; `baseline` lists those that may stay.
# secrets: {policy: stop, level: default, baseline: .aim-secrets-baseline.json}

# How `penstock plan` makes bundles of a source. `group_by` is auto (the units of the source), story,
# group, issue, directory, language, item or all; the limits are for one workstream.
# plan:
#   group_by: auto
#   max_files: 20
#   max_tasks: 20
#   max_lines: 2000             # estimated
#   max_context_tokens: 100000  # estimated
#   threshold: 0.5              # the confidence, 0 to 1, that a guessed path needs
#   capability: null            # goes into the bundles and, where AIM is enabled, before their tool
#   write_back: true            # may `penstock sync` tick boxes and set statuses?
#   issue_comments: false       # tell an issue what became of its workstreams, through gh
#   issue_labels: {}            # and label it, such as {started: in progress, done: review}

# Globs that no tool may touch, whatever a bundle says.
# protected_paths: []

# Gates that wait for `penstock approve RUN --gate N`.
# approvals: []

# Limits of the FIX loop.
# breakers_file: config/circuit_breakers.yaml

# How hard the journal pushes each step to the disk: full or normal.
# durability: full
"""
