-- Clearing away what is dead, a batch at a time, and raising the epoch.

-- name: sweep_nonces
DELETE FROM captcha_nonces
WHERE nonce IN (SELECT nonce FROM captcha_nonces WHERE expires_at <= :before LIMIT :most);

-- name: sweep_passes
DELETE FROM captcha_passes
WHERE digest IN (SELECT digest FROM captcha_passes WHERE expires_at <= :before LIMIT :most);

-- name: sweep_images
DELETE FROM captcha_images
WHERE digest IN (SELECT digest FROM captcha_images WHERE expires_at <= :before LIMIT :most);

-- name: sweep_imported_tokens
DELETE FROM imported_tokens
WHERE digest IN (SELECT digest FROM imported_tokens WHERE expires_at <= :before LIMIT :most);

-- name: sweep_counters
-- The condition stands twice: a row that was used again while this waited for it is looked at again, and stays.
DELETE FROM counters
WHERE key IN (SELECT key FROM counters WHERE expires_at <= :before LIMIT :most) AND expires_at <= :before;

-- name: sweep_quota_uses
DELETE FROM quota_uses
WHERE id IN (SELECT id FROM quota_uses WHERE expires_at <= :before LIMIT :most);

-- name: sweep_codes
DELETE FROM codes
WHERE (app_id, purpose, subject) IN (
  SELECT app_id, purpose, subject FROM codes WHERE expires_at <= :before LIMIT :most
) AND expires_at <= :before;

-- name: sweep_sessions
DELETE FROM sessions
WHERE session_id IN (
  SELECT session_id FROM sessions WHERE expires_at <= :before AND refresh_expires_at <= :before LIMIT :most
);

-- name: sweep_successors
-- The condition stands twice: a session that was refreshed while this waited for its row keeps the new one.
UPDATE sessions SET successor_sealed = NULL, successor_until = 0
WHERE session_id IN (
  SELECT session_id FROM sessions WHERE successor_until > 0 AND successor_until < :before LIMIT :most
) AND successor_until > 0 AND successor_until < :before;

-- name: sweep_spent_refreshes
DELETE FROM spent_refreshes
WHERE digest IN (SELECT digest FROM spent_refreshes WHERE spent_at <= :before LIMIT :most);

-- name: sweep_outbox
-- What could not be sent in all that time is given up too: a code in it has long expired.
DELETE FROM outbox
WHERE message_id IN (
  SELECT message_id FROM outbox
  WHERE (sent_at > 0 AND sent_at <= :before)
    OR (sent_at = 0 AND created_at <= :before AND (
      failures > 0 OR next_try_at > 1152921504606846976 OR epoch < (SELECT epoch FROM installation WHERE id = 1)
    ))
  LIMIT :most
);

-- name: sweep_traffic
DELETE FROM sms_traffic WHERE day <= :before;

-- name: sweep_sender_days
DELETE FROM sender_days WHERE day <= :before;

-- name: sweep_pending_logins
DELETE FROM pending_logins
WHERE ticket IN (SELECT ticket FROM pending_logins WHERE expires_at <= :before LIMIT :most);

-- name: sweep_trusted_devices
DELETE FROM trusted_devices
WHERE trust_id IN (SELECT trust_id FROM trusted_devices WHERE expires_at <= :before LIMIT :most);

-- name: sweep_spent_trusts
DELETE FROM spent_trusts WHERE digest IN (SELECT digest FROM spent_trusts WHERE expires_at <= :before LIMIT :most);

-- name: sweep_begun_factors
-- The condition stands twice: an enrolment that was begun again while this waited for its row stays.
DELETE FROM factors
WHERE (account_number, kind) IN (
  SELECT account_number, kind FROM factors
  WHERE begun_until > 0 AND begun_until <= :before AND secret_sealed IS NULL LIMIT :most
) AND begun_until > 0 AND begun_until <= :before AND secret_sealed IS NULL;

-- name: sweep_begun_beside
-- An enrolment that nobody completed goes, and the confirmed secret beside it stays.
UPDATE factors SET begun_sealed = NULL, begun_until = 0
WHERE (account_number, kind) IN (
  SELECT account_number, kind FROM factors
  WHERE begun_until > 0 AND begun_until <= :before AND secret_sealed IS NOT NULL LIMIT :most
) AND begun_until > 0 AND begun_until <= :before AND secret_sealed IS NOT NULL;

