-- name: insert
INSERT INTO step_attempts (run_id, ws_id, step_name, attempt, sequence, tool_id, status,
                           started_at, completed_at, result_json, for_step, marker, base_commit,
                           claim_token)
SELECT :run_id, :ws_id, :step_name, :attempt,
       (SELECT coalesce(max(sequence), 0) + 1 FROM step_attempts
        WHERE run_id = :run_id AND ws_id = :ws_id),
       :tool_id, :status, :started_at, :completed_at, :result_json, :for_step, :marker,
       :base_commit,
       (SELECT claim_token FROM runs WHERE run_id = :run_id);

-- name: get
SELECT * FROM step_attempts WHERE id = :id;

-- name: finish
UPDATE step_attempts
SET status = :status, exit_code = :exit_code, error_signature = :error_signature,
    diff_hash = :diff_hash, completed_at = :completed_at, result_json = :result_json
WHERE id = :id;

-- name: note_process
UPDATE step_attempts SET pid = :pid, pid_start = :pid_start WHERE id = :id;

-- name: next_attempt
SELECT coalesce(max(attempt), 0) + 1 AS attempt FROM step_attempts
WHERE run_id = :run_id AND ws_id = :ws_id AND step_name = :step_name;

-- name: last_sequence
SELECT coalesce(max(sequence), 0) AS sequence FROM step_attempts
WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: list
SELECT * FROM step_attempts
WHERE run_id = :run_id AND (:step_name IS NULL OR step_name = :step_name)
ORDER BY id;

-- name: list_of_workstream
SELECT * FROM step_attempts
WHERE run_id = :run_id AND ws_id = :ws_id AND (:step_name IS NULL OR step_name = :step_name)
ORDER BY sequence;

-- name: set_head
UPDATE workstreams SET head_commit = :head_commit, updated_at = :now
WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: insert_cost
INSERT INTO cost_tracking (run_id, ws_id, step_attempt_id, model_name, input_tokens,
                           output_tokens, estimated_cost_usd, actual_cost_usd, timestamp)
VALUES (:run_id, :ws_id, :step_attempt_id, :model_name, :input_tokens,
        :output_tokens, :estimated_cost_usd, :actual_cost_usd, :timestamp);

-- name: list_costs
SELECT * FROM cost_tracking
WHERE run_id = :run_id AND (:ws_id IS NULL OR ws_id = :ws_id)
ORDER BY id;
