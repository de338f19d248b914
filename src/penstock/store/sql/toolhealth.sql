-- name: breaker
SELECT * FROM tool_breakers WHERE tool_id = :tool_id;

-- name: breakers
SELECT * FROM tool_breakers ORDER BY tool_id;

-- name: save_breaker
INSERT INTO tool_breakers (tool_id, state, failures, calls, opened_at, until, reason, updated_at)
VALUES (:tool_id, :state, :failures, :calls, :opened_at, :until, :reason, :now)
ON CONFLICT (tool_id) DO UPDATE
SET state = excluded.state, failures = excluded.failures, calls = excluded.calls,
    opened_at = excluded.opened_at, until = excluded.until, reason = excluded.reason,
    updated_at = excluded.updated_at;

-- name: tools_seen
WITH RECURSIVE seen (tool_id) AS (
    SELECT min(tool_id) FROM step_attempts
    UNION ALL
    SELECT (SELECT min(tool_id) FROM step_attempts WHERE tool_id > seen.tool_id)
    FROM seen WHERE seen.tool_id IS NOT NULL
)
SELECT tool_id FROM seen WHERE tool_id IS NOT NULL;

-- name: turns
SELECT a.tool_id, a.status, a.started_at, a.completed_at,
       json_extract(a.result_json, '$.outcome') AS outcome,
       coalesce(c.actual_cost_usd, c.estimated_cost_usd) AS cost_usd
FROM step_attempts AS a
LEFT JOIN cost_tracking AS c ON c.step_attempt_id = a.id
WHERE a.tool_id = :tool_id AND a.step_name IN ('edit', 'fix')
  AND a.status IN ('succeeded', 'failed') AND a.completed_at >= :since
ORDER BY a.id DESC LIMIT :limit;

-- name: busy
SELECT tool_id, count(*) AS turns FROM step_attempts
WHERE status = 'running' AND tool_id IS NOT NULL GROUP BY tool_id;

-- name: last_routed
SELECT tool_id FROM last_routed WHERE key = :key;

-- name: set_last_routed
INSERT INTO last_routed (key, tool_id, updated_at) VALUES (:key, :tool_id, :now)
ON CONFLICT (key) DO UPDATE SET tool_id = excluded.tool_id, updated_at = excluded.updated_at;
