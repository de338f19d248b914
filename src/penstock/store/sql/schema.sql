-- The journal's schema. Made from the migrations by scripts/write_schema.py.

CREATE TABLE schema_meta (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT
);

CREATE TABLE runs (
    run_id TEXT PRIMARY KEY NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    reason_until TEXT,
    base_commit TEXT,
    integration_branch TEXT,
    project_id TEXT,
    phase_id TEXT,
    exit_code INTEGER,
    error_message TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    updated_at TEXT NOT NULL,
    metadata_json TEXT,
    -- the fence: grows with each claim, and the holder's own words while somebody holds it
    claim_token INTEGER NOT NULL DEFAULT 0,
    owner_json TEXT
);

CREATE INDEX idx_runs_status ON runs (status);

CREATE TABLE workstreams (
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    ws_id TEXT NOT NULL,
    status TEXT NOT NULL,
    gate INTEGER,
    depends_on TEXT,
    reason TEXT,
    reason_until TEXT,
    integration TEXT NOT NULL DEFAULT 'none',
    worktree_path TEXT,
    branch TEXT,
    base_commit TEXT,
    head_commit TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    metadata_json TEXT,
    PRIMARY KEY (run_id, ws_id)
);

CREATE INDEX idx_workstreams_run_status ON workstreams (run_id, status);

CREATE INDEX idx_workstreams_ws ON workstreams (ws_id);

CREATE TABLE step_attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    ws_id TEXT NOT NULL,
    step_name TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    tool_id TEXT,
    status TEXT NOT NULL,
    exit_code INTEGER,
    error_signature TEXT,
    diff_hash TEXT,
    started_at TEXT,
    completed_at TEXT,
    result_json TEXT,
    -- the step that a fix turn serves
    for_step TEXT,
    -- the environment marker that every child of this attempt carries
    marker TEXT,
    -- the claim under which the attempt began
    claim_token INTEGER, pid INTEGER, pid_start INTEGER, base_commit TEXT,
    FOREIGN KEY (run_id, ws_id) REFERENCES workstreams (run_id, ws_id) ON DELETE CASCADE
);

CREATE INDEX idx_step_attempts_step ON step_attempts (run_id, ws_id, step_name);

CREATE UNIQUE INDEX uq_step_attempts_attempt
    ON step_attempts (run_id, ws_id, step_name, attempt);

CREATE UNIQUE INDEX uq_step_attempts_sequence ON step_attempts (run_id, ws_id, sequence);

CREATE TABLE errors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT REFERENCES runs (run_id) ON DELETE SET NULL,
    ws_id TEXT,
    step_name TEXT,
    error_code TEXT,
    signature TEXT,
    message TEXT,
    context_json TEXT,
    count INTEGER NOT NULL DEFAULT 1,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    FOREIGN KEY (run_id, ws_id) REFERENCES workstreams (run_id, ws_id) ON DELETE SET NULL
);

CREATE INDEX idx_errors_signature ON errors (run_id, ws_id, signature);

CREATE UNIQUE INDEX uq_errors_signature
    ON errors (run_id, ws_id, step_name, signature) WHERE run_id IS NOT NULL;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    run_id TEXT REFERENCES runs (run_id) ON DELETE SET NULL,
    ws_id TEXT,
    event_type TEXT NOT NULL,
    payload_json TEXT,
    FOREIGN KEY (run_id, ws_id) REFERENCES workstreams (run_id, ws_id) ON DELETE SET NULL
);

CREATE INDEX idx_events_type ON events (run_id, ws_id, event_type);

CREATE VIEW run_events AS
    SELECT id AS event_id, run_id, timestamp, event_type, payload_json AS data FROM events;

CREATE TABLE error_pipeline_contexts (
    run_id TEXT NOT NULL,
    ws_id TEXT NOT NULL,
    current_state TEXT NOT NULL,
    attempt_number INTEGER NOT NULL,
    current_agent TEXT,
    final_status TEXT,
    context_json TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (run_id, ws_id)
);

CREATE TABLE approvals (
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    gate INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at TEXT NOT NULL,
    note TEXT,
    PRIMARY KEY (run_id, gate)
);

CREATE TABLE cost_tracking (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    ws_id TEXT,
    step_attempt_id INTEGER REFERENCES step_attempts (id) ON DELETE SET NULL,
    model_name TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    estimated_cost_usd REAL,
    actual_cost_usd REAL,
    timestamp TEXT NOT NULL,
    FOREIGN KEY (run_id, ws_id) REFERENCES workstreams (run_id, ws_id) ON DELETE CASCADE
);

CREATE INDEX idx_cost_tracking_ws ON cost_tracking (run_id, ws_id);

CREATE INDEX idx_cost_tracking_attempt ON cost_tracking (step_attempt_id);

