-- Messages to be sent. `sent_at` is 0 until one is.

-- name: newest
SELECT message_id, body_sealed, sent_at, failures FROM outbox ORDER BY message_id DESC LIMIT :most;

-- name: due
SELECT message_id, body_sealed, sent_at, failures FROM outbox
WHERE sent_at = 0 AND next_try_at <= :now
ORDER BY message_id LIMIT :most;

-- name: put
INSERT INTO outbox (channel, template, body_sealed, created_at, sent_at, failures, next_try_at)
VALUES (:channel, :template, :body_sealed, :created_at, 0, 0, :created_at)
RETURNING message_id;

-- name: claim
UPDATE outbox SET next_try_at = :until
WHERE message_id = :message_id AND sent_at = 0 AND next_try_at <= :now
RETURNING message_id;

-- name: mark_sent
-- 2^62: it is never tried again.
UPDATE outbox SET sent_at = :now, next_try_at = 4611686018427387904 WHERE message_id = :message_id;

-- name: mark_failed
UPDATE outbox SET failures = failures + 1, next_try_at = :retry_at WHERE message_id = :message_id;
