-- Messages to be sent. `sent_at` is 0 until one is. One with a code is sent in the epoch of its issue only.
-- From 2^60 on, `next_try_at` says why there is no next try: see `core.delivery.messages.NO_NEXT_TRY`.

-- name: newest
SELECT {message}, 0 AS superseded FROM outbox ORDER BY message_id DESC LIMIT :most;

-- name: due
-- Codes come first, then codes that failed, then messages without a code, whose epoch is 2^62.
-- Nothing waits until `:unlikely`: a clock that was ahead wrote that.
SELECT {message},
  CASE WHEN topic IS NOT NULL AND EXISTS (
    SELECT 1 FROM outbox AS newer WHERE newer.topic = outbox.topic AND newer.message_id > outbox.message_id
  ) THEN 1 ELSE 0 END AS superseded
FROM outbox
WHERE sent_at = 0 AND (next_try_at <= :now OR next_try_at BETWEEN :unlikely AND 1152921504606846976)
  AND channel = :channel AND epoch >= (SELECT epoch FROM installation WHERE id = 1)
ORDER BY CASE WHEN epoch = 4611686018427387904 THEN 2 WHEN failures > 0 THEN 1 ELSE 0 END, message_id
LIMIT :most OFFSET :skip;

-- name: waiting
SELECT {message}, 0 AS superseded FROM outbox
WHERE sent_at = 0 AND next_try_at < 1152921504606846976
ORDER BY message_id DESC LIMIT :most;

-- name: backlog
SELECT COUNT(*) AS waiting, COALESCE(MIN(created_at), 0) AS oldest FROM outbox
WHERE sent_at = 0 AND next_try_at < 1152921504606846976
  AND epoch >= (SELECT epoch FROM installation WHERE id = 1);

-- name: put
-- 2^62: a message without a code is good in every epoch.
INSERT INTO outbox (channel, template, body_sealed, created_at, sent_at, failures, next_try_at, topic, epoch)
VALUES (:channel, :template, :body_sealed, :created_at, 0, 0, :created_at, :topic,
  CASE WHEN CAST(:has_code AS BIGINT) = 1
    THEN (SELECT epoch FROM installation WHERE id = 1) ELSE 4611686018427387904 END)
RETURNING message_id;

-- name: claim
-- A code for which a newer one stands is not sent any more.
UPDATE outbox SET next_try_at = :under_way, tried_at = :tried_at, sender = :sender, verdict = ''
WHERE message_id = :message_id AND sent_at = 0
  AND (next_try_at <= :now OR next_try_at BETWEEN :unlikely AND 1152921504606846976)
  AND epoch >= (SELECT epoch FROM installation WHERE id = 1)
  AND (topic IS NULL OR NOT EXISTS (
    SELECT 1 FROM outbox AS newer WHERE newer.topic = outbox.topic AND newer.message_id > outbox.message_id
  ))
RETURNING message_id;

-- name: mark_sent
-- 2^62: it is never tried again. A worker that was thought dead may still say that its own try was accepted.
UPDATE outbox SET sent_at = :now, next_try_at = 4611686018427387904, verdict = :verdict, receipt = :receipt,
  parts = :parts
WHERE message_id = :message_id AND sender = :sender AND tried_at = :tried_at AND sent_at = 0
  AND next_try_at IN (:under_way, :unknown);

-- name: mark_failed
UPDATE outbox SET failures = failures + 1, next_try_at = :next_try_at, verdict = :verdict, asked = :asked
WHERE message_id = :message_id AND sender = :sender AND tried_at = :tried_at AND sent_at = 0
  AND next_try_at = :under_way;

-- name: mark_unknown
UPDATE outbox SET failures = failures + 1, next_try_at = :unknown, verdict = :verdict
WHERE message_id = :message_id AND sender = :sender AND tried_at = :tried_at AND sent_at = 0
  AND next_try_at = :under_way;

-- name: postpone
UPDATE outbox SET next_try_at = :next_try_at, asked = :asked
WHERE message_id = :message_id AND sent_at = 0 AND next_try_at < 1152921504606846976;

-- name: shelve
UPDATE outbox SET next_try_at = :next_try_at, verdict = :verdict
WHERE message_id = :message_id AND sent_at = 0 AND next_try_at < 1152921504606846976
RETURNING message_id;

-- name: shelve_abandoned
-- Nothing began so late: a clock that was ahead wrote that.
UPDATE outbox SET failures = failures + 1, next_try_at = :unknown, verdict = :verdict
WHERE sent_at = 0 AND next_try_at = :under_way AND channel = :channel AND sender = :sender
  AND (tried_at <= :before OR tried_at >= :unlikely)
RETURNING message_id;

-- name: free_abandoned
UPDATE outbox SET next_try_at = :now
WHERE sent_at = 0 AND next_try_at = :under_way AND channel = :channel AND sender = :sender
  AND (tried_at <= :before OR tried_at >= :unlikely)
RETURNING message_id, tried_at;

-- name: under_way
SELECT DISTINCT sender FROM outbox WHERE sent_at = 0 AND next_try_at = :under_way AND channel = :channel;

-- name: note_outcome
-- A vendor repeats its receipts, and the first word is the last: "delivered" is never taken back.
UPDATE outbox SET outcome = :outcome
WHERE sender = :sender AND receipt = :receipt AND receipt <> '' AND outcome = ''
RETURNING message_id;

-- name: get
SELECT {message}, 0 AS superseded FROM outbox WHERE message_id = :message_id;

-- name: find_receipt
-- The second condition is that of the index.
SELECT {message}, 0 AS superseded FROM outbox WHERE sender = :sender AND receipt = :receipt AND receipt <> ''
ORDER BY message_id DESC LIMIT 1;

-- name: drop_waiting
DELETE FROM outbox WHERE message_id = :message_id AND sent_at = 0 AND next_try_at < 1152921504606846976;
