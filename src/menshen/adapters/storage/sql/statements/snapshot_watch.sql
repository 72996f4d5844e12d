-- How a node of PostgreSQL confirms the sessions that it remembers.

-- name: snapshot (postgresql)
-- It names every transaction that has committed. Two that are alike: no row has changed in between.
SELECT pg_current_snapshot()::text AS snapshot;

-- name: check_all (postgresql)
-- `check` of `sessions.sql`, for many tokens.
SELECT s.token_digest, s.session_id, a.public_id, a.number, a.roles, s.expires_at, s.ends_at, s.seen_at, s.sliding_ms,
  a.phone_verified, a.email_verified, s.level
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.token_digest = ANY(:tokens)
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch
  AND NOT EXISTS (SELECT 1 FROM apps AS p WHERE p.app_id = s.app_id AND p.disabled <> 0);

-- name: sweep (postgresql)
-- Triggers of migration 0002 write these rows, and programs before this one read them for a minute.
DELETE FROM revocations
WHERE id IN (
  SELECT id FROM revocations WHERE at <= (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint - :kept_ms
  ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED
);
