-- name: tables
SELECT name FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name;

-- name: objects
SELECT sql FROM sqlite_master
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid;

-- name: columns
SELECT m.name AS table_name, c.name AS column_name
FROM sqlite_master AS m, pragma_table_info(m.name) AS c
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\';

-- name: triggers
SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name;

-- name: get_meta
SELECT value FROM schema_meta WHERE key = :key;

-- name: set_meta
INSERT INTO schema_meta (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: make_meta
CREATE TABLE IF NOT EXISTS schema_meta (key TEXT PRIMARY KEY NOT NULL, value TEXT);

-- name: foreign_key_faults
SELECT "table" FROM pragma_foreign_key_check;
