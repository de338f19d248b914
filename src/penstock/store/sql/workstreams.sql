-- name: insert
INSERT INTO workstreams (run_id, ws_id, status, gate, depends_on, created_at, updated_at,
                         metadata_json)
VALUES (:run_id, :ws_id, :status, :gate, :depends_on, :now, :now, :metadata_json);

-- name: get
SELECT * FROM workstreams WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: list
SELECT * FROM workstreams WHERE run_id = :run_id ORDER BY ws_id;

-- name: find
SELECT workstreams.* FROM workstreams JOIN runs USING (run_id)
WHERE ws_id = :ws_id
ORDER BY runs.rowid DESC LIMIT 1;

-- name: find_done
SELECT workstreams.* FROM workstreams JOIN runs USING (run_id)
WHERE ws_id = :ws_id AND workstreams.status = 'done'
ORDER BY runs.rowid DESC;

-- name: move
UPDATE workstreams
SET status = :status, reason = :reason, reason_until = NULL, updated_at = :now
WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: move_integration
UPDATE workstreams SET integration = :integration, updated_at = :now
WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: update
UPDATE workstreams
SET worktree_path = coalesce(:worktree_path, worktree_path),
    branch = coalesce(:branch, branch),
    base_commit = coalesce(:base_commit, base_commit),
    head_commit = coalesce(:head_commit, head_commit),
    updated_at = :now
WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: set_reason
UPDATE workstreams SET reason = :reason, reason_until = :until, updated_at = :now
WHERE run_id = :run_id AND ws_id = :ws_id;

-- name: retry
UPDATE workstreams
SET status = :status, integration = :integration, metadata_json = :metadata_json,
    reason = NULL, reason_until = NULL,
    base_commit = CASE WHEN :afresh THEN NULL ELSE base_commit END,
    head_commit = CASE WHEN :afresh THEN NULL ELSE head_commit END,
    worktree_path = CASE WHEN :afresh THEN NULL ELSE worktree_path END,
    updated_at = :now
WHERE run_id = :run_id AND ws_id = :ws_id;
