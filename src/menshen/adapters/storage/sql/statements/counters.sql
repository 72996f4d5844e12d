-- Counters of tries, and quotas: how often something was done in a window that ends now.

-- What is later than :latest comes from a clock that was ahead, and counts for nothing.

-- name: hit
-- An idle counter's clock starts again at each try, but not past the cap: a pause must end.
INSERT INTO counters (key, tries, since, expires_at)
VALUES (:key, 1, :now, CAST(:now AS BIGINT) + CAST(:window AS BIGINT))
ON CONFLICT (key) DO UPDATE
SET tries = CASE
    WHEN counters.expires_at <= excluded.since OR counters.since > :latest THEN 1 ELSE counters.tries + 1 END,
  since = CASE
    WHEN counters.expires_at <= excluded.since OR counters.since > :latest
      OR (CAST(:idle AS BIGINT) = 1 AND counters.tries < :cap)
    THEN excluded.since ELSE counters.since END,
  expires_at = CASE
    WHEN counters.expires_at <= excluded.since OR counters.since > :latest
      OR (CAST(:idle AS BIGINT) = 1 AND counters.tries < :cap)
    THEN excluded.expires_at ELSE counters.expires_at END
RETURNING tries, since;

-- name: forget
-- A row at zero tells nothing: what was only ever refused leaves none behind.
DELETE FROM counters WHERE key = :key AND tries <= :most_tries
RETURNING key, tries;

-- name: forget_parts
-- The key of a part is longer, and begins with that of its counter.
DELETE FROM counters WHERE key > :key AND key <= :last;

-- name: forgive
UPDATE counters SET tries = tries - 1 WHERE key = :key;

-- name: peek
SELECT tries FROM counters WHERE key = :key AND expires_at > :now AND since <= :latest;

-- name: uses_since
SELECT COUNT(*) AS uses FROM quota_uses WHERE key = :key AND at > :after AND at <= :latest;

-- name: use_after_skipping
SELECT at FROM quota_uses
WHERE key = :key AND at > :after AND at <= :latest ORDER BY at LIMIT 1 OFFSET :skip;

-- name: use
INSERT INTO quota_uses (key, at, expires_at) VALUES (:key, :at, :expires_at);
