-- Messages to be sent. `sent_at` is 0 until one is. One with a code is sent in the epoch of its issue only.

-- name: newest
SELECT message_id, body_sealed, sent_at, failures, next_try_at FROM outbox ORDER BY message_id DESC LIMIT :most;

-- name: due
-- Nothing waits until `:unlikely`: a clock that was ahead wrote that. From 2^60 on, it is never tried again.
SELECT message_id, body_sealed, sent_at, failures, next_try_at FROM outbox
WHERE sent_at = 0 AND (next_try_at <= :now OR next_try_at BETWEEN :unlikely AND 1152921504606846976)
  AND epoch >= (SELECT epoch FROM installation WHERE id = 1)
ORDER BY message_id LIMIT :most;

-- name: waiting
-- From 2^60 on, it is never tried again.
SELECT message_id, body_sealed, sent_at, failures, next_try_at FROM outbox
WHERE sent_at = 0 AND next_try_at < 1152921504606846976
ORDER BY message_id DESC LIMIT :most;

-- name: put
-- 2^62: a message without a code is good in every epoch.
INSERT INTO outbox (channel, template, body_sealed, created_at, sent_at, failures, next_try_at, epoch)
VALUES (:channel, :template, :body_sealed, :created_at, 0, 0, :created_at,
  CASE WHEN CAST(:has_code AS BIGINT) = 1
    THEN (SELECT epoch FROM installation WHERE id = 1) ELSE 4611686018427387904 END)
RETURNING message_id;

-- name: claim
UPDATE outbox SET next_try_at = :until
WHERE message_id = :message_id AND sent_at = 0
  AND (next_try_at <= :now OR next_try_at BETWEEN :unlikely AND 1152921504606846976)
  AND epoch >= (SELECT epoch FROM installation WHERE id = 1)
RETURNING message_id;

-- name: mark_sent
-- 2^62: it is never tried again.
UPDATE outbox SET sent_at = :now, next_try_at = 4611686018427387904 WHERE message_id = :message_id;

-- name: mark_failed
UPDATE outbox SET failures = failures + 1, next_try_at = :retry_at WHERE message_id = :message_id;

-- name: drop_waiting
DELETE FROM outbox WHERE message_id = :message_id AND sent_at = 0;
