-- Each in one statement, so that what is settled meanwhile is not missed and not counted twice.

-- name: of_run
SELECT *
FROM (
    SELECT coalesce(sum(nano_usd), 0) AS nano_usd, coalesce(sum(input_tokens), 0) AS input_tokens,
           coalesce(sum(output_tokens), 0) AS output_tokens,
           coalesce(sum(unpriced), 0) AS unpriced
    FROM cost_totals WHERE run_id = :run_id AND ws_id = coalesce(:ws_id, '')
), (
    SELECT coalesce(sum(CAST(round(cost_usd * 1e9) AS INTEGER)), 0) AS reserved_nano_usd,
           coalesce(sum(tokens), 0) AS reserved_tokens
    FROM budget_reservations
    WHERE (:run_id IS NULL OR run_id = :run_id) AND (:ws_id IS NULL OR ws_id = :ws_id)
);

-- name: of_all
SELECT *
FROM (
    SELECT coalesce(sum(nano_usd), 0) AS nano_usd, coalesce(sum(input_tokens), 0) AS input_tokens,
           coalesce(sum(output_tokens), 0) AS output_tokens,
           coalesce(sum(unpriced), 0) AS unpriced
    FROM cost_totals WHERE ws_id = coalesce(:ws_id, '')
), (
    SELECT coalesce(sum(CAST(round(cost_usd * 1e9) AS INTEGER)), 0) AS reserved_nano_usd,
           coalesce(sum(tokens), 0) AS reserved_tokens
    FROM budget_reservations
    WHERE (:run_id IS NULL OR run_id = :run_id) AND (:ws_id IS NULL OR ws_id = :ws_id)
);

-- name: since
SELECT *
FROM (
    SELECT coalesce(sum(nano_usd), 0) AS nano_usd, coalesce(sum(input_tokens), 0) AS input_tokens,
           coalesce(sum(output_tokens), 0) AS output_tokens,
           coalesce(sum(unpriced), 0) AS unpriced
    FROM cost_amounts
    WHERE timestamp BETWEEN :since AND :until AND (:run_id IS NULL OR run_id = :run_id)
      AND (:ws_id IS NULL OR ws_id = :ws_id)
), (
    SELECT coalesce(sum(CAST(round(cost_usd * 1e9) AS INTEGER)), 0) AS reserved_nano_usd,
           coalesce(sum(tokens), 0) AS reserved_tokens
    FROM budget_reservations
    WHERE created_at BETWEEN :held_since AND :until
      AND (:run_id IS NULL OR run_id = :run_id) AND (:ws_id IS NULL OR ws_id = :ws_id)
);

-- name: reserve
INSERT INTO budget_reservations (attempt_id, run_id, ws_id, tokens, cost_usd, created_at)
VALUES (:attempt_id, :run_id, :ws_id, :tokens, :cost_usd, :now);

-- name: reserved
SELECT tokens, cost_usd FROM budget_reservations WHERE attempt_id = :attempt_id;

-- name: free
DELETE FROM budget_reservations WHERE attempt_id = :attempt_id;
