-- One-time codes. A code is open while it is not spent, has tries left and has not expired, in the epoch of its issue.
-- Who asked for it has all tries. Others have a part of them. Where the network is not stored, all have all.

-- name: find
SELECT captcha,
  CASE WHEN spent_at = 0 AND verified_at = 0 AND expires_at > :now AND tries < :most_tries THEN 1 ELSE 0 END AS open,
  asked_by, others_tries
FROM codes
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND epoch = (SELECT epoch FROM installation WHERE id = 1);

-- name: put
INSERT INTO codes (app_id, purpose, subject, code_mac, captcha, tries, created_at, expires_at, verified_at, spent_at,
  asked_by, others_tries, epoch)
VALUES (:app_id, :purpose, :subject, :code_mac, :captcha, 0, :created_at, :expires_at, 0, 0, :asked_by, 0,
  (SELECT epoch FROM installation WHERE id = 1))
ON CONFLICT (app_id, purpose, subject) DO UPDATE
SET code_mac = excluded.code_mac, captcha = excluded.captcha, tries = excluded.tries,
  created_at = excluded.created_at, expires_at = excluded.expires_at,
  verified_at = excluded.verified_at, spent_at = excluded.spent_at,
  asked_by = excluded.asked_by, others_tries = excluded.others_tries, epoch = excluded.epoch;

-- name: take
-- RETURNING shows the row after the update: the instant is set exactly when the code fitted.
UPDATE codes
SET tries = tries + 1,
  others_tries = others_tries + CASE WHEN asked_by = :asker OR LENGTH(asked_by) = 0 THEN 0 ELSE 1 END,
  spent_at = CASE WHEN code_mac IN (:mac, :older_mac) THEN CAST(:now AS BIGINT) ELSE 0 END
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND spent_at = 0 AND tries < :most_tries AND expires_at > :now
  AND (asked_by = :asker OR LENGTH(asked_by) = 0 OR others_tries < :most_others)
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING spent_at;

-- name: verify
-- A verified code has no more use for the captcha it was sent with: who verified it takes that place.
UPDATE codes
SET tries = tries + 1,
  others_tries = others_tries + CASE WHEN asked_by = :asker OR LENGTH(asked_by) = 0 THEN 0 ELSE 1 END,
  captcha = CASE WHEN code_mac IN (:mac, :older_mac) THEN :by ELSE captcha END,
  verified_at = CASE WHEN code_mac IN (:mac, :older_mac) THEN CAST(:now AS BIGINT) ELSE 0 END
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND spent_at = 0 AND tries < :most_tries AND expires_at > :now AND verified_at = 0
  AND (asked_by = :asker OR LENGTH(asked_by) = 0 OR others_tries < :most_others)
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING verified_at;

-- name: consume
UPDATE codes SET spent_at = :now
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND spent_at = 0 AND verified_at > 0 AND expires_at > :now AND captcha = :by
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING spent_at;

-- name: stands
-- A newer code may be in its place: only who can read messages to the subject gets that one, too.
SELECT spent_at FROM codes
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND epoch = (SELECT epoch FROM installation WHERE id = 1);

-- name: spend_expired
-- It stays spent, whatever the clock says later. (docs/security/attacks.md SG-7)
UPDATE codes SET spent_at = :now
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject AND spent_at = 0 AND expires_at <= :now;

-- name: drop
DELETE FROM codes WHERE subject = :subject;
