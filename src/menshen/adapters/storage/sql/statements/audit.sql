-- The audit trail. Pages of the newest events begin behind `:before` and `:before_id`, the last event of the page before.
-- Each question has an index. `ip || ''` keeps that of the address out of counts that another index finds faster.

-- name: append
INSERT INTO audit ({event}) VALUES ({:event});

-- name: newest
SELECT id, {event} FROM audit
WHERE at >= :since AND at <= :before AND (at < :before OR id < :before_id)
ORDER BY at DESC, id DESC LIMIT :most;

-- name: newest_of_account
SELECT id, {event} FROM audit
WHERE account_number = :account_number AND at >= :since AND at <= :before AND (at < :before OR id < :before_id)
  AND (CAST(:tag AS TEXT) = '' OR tag = :tag)
ORDER BY at DESC, id DESC LIMIT :most;

-- name: newest_of_owner
-- `:tags` are words with blanks around each. No tag has a character that LIKE takes for another, but for `_`, which is in
-- the same place of no two of them.
SELECT id, {event} FROM audit
WHERE account_number = :account_number AND CAST(:tags AS TEXT) LIKE '% ' || tag || ' %'
ORDER BY at DESC, id DESC LIMIT :most;

-- name: newest_of_network (sqlite)
-- `+at`: the index of the address finds fewer rows than that of the time.
SELECT id, {event} FROM audit
WHERE ip BETWEEN :first_ip AND :last_ip
  AND +at >= :since AND +at <= :before AND (+at < :before OR id < :before_id)
  AND (CAST(:tag AS TEXT) = '' OR tag = :tag)
ORDER BY +at DESC, id DESC LIMIT :most;

-- name: newest_of_network (postgresql)
-- The collation of the index: the bytes.
SELECT id, {event} FROM audit
WHERE ip COLLATE "C" BETWEEN :first_ip AND :last_ip
  AND +at >= :since AND +at <= :before AND (+at < :before OR id < :before_id)
  AND (CAST(:tag AS TEXT) = '' OR tag = :tag)
ORDER BY +at DESC, id DESC LIMIT :most;

-- name: newest_of_tag
SELECT id, {event} FROM audit
WHERE tag = :tag AND at >= :since AND at <= :before AND (at < :before OR id < :before_id)
ORDER BY at DESC, id DESC LIMIT :most;

-- name: newest_of_request
SELECT id, {event} FROM audit
WHERE request_id = :request_id AND request_id != ''
  AND at >= :since AND at <= :before AND (at < :before OR id < :before_id)
ORDER BY at DESC, id DESC LIMIT :most;

-- name: counts
SELECT ip || '' AS address, tag, reason, COUNT(*) AS events, MAX(at) AS latest FROM audit
WHERE at >= :since AND (CAST(:tag AS TEXT) = '' OR tag = :tag)
GROUP BY ip || '', tag, reason;

-- name: counts_of_account
SELECT ip || '' AS address, tag, reason, COUNT(*) AS events, MAX(at) AS latest FROM audit
WHERE account_number = :account_number AND at >= :since AND (CAST(:tag AS TEXT) = '' OR tag = :tag)
GROUP BY ip || '', tag, reason;

-- name: counts_of_network (sqlite)
-- `+at`: the index of the address finds fewer rows than that of the time.
SELECT ip || '' AS address, tag, reason, COUNT(*) AS events, MAX(at) AS latest FROM audit
WHERE ip BETWEEN :first_ip AND :last_ip AND +at >= :since AND (CAST(:tag AS TEXT) = '' OR tag = :tag)
GROUP BY ip || '', tag, reason;

-- name: counts_of_network (postgresql)
-- The collation of the index: the bytes.
SELECT ip || '' AS address, tag, reason, COUNT(*) AS events, MAX(at) AS latest FROM audit
WHERE ip COLLATE "C" BETWEEN :first_ip AND :last_ip AND +at >= :since AND (CAST(:tag AS TEXT) = '' OR tag = :tag)
GROUP BY ip || '', tag, reason;

-- name: counts_of_tag
SELECT ip || '' AS address, tag, reason, COUNT(*) AS events, MAX(at) AS latest FROM audit
WHERE tag = :tag AND at >= :since
GROUP BY ip || '', tag, reason;
