-- name: insert
INSERT INTO runs (run_id, status, base_commit, integration_branch, created_at, started_at,
                  ended_at, updated_at, metadata_json)
VALUES (:run_id, :status, :base_commit, :integration_branch, :now, :started_at,
        :ended_at, :now, :metadata_json);

-- name: get
SELECT * FROM runs WHERE run_id = :run_id;

-- Newest means added last, by row number: a clock may go back.

-- name: list
SELECT * FROM runs ORDER BY rowid DESC LIMIT :limit OFFSET :offset;

-- name: list_by_status
SELECT * FROM runs WHERE status = :status
ORDER BY rowid DESC LIMIT :limit OFFSET :offset;

-- name: move
UPDATE runs
SET status = :status, reason = :reason, reason_until = NULL, exit_code = :exit_code,
    error_message = :error_message, started_at = :started_at, ended_at = :ended_at,
    updated_at = :now
WHERE run_id = :run_id;

-- name: set_base
UPDATE runs SET base_commit = coalesce(base_commit, :base),
                integration_branch = coalesce(integration_branch, :branch), updated_at = :now
WHERE run_id = :run_id;

-- name: set_reason
UPDATE runs SET reason = :reason, reason_until = :until, updated_at = :now
WHERE run_id = :run_id;

-- name: fence
SELECT claim_token, owner_json FROM runs WHERE run_id = :run_id;

-- name: claim
UPDATE runs SET claim_token = :token, owner_json = :owner_json, updated_at = :now
WHERE run_id = :run_id;

-- name: release
UPDATE runs SET owner_json = NULL, updated_at = :now WHERE run_id = :run_id;
