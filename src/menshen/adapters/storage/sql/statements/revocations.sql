-- Ended sessions, told to every node of PostgreSQL (triggers of migration 0002 write the rows). A row without digest and
-- account means everything.

-- name: news (postgresql)
-- Rows that transactions wrote which were still open at the question before.
SELECT now.horizon, now.epoch, now.at, r.id, r.token_digest, r.account_number, now.at - r.at AS lag_ms
FROM (
  SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
    (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS at,
    (SELECT epoch FROM installation WHERE id = 1) AS epoch
) AS now
LEFT JOIN revocations AS r ON r.xid >= :horizon AND r.at > now.at - :kept_ms;

-- name: sweep (postgresql)
DELETE FROM revocations
WHERE id IN (
  SELECT id FROM revocations WHERE at <= (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint - :kept_ms
  ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED
);
