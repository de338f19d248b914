-- The circuit breakers of tools, the turns of rotations, and the way to a tool's own attempts.

CREATE TABLE tool_breakers (
    tool_id TEXT PRIMARY KEY NOT NULL,
    state TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    -- trial calls under way while it is half-open
    calls INTEGER NOT NULL DEFAULT 0,
    opened_at TEXT,
    until TEXT,
    reason TEXT,
    updated_at TEXT NOT NULL
);

CREATE TABLE last_routed (
    key TEXT PRIMARY KEY NOT NULL,
    tool_id TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE INDEX idx_step_attempts_tool ON step_attempts (tool_id, id);

CREATE INDEX idx_step_attempts_running ON step_attempts (tool_id) WHERE status = 'running';
