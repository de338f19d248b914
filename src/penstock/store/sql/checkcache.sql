-- The cache of check results. What it holds can be found out anew, so it has no migrations.

-- name: make_results
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    plugin_id TEXT NOT NULL,
    path TEXT NOT NULL,
    parts BLOB NOT NULL,
    value BLOB NOT NULL,
    seal BLOB NOT NULL,
    size INTEGER NOT NULL,
    saved_at REAL NOT NULL,
    used_at REAL NOT NULL,
    expires_at REAL
) STRICT;

-- name: make_results_by_use
CREATE INDEX IF NOT EXISTS results_by_use ON results (used_at, id, size);

-- name: make_results_by_path
CREATE INDEX IF NOT EXISTS results_by_path ON results (plugin_id, path, saved_at, id);

-- name: make_results_by_end
CREATE INDEX IF NOT EXISTS results_by_end ON results (expires_at) WHERE expires_at IS NOT NULL;

-- name: make_facts
CREATE TABLE IF NOT EXISTS facts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
) STRICT;

-- name: shape
SELECT r.id, r.key, r.plugin_id, r.path, r.parts, r.value, r.seal, r.size, r.saved_at, r.used_at,
       r.expires_at, f.id, f.name, f.value
FROM results AS r, facts AS f LIMIT 0;

-- name: find
SELECT key, value, seal, used_at, id FROM results
WHERE (expires_at IS NULL OR (expires_at > ? AND saved_at <= ?)) AND key IN

-- name: save
INSERT INTO results (key, plugin_id, path, parts, value, seal, size, saved_at, used_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE
SET plugin_id = excluded.plugin_id, path = excluded.path, parts = excluded.parts,
    value = excluded.value, seal = excluded.seal, size = excluded.size,
    saved_at = excluded.saved_at, used_at = excluded.used_at, expires_at = excluded.expires_at;

-- name: used
UPDATE results SET used_at = ? WHERE id = ? AND used_at < ?;

-- name: drop
DELETE FROM results WHERE id = ?;

-- name: drop_expired
DELETE FROM results WHERE expires_at <= ?;

-- name: drop_unused
DELETE FROM results WHERE (used_at, id) <= (?, ?);

-- name: extent
SELECT count(*), coalesce(sum(size), 0) FROM results;

-- name: by_use
SELECT used_at, id, size FROM results ORDER BY used_at, id;

-- name: last_parts
SELECT parts FROM results WHERE plugin_id = ? AND path = ?
ORDER BY saved_at DESC, id DESC LIMIT 1;

-- name: fact
SELECT value FROM facts WHERE name = ?;

-- name: remember
INSERT INTO facts (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: drop_facts
DELETE FROM facts WHERE id <= (SELECT max(id) FROM facts) - ?;
