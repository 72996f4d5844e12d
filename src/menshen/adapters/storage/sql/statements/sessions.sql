-- Sessions. One counts only with an active account and in the present epoch: disabling and restoring refuse it on every
-- node at once, even before its row is gone.

-- name: check
SELECT s.session_id, a.public_id, a.number, a.roles, s.expires_at, s.ends_at, s.seen_at, s.sliding_ms
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.token_digest = :token
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch;

-- name: find
SELECT {s.session}, a.number, {a.account}
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.token_digest = :token
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch;

-- name: list_of
SELECT {s.session}
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.account_number = :account_number
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch
ORDER BY s.created_at DESC, s.session_id DESC;

-- name: make_room
-- Ends the rivals of a new session and the oldest of the rest. It runs before the new one is there, so that the new one
-- always stays, also where nodes' clocks differ.
-- COALESCE: no slot rivals nothing. NULL would be neither a rival nor worth keeping.
DELETE FROM sessions
WHERE account_number = :account_number AND (
  COALESCE(slot = :slot, FALSE)
  OR (device_id = :device_id AND :device_id <> '')
  OR token_digest = :replaces
  OR session_id NOT IN (
    SELECT session_id FROM sessions
    WHERE account_number = :account_number AND NOT (
      COALESCE(slot = :slot, FALSE)
      OR (device_id = :device_id AND :device_id <> '')
      OR token_digest = :replaces
    )
    ORDER BY created_at DESC, session_id DESC LIMIT :others
  )
)
RETURNING session_id;

-- name: open
INSERT INTO sessions ({session}, token_digest, refresh_digest, epoch)
VALUES ({:session}, :token_digest, :refresh_digest, (SELECT epoch FROM installation WHERE id = 1));

-- name: rotate
UPDATE sessions
SET token_digest = :new_token, refresh_digest = :new_refresh, seen_at = :seen_at, expires_at = :expires_at,
  ends_at = :ends_at, refresh_expires_at = :refresh_expires_at
WHERE token_digest = :token AND refresh_digest = :refresh
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING session_id;

-- name: holds
SELECT session_id FROM sessions WHERE token_digest = :token AND refresh_digest = :refresh;

-- name: spend_refresh
INSERT INTO spent_refreshes (digest, session_id, account_number, spent_at)
VALUES (:digest, :session_id, :account_number, :spent_at)
ON CONFLICT DO NOTHING;

-- name: find_spent_refresh
SELECT session_id, account_number, spent_at FROM spent_refreshes WHERE digest = :refresh;

-- name: touch
UPDATE sessions SET seen_at = :seen_at, expires_at = :expires_at
WHERE session_id = :session_id AND seen_at < :seen_at;

-- name: prove
UPDATE sessions SET proved_at = :at WHERE session_id = :session_id;

-- name: end
DELETE FROM sessions WHERE session_id = :session_id AND account_number = :account_number;

-- name: end_by_token
DELETE FROM sessions WHERE token_digest = :token RETURNING session_id, account_number;

-- name: end_all
DELETE FROM sessions WHERE account_number = :account_number AND session_id <> :except_id
RETURNING session_id;
