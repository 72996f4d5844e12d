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
DELETE FROM counters
WHERE key IN (SELECT key FROM counters WHERE expires_at <= :before LIMIT :most);

-- name: sweep_quota_uses
DELETE FROM quota_uses
WHERE id IN (SELECT id FROM quota_uses WHERE expires_at <= :before LIMIT :most);

-- name: sweep_codes
DELETE FROM codes
WHERE (app_id, purpose, subject) IN (
  SELECT app_id, purpose, subject FROM codes WHERE expires_at <= :before LIMIT :most
);

-- name: sweep_sessions
DELETE FROM sessions
WHERE session_id IN (
  SELECT session_id FROM sessions WHERE expires_at <= :before AND refresh_expires_at <= :before LIMIT :most
);

-- name: sweep_spent_refreshes
DELETE FROM spent_refreshes
WHERE digest IN (SELECT digest FROM spent_refreshes WHERE spent_at <= :before LIMIT :most);

-- name: sweep_outbox
-- What could not be sent in all that time is given up too: a code in it has long expired.
DELETE FROM outbox
WHERE message_id IN (
  SELECT message_id FROM outbox
  WHERE (sent_at > 0 AND sent_at <= :before) OR (sent_at = 0 AND failures > 0 AND created_at <= :before)
  LIMIT :most
);

-- name: sweep_traffic
DELETE FROM sms_traffic WHERE day <= :before;

-- name: sweep_audit
DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at <= :before LIMIT :most);

-- name: raise_epoch
UPDATE installation SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch;

-- name: forget_sessions
DELETE FROM sessions;

-- name: forget_spent_refreshes
DELETE FROM spent_refreshes;

-- name: forget_codes
DELETE FROM codes;

-- name: forget_passes
DELETE FROM captcha_passes;

-- name: forget_images
DELETE FROM captcha_images;
