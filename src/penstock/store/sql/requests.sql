-- name: insert
INSERT INTO run_requests (run_id, ws_id, kind, payload_json, requested_by, created_at)
VALUES (:run_id, :ws_id, :kind, :payload_json, :requested_by, :now);

-- name: get
SELECT * FROM run_requests WHERE id = :id;

-- name: list_open
SELECT * FROM run_requests WHERE run_id = :run_id AND heeded_at IS NULL ORDER BY id;

-- name: heed
UPDATE run_requests SET heeded_at = :now WHERE id = :id;
