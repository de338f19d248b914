-- name: insert_event
INSERT INTO events (timestamp, run_id, ws_id, event_type, payload_json)
VALUES (:now, :run_id, :ws_id, :event_type, :payload_json);

-- name: list_events
SELECT * FROM events
WHERE id > :after_id AND (:ws_id IS NULL OR ws_id = :ws_id)
  AND (:event_type IS NULL OR event_type = :event_type)
ORDER BY id LIMIT :limit;

-- name: list_events_newest_first
SELECT * FROM events
WHERE id > :after_id AND (:ws_id IS NULL OR ws_id = :ws_id)
  AND (:event_type IS NULL OR event_type = :event_type)
ORDER BY id DESC LIMIT :limit;

-- name: list_run_events
SELECT * FROM events
WHERE run_id = :run_id AND id > :after_id AND (:ws_id IS NULL OR ws_id = :ws_id)
  AND (:event_type IS NULL OR event_type = :event_type)
ORDER BY id LIMIT :limit;

-- name: list_run_events_newest_first
SELECT * FROM events
WHERE run_id = :run_id AND id > :after_id AND (:ws_id IS NULL OR ws_id = :ws_id)
  AND (:event_type IS NULL OR event_type = :event_type)
ORDER BY id DESC LIMIT :limit;

-- name: find_error
SELECT id FROM errors
WHERE run_id IS :run_id AND ws_id IS :ws_id AND step_name IS :step_name
  AND signature IS :signature
ORDER BY id DESC LIMIT 1;

-- name: insert_error
INSERT INTO errors (run_id, ws_id, step_name, error_code, signature, message, context_json,
                    count, first_seen_at, last_seen_at)
VALUES (:run_id, :ws_id, :step_name, :error_code, :signature, :message, :context_json,
        1, :now, :now);

-- name: repeat_error
UPDATE errors
SET count = count + 1, last_seen_at = :now, message = :message, context_json = :context_json,
    error_code = :error_code
WHERE id = :id;

-- name: get_error
SELECT * FROM errors WHERE id = :id;

-- name: list_errors
SELECT * FROM errors
WHERE run_id = :run_id AND (:ws_id IS NULL OR ws_id = :ws_id)
ORDER BY id;

-- name: insert_approval
INSERT INTO approvals (run_id, gate, approved_by, approved_at, note)
VALUES (:run_id, :gate, :approved_by, :now, :note)
ON CONFLICT (run_id, gate) DO NOTHING;

-- name: list_approvals
SELECT gate FROM approvals WHERE run_id = :run_id;

-- name: save_context
INSERT INTO error_pipeline_contexts (run_id, ws_id, current_state, attempt_number,
    current_agent, final_status, context_json, created_at, updated_at)
VALUES (:run_id, :ws_id, :current_state, :attempt_number, :current_agent, :final_status,
        :context_json, :now, :now)
ON CONFLICT (run_id, ws_id) DO UPDATE
SET current_state = excluded.current_state, attempt_number = excluded.attempt_number,
    current_agent = excluded.current_agent, final_status = excluded.final_status,
    context_json = excluded.context_json, updated_at = excluded.updated_at;

-- name: get_context
SELECT * FROM error_pipeline_contexts WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: list_contexts
SELECT * FROM error_pipeline_contexts ORDER BY updated_at DESC, run_id, ws_id LIMIT :limit;
