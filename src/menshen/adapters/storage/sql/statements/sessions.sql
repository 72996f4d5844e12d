-- Sessions. One counts only with an active account, in the present epoch and of an app that is not disabled: disabling
-- and restoring refuse it on every node at once, even before its row is gone. An app that is enabled again has its
-- sessions back. So its owner sees them in the list meanwhile, and can end them.

-- name: check
SELECT s.session_id, a.public_id, a.number, a.roles, s.expires_at, s.ends_at, s.seen_at, s.sliding_ms,
  a.phone_verified, a.email_verified, s.level
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.token_digest = :token
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch
  AND NOT EXISTS (SELECT 1 FROM apps AS p WHERE p.app_id = s.app_id AND p.disabled <> 0);

-- name: find
SELECT {s.session}, a.number, {a.account}
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.token_digest = :token
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch
  AND NOT EXISTS (SELECT 1 FROM apps AS p WHERE p.app_id = s.app_id AND p.disabled <> 0);

-- name: hold (postgresql)
-- Locks the account, then the session, as a login does. It only waits: what counts is read behind it. SQLite has one
-- writer at a time.
SELECT a.number FROM accounts AS a, sessions AS s
WHERE s.session_id = :session_id AND a.number = s.account_number
FOR NO KEY UPDATE OF a, s;

-- name: account_of
SELECT a.number, {a.account}
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.session_id = :session_id
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch
  AND NOT EXISTS (SELECT 1 FROM apps AS p WHERE p.app_id = s.app_id AND p.disabled <> 0);

-- name: list_of
SELECT {s.session}
FROM sessions AS s, accounts AS a, installation AS i
WHERE s.account_number = :account_number
  AND a.number = s.account_number AND a.status = 'active' AND i.id = 1 AND s.epoch = i.epoch
ORDER BY s.created_at DESC, s.session_id DESC;

-- name: make_room
-- Ends the rivals of a new session and the oldest of the rest. It runs before the new one is there, so that the new one
-- always stays, also where nodes' clocks differ.
-- Those of an older epoch only give their place: they ended before.
-- COALESCE: no slot rivals nothing. NULL would be neither a rival nor worth keeping.
DELETE FROM sessions
WHERE account_number = :account_number AND (
  COALESCE(slot = :slot, FALSE)
  OR (device_id = :device_id AND :device_id <> '')
  OR token_digest = :replaces
  OR session_id NOT IN (
    SELECT session_id FROM sessions
    WHERE account_number = :account_number AND epoch = (SELECT epoch FROM installation WHERE id = 1) AND NOT (
      COALESCE(slot = :slot, FALSE)
      OR (device_id = :device_id AND :device_id <> '')
      OR token_digest = :replaces
    )
    ORDER BY created_at DESC, session_id DESC LIMIT :others
  )
)
RETURNING session_id, CASE WHEN epoch = (SELECT epoch FROM installation WHERE id = 1) THEN 1 ELSE 0 END AS live;

-- name: open
INSERT INTO sessions ({session}, token_digest, refresh_digest, epoch)
VALUES ({:session}, :token_digest, :refresh_digest, (SELECT epoch FROM installation WHERE id = 1));

-- name: rotate
UPDATE sessions
SET token_digest = :new_token, refresh_digest = :new_refresh, seen_at = :seen_at, expires_at = :expires_at,
  ends_at = :ends_at, refresh_expires_at = :refresh_expires_at, refreshes = :refreshes,
  refresh_paid_until = :refresh_paid_until,
  successor_sealed = :successor, successor_until = :successor_until, successor_retried = 0
WHERE token_digest = :token AND refresh_digest = :refresh
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
  AND EXISTS (SELECT 1 FROM accounts AS a WHERE a.number = sessions.account_number AND a.status = 'active')
  AND NOT EXISTS (SELECT 1 FROM apps AS p WHERE p.app_id = sessions.app_id AND p.disabled <> 0)
RETURNING session_id;

-- name: holds
SELECT session_id FROM sessions WHERE token_digest = :token AND refresh_digest = :refresh;

-- name: spend_refresh
-- The places of a session are a ring: a new one takes the place of the oldest. So a session has so many rows at most.
INSERT INTO spent_refreshes (digest, session_id, account_number, spent_at, place)
VALUES (:digest, :session_id, :account_number, :spent_at, :place)
ON CONFLICT (session_id, place) WHERE place IS NOT NULL DO UPDATE
SET digest = excluded.digest, account_number = excluded.account_number, spent_at = excluded.spent_at;

-- name: find_spent_refresh
SELECT r.session_id, r.account_number, r.spent_at, s.successor_sealed, s.successor_retried, s.refresh_paid_until
FROM spent_refreshes AS r LEFT JOIN sessions AS s ON s.session_id = r.session_id
WHERE r.digest = :refresh;

-- name: retry
UPDATE sessions SET successor_retried = 1, refresh_paid_until = :paid_until
WHERE token_digest = :token AND successor_retried = 0
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
  AND EXISTS (SELECT 1 FROM accounts AS a WHERE a.number = sessions.account_number AND a.status = 'active')
  AND NOT EXISTS (SELECT 1 FROM apps AS p WHERE p.app_id = sessions.app_id AND p.disabled <> 0);

-- name: touch
UPDATE sessions SET seen_at = :seen_at, expires_at = :expires_at
WHERE session_id = :session_id AND seen_at < :seen_at;

-- name: prove
UPDATE sessions SET proved_at = :at WHERE session_id = :session_id;

-- name: prove_twice
UPDATE sessions SET proved_at = :at, second_at = :at, level = :level, methods = :methods WHERE session_id = :session_id;

-- name: end
-- A session of an older epoch ended with it: nothing ends it again. Its row is cleared away.
DELETE FROM sessions
WHERE session_id = :session_id AND account_number = :account_number
  AND epoch = (SELECT epoch FROM installation WHERE id = 1);

-- name: lock_rivals (postgresql)
-- A login ends sessions of its account and one of another account. Two logins can end each other's sessions: they lock
-- the rows in the order of the ids, and so take turns. SQLite has one writer at a time.
SELECT session_id FROM sessions
WHERE account_number = :account_number OR token_digest = :token
ORDER BY session_id
FOR UPDATE;

-- name: end_by_token
DELETE FROM sessions WHERE token_digest = :token AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING session_id, account_number;

-- name: end_all
DELETE FROM sessions
WHERE account_number = :account_number AND session_id <> :except_id
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING session_id;
