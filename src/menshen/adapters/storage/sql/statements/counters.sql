-- Counters of tries, and quotas: how often something was done in a window that ends now.

-- name: hit
-- An idle counter's clock starts again at each try, but not past the cap: a pause must end.
INSERT INTO counters (key, tries, since, expires_at)
VALUES (:key, 1, :now, CAST(:now AS BIGINT) + CAST(:window AS BIGINT))
ON CONFLICT (key) DO UPDATE
SET tries = CASE WHEN counters.expires_at <= excluded.since THEN 1 ELSE counters.tries + 1 END,
  since = CASE
    WHEN counters.expires_at <= excluded.since OR (CAST(:idle AS BIGINT) = 1 AND counters.tries < :cap)
    THEN excluded.since ELSE counters.since END,
  expires_at = CASE
    WHEN counters.expires_at <= excluded.since OR (CAST(:idle AS BIGINT) = 1 AND counters.tries < :cap)
    THEN excluded.expires_at ELSE counters.expires_at END
RETURNING tries, since;

-- name: forget
-- A row at zero tells nothing: what was only ever refused leaves none behind.
DELETE FROM counters WHERE key = :key AND tries <= :most_tries
RETURNING key;

-- name: forgive
UPDATE counters SET tries = tries - 1 WHERE key = :key;

-- name: peek
SELECT tries FROM counters WHERE key = :key AND expires_at > :now;

-- name: uses_since
SELECT COUNT(*) AS uses FROM quota_uses WHERE key = :key AND at > :after;

-- name: use_after_skipping
SELECT at FROM quota_uses WHERE key = :key AND at > :after ORDER BY at LIMIT 1 OFFSET :skip;

-- name: use
INSERT INTO quota_uses (key, at, expires_at) VALUES (:key, :at, :expires_at);
