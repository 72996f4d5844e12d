-- The audit trail.

-- name: append
INSERT INTO audit ({event}) VALUES ({:event});

-- name: newest
SELECT {event} FROM audit WHERE at >= :since ORDER BY id DESC LIMIT :most;

-- name: newest_of_account
SELECT {event} FROM audit
WHERE at >= :since AND account_number = :account_number
ORDER BY id DESC LIMIT :most;
