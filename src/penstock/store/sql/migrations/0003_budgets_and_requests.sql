-- Who does an attempt, what is reserved for it, and what other processes ask of a run's owner.

-- the process that does the attempt: its number, and its start time, because numbers are reused
ALTER TABLE step_attempts ADD COLUMN pid INTEGER;

ALTER TABLE step_attempts ADD COLUMN pid_start INTEGER;

ALTER TABLE step_attempts ADD COLUMN base_commit TEXT;

CREATE TABLE budget_reservations (
    attempt_id INTEGER PRIMARY KEY NOT NULL REFERENCES step_attempts (id) ON DELETE CASCADE,
    run_id TEXT NOT NULL,
    ws_id TEXT NOT NULL,
    -- NULL is unknown, never zero
    tokens INTEGER,
    cost_usd REAL,
    created_at TEXT NOT NULL
);

CREATE TABLE run_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    ws_id TEXT,
    kind TEXT NOT NULL,
    payload_json TEXT,
    requested_by TEXT,
    created_at TEXT NOT NULL,
    heeded_at TEXT,
    FOREIGN KEY (run_id, ws_id) REFERENCES workstreams (run_id, ws_id) ON DELETE CASCADE
);

CREATE INDEX idx_run_requests_run ON run_requests (run_id, ws_id);

-- what a cap adds up, all of it in the index
CREATE INDEX idx_cost_tracking_time ON cost_tracking (
    timestamp, actual_cost_usd, estimated_cost_usd, input_tokens, output_tokens
);
