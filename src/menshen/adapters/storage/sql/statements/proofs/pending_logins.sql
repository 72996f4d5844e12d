-- Logins that wait for a second step. Those of an older epoch are not found.

-- name: make_room
-- It runs before the new one is there. Those that are over, or of an older epoch, keep no place.
DELETE FROM pending_logins
WHERE account_number = :account_number AND network = :network AND ticket NOT IN (
  SELECT ticket FROM pending_logins
  WHERE account_number = :account_number AND network = :network AND expires_at > :now
    AND epoch = (SELECT epoch FROM installation WHERE id = 1)
  ORDER BY created_at DESC, ticket LIMIT :others
);

-- name: add
INSERT INTO pending_logins ({pending_login}, epoch)
VALUES ({:pending_login}, (SELECT epoch FROM installation WHERE id = 1));

-- name: find
SELECT {pending_login} FROM pending_logins
WHERE ticket = :ticket AND epoch = (SELECT epoch FROM installation WHERE id = 1);

-- name: count_step
UPDATE pending_logins SET tries = tries + 1
WHERE ticket = :ticket AND tries < :most AND expires_at > :now
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING tries;

-- name: refund_step
UPDATE pending_logins SET tries = tries - 1 WHERE ticket = :ticket AND tries > 0;

-- name: allow_enrolment
UPDATE pending_logins SET phone_due = 0 WHERE ticket = :ticket AND phone_due = 1;

-- name: take
DELETE FROM pending_logins
WHERE ticket = :ticket AND expires_at > :now AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING {pending_login};

-- name: end_all
DELETE FROM pending_logins WHERE account_number = :account_number;