CREATE TRIGGER workstream_leaves_its_facts BEFORE DELETE ON workstreams
BEGIN
    UPDATE events SET ws_id = NULL WHERE run_id = OLD.run_id AND ws_id = OLD.ws_id;
    UPDATE errors SET ws_id = NULL WHERE run_id = OLD.run_id AND ws_id = OLD.ws_id;
    DELETE FROM error_pipeline_contexts WHERE run_id = OLD.run_id AND ws_id = OLD.ws_id;
END;

CREATE TRIGGER run_leaves_its_facts BEFORE DELETE ON runs
BEGIN
    UPDATE events SET run_id = NULL, ws_id = NULL WHERE run_id = OLD.run_id;
    UPDATE errors SET run_id = NULL, ws_id = NULL WHERE run_id = OLD.run_id;
    DELETE FROM error_pipeline_contexts WHERE run_id = OLD.run_id;
END;

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

CREATE INDEX idx_cost_tracking_time ON cost_tracking (timestamp);

CREATE VIEW cost_amounts AS
    SELECT id, run_id, ws_id, timestamp,
           coalesce(actual_cost_usd, estimated_cost_usd) IS NULL AS unpriced,
           CAST(round(min(max(coalesce(actual_cost_usd, estimated_cost_usd, 0.0), 0.0), 1e6) * 1e9)
                AS INTEGER) AS nano_usd,
           coalesce(min(max(input_tokens, 0), 1000000000000), 0) AS input_tokens,
           coalesce(min(max(output_tokens, 0), 1000000000000), 0) AS output_tokens
    FROM cost_tracking;

CREATE TABLE cost_totals (
    run_id TEXT NOT NULL,
    ws_id TEXT NOT NULL,
    turns INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    nano_usd INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    PRIMARY KEY (run_id, ws_id)
);

CREATE TRIGGER cost_is_added AFTER INSERT ON cost_tracking
BEGIN
    INSERT INTO cost_totals
        SELECT run_id, scope, 1, unpriced, nano_usd, input_tokens, output_tokens
        FROM cost_amounts, (SELECT '' AS scope UNION ALL SELECT NEW.ws_id)
        WHERE id = NEW.id AND scope IS NOT NULL
    ON CONFLICT (run_id, ws_id) DO UPDATE
    SET turns = turns + 1, unpriced = unpriced + excluded.unpriced,
        nano_usd = nano_usd + excluded.nano_usd,
        input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens;
END;

CREATE TRIGGER cost_is_taken_away BEFORE DELETE ON cost_tracking
BEGIN
    UPDATE cost_totals
    SET turns = turns - 1,
        unpriced = unpriced - (SELECT unpriced FROM cost_amounts WHERE id = OLD.id),
        nano_usd = nano_usd - (SELECT nano_usd FROM cost_amounts WHERE id = OLD.id),
        input_tokens = input_tokens - (SELECT input_tokens FROM cost_amounts WHERE id = OLD.id),
        output_tokens = output_tokens - (SELECT output_tokens FROM cost_amounts WHERE id = OLD.id)
    WHERE run_id = OLD.run_id AND ws_id IN ('', OLD.ws_id);
    DELETE FROM cost_totals WHERE run_id = OLD.run_id AND turns = 0;
END;

CREATE TRIGGER cost_is_changed_from
BEFORE UPDATE OF run_id, ws_id, actual_cost_usd, estimated_cost_usd, input_tokens, output_tokens
ON cost_tracking
BEGIN
    UPDATE cost_totals
    SET turns = turns - 1,
        unpriced = unpriced - (SELECT unpriced FROM cost_amounts WHERE id = OLD.id),
        nano_usd = nano_usd - (SELECT nano_usd FROM cost_amounts WHERE id = OLD.id),
        input_tokens = input_tokens - (SELECT input_tokens FROM cost_amounts WHERE id = OLD.id),
        output_tokens = output_tokens - (SELECT output_tokens FROM cost_amounts WHERE id = OLD.id)
    WHERE run_id = OLD.run_id AND ws_id IN ('', OLD.ws_id);
    DELETE FROM cost_totals WHERE run_id = OLD.run_id AND turns = 0;
END;

CREATE TRIGGER cost_is_changed_to
AFTER UPDATE OF run_id, ws_id, actual_cost_usd, estimated_cost_usd, input_tokens, output_tokens
ON cost_tracking
BEGIN
    INSERT INTO cost_totals
        SELECT run_id, scope, 1, unpriced, nano_usd, input_tokens, output_tokens
        FROM cost_amounts, (SELECT '' AS scope UNION ALL SELECT NEW.ws_id)
        WHERE id = NEW.id AND scope IS NOT NULL
    ON CONFLICT (run_id, ws_id) DO UPDATE
    SET turns = turns + 1, unpriced = unpriced + excluded.unpriced,
        nano_usd = nano_usd + excluded.nano_usd,
        input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens;
END;

INSERT INTO schema_meta (key, value) VALUES ('schema_version', '3');