-- name: sweep_security_links
DELETE FROM security_links
WHERE digest IN (SELECT digest FROM security_links WHERE expires_at <= :before LIMIT :most);

-- name: sweep_export_tickets
DELETE FROM export_tickets
WHERE ticket_id IN (SELECT ticket_id FROM export_tickets WHERE expires_at <= :before LIMIT :most);

-- name: sweep_audit
DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at <= :before LIMIT :most);

-- name: raise_epoch
-- One row: everything issued before is refused from now on by comparison. Its rows are cleared away afterwards.
UPDATE installation SET epoch = epoch + 1, raised_at = :now WHERE id = 1 RETURNING epoch;

-- name: epochs
SELECT epoch, cleared_epoch FROM installation WHERE id = 1;

-- name: clear_codes
-- The condition stands twice, as in sweeps: a code that was sent again while this waited for its row stays.
DELETE FROM codes
WHERE (app_id, purpose, subject) IN (
  SELECT app_id, purpose, subject FROM codes WHERE epoch < :epoch LIMIT :most
) AND epoch < :epoch;

-- name: clear_passes
DELETE FROM captcha_passes WHERE digest IN (SELECT digest FROM captcha_passes WHERE epoch < :epoch LIMIT :most);

-- name: clear_images
DELETE FROM captcha_images WHERE digest IN (SELECT digest FROM captcha_images WHERE epoch < :epoch LIMIT :most);

-- name: clear_messages
-- A message that was sent stays for its usual time, and so does one that a worker hands over at this moment.
DELETE FROM outbox
WHERE message_id IN (
  SELECT message_id FROM outbox
  WHERE epoch < :epoch AND sent_at = 0 AND next_try_at <> 2305843009213693954 LIMIT :most
);

-- name: clear_pending_logins
DELETE FROM pending_logins WHERE ticket IN (SELECT ticket FROM pending_logins WHERE epoch < :epoch LIMIT :most);

-- name: clear_trusted_devices
-- They live for weeks, and may be many. In the order of their index, no batch reads what others deleted.
DELETE FROM trusted_devices
WHERE trust_id IN (SELECT trust_id FROM trusted_devices WHERE epoch < :epoch ORDER BY epoch LIMIT :most);

-- name: clear_security_links
-- They live for a week, and only acts that a notice tells of make one.
DELETE FROM security_links WHERE digest IN (SELECT digest FROM security_links WHERE epoch < :epoch LIMIT :most);

-- name: clear_export_tickets
DELETE FROM export_tickets WHERE ticket_id IN (SELECT ticket_id FROM export_tickets WHERE epoch < :epoch LIMIT :most);

-- name: clearing
SELECT epoch, reached FROM clearing WHERE id = 1;

-- name: clearing_until
-- Where the next batch ends. No row: it is the last.
SELECT session_id FROM sessions WHERE session_id > :reached ORDER BY session_id LIMIT 1 OFFSET :most;

-- name: clear_sessions
DELETE FROM sessions WHERE session_id > :reached AND session_id <= :until AND epoch < :epoch;

-- name: clear_last_sessions
DELETE FROM sessions WHERE session_id > :reached AND epoch < :epoch;

-- name: note_clearing
INSERT INTO clearing (id, epoch, reached) VALUES (1, :epoch, :until)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, reached = excluded.reached;

-- name: end_clearing
DELETE FROM clearing WHERE id = 1;

-- name: note_cleared
UPDATE installation SET cleared_epoch = :epoch WHERE id = 1 AND cleared_epoch < :epoch;

-- name: clock (sqlite)
-- SQLite has no clock of its own.
SELECT marked_at, 0 AS instant FROM installation WHERE id = 1;

-- name: clock (postgresql)
-- The database's own instant.
SELECT marked_at, CAST(EXTRACT(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS instant
FROM installation WHERE id = 1;

-- name: mark_clock
UPDATE installation SET marked_at = :at WHERE id = 1 AND marked_at < :at;

-- name: set_clock
-- An operator says so: also lower.
UPDATE installation SET marked_at = :at WHERE id = 1;
