-- Money is added up in billionths of a USD, whole numbers, so that sums do not drift. What a tool
-- reports is bounded on both sides first: no turn gives money back, none breaks the sum.

-- name: of_run
SELECT *
FROM (
    SELECT coalesce(sum(CAST(round(min(max(
               coalesce(actual_cost_usd, estimated_cost_usd, 0.0), 0.0), 1e6) * 1e9) AS INTEGER)),
               0) AS nano_usd,
           coalesce(sum(min(max(input_tokens, 0), 1000000000000)), 0) AS input_tokens,
           coalesce(sum(min(max(output_tokens, 0), 1000000000000)), 0) AS output_tokens,
           count(*) - count(coalesce(actual_cost_usd, estimated_cost_usd)) AS unpriced
    FROM cost_tracking
    WHERE run_id = :run_id AND (:ws_id IS NULL OR ws_id = :ws_id) AND timestamp BETWEEN :since AND :until
), (
    SELECT coalesce(sum(CAST(round(cost_usd * 1e9) AS INTEGER)), 0) AS reserved_nano_usd,
           coalesce(sum(tokens), 0) AS reserved_tokens
    FROM budget_reservations
    WHERE run_id = :run_id AND (:ws_id IS NULL OR ws_id = :ws_id)
);

-- name: of_all
SELECT *
FROM (
    SELECT coalesce(sum(CAST(round(min(max(
               coalesce(actual_cost_usd, estimated_cost_usd, 0.0), 0.0), 1e6) * 1e9) AS INTEGER)),
               0) AS nano_usd,
           coalesce(sum(min(max(input_tokens, 0), 1000000000000)), 0) AS input_tokens,
           coalesce(sum(min(max(output_tokens, 0), 1000000000000)), 0) AS output_tokens,
           count(*) - count(coalesce(actual_cost_usd, estimated_cost_usd)) AS unpriced
    FROM cost_tracking
    WHERE timestamp BETWEEN :since AND :until AND (:ws_id IS NULL OR ws_id = :ws_id)
), (
    SELECT coalesce(sum(CAST(round(cost_usd * 1e9) AS INTEGER)), 0) AS reserved_nano_usd,
           coalesce(sum(tokens), 0) AS reserved_tokens
    FROM budget_reservations
    WHERE (:ws_id IS NULL OR ws_id = :ws_id)
);

-- name: reserve
INSERT INTO budget_reservations (attempt_id, run_id, ws_id, tokens, cost_usd, created_at)
VALUES (:attempt_id, :run_id, :ws_id, :tokens, :cost_usd, :now);

-- name: reserved
SELECT tokens, cost_usd FROM budget_reservations WHERE attempt_id = :attempt_id;

-- name: free
DELETE FROM budget_reservations WHERE attempt_id = :attempt_id;
