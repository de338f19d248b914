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

-- what a sum since some moment reads
CREATE INDEX idx_cost_tracking_time ON cost_tracking (timestamp);

-- What each turn adds to a sum. Money is in billionths of a USD, whole numbers, so that sums do not
-- drift. What a tool reports is bounded on both sides: no turn gives money back, none breaks the sum.
CREATE VIEW cost_amounts AS
    SELECT id, run_id, ws_id, timestamp,
           coalesce(actual_cost_usd, estimated_cost_usd) IS NULL AS unpriced,
           CAST(round(min(max(coalesce(actual_cost_usd, estimated_cost_usd, 0.0), 0.0), 1e6) * 1e9)
                AS INTEGER) AS nano_usd,
           coalesce(min(max(input_tokens, 0), 1000000000000), 0) AS input_tokens,
           coalesce(min(max(output_tokens, 0), 1000000000000), 0) AS output_tokens
    FROM cost_tracking;

-- the sums of each run (ws_id is empty) and workstream, kept by the triggers below
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

INSERT INTO cost_totals
    SELECT run_id, '', count(*), sum(unpriced), sum(nano_usd), sum(input_tokens),
           sum(output_tokens)
    FROM cost_amounts GROUP BY run_id;

INSERT INTO cost_totals
    SELECT run_id, ws_id, count(*), sum(unpriced), sum(nano_usd), sum(input_tokens),
           sum(output_tokens)
    FROM cost_amounts WHERE ws_id IS NOT NULL GROUP BY run_id, ws_id;

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
