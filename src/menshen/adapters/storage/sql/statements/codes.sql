-- One-time codes. A code is open while it is not spent, has tries left and has not expired.

-- name: captcha_of
SELECT captcha FROM codes WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject;

-- name: put
INSERT INTO codes (app_id, purpose, subject, code_mac, captcha, tries, created_at, expires_at, verified_at, spent_at)
VALUES (:app_id, :purpose, :subject, :code_mac, :captcha, 0, :created_at, :expires_at, 0, 0)
ON CONFLICT (app_id, purpose, subject) DO UPDATE
SET code_mac = excluded.code_mac, captcha = excluded.captcha, tries = excluded.tries,
  created_at = excluded.created_at, expires_at = excluded.expires_at,
  verified_at = excluded.verified_at, spent_at = excluded.spent_at;

-- name: take
-- RETURNING shows the row after the update: the instant is set exactly when the code fitted.
UPDATE codes
SET tries = tries + 1,
  spent_at = CASE WHEN code_mac IN (:mac, :older_mac) THEN CAST(:now AS BIGINT) ELSE 0 END
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND spent_at = 0 AND tries < :most_tries AND expires_at > :now
RETURNING spent_at;

-- name: verify
-- A verified code has no more use for the captcha it was sent with: who verified it takes that place.
UPDATE codes
SET tries = tries + 1,
  captcha = CASE WHEN code_mac IN (:mac, :older_mac) THEN :by ELSE captcha END,
  verified_at = CASE WHEN code_mac IN (:mac, :older_mac) THEN CAST(:now AS BIGINT) ELSE 0 END
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND spent_at = 0 AND tries < :most_tries AND expires_at > :now AND verified_at = 0
RETURNING verified_at;

-- name: consume
UPDATE codes SET spent_at = :now
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
  AND spent_at = 0 AND verified_at > 0 AND expires_at > :now AND captcha = :by
RETURNING spent_at;

-- name: spend_expired
-- It stays spent, whatever the clock says later. (docs/security/attacks.md SG-7)
UPDATE codes SET spent_at = :now
WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject AND spent_at = 0 AND expires_at <= :now;

-- name: drop
DELETE FROM codes WHERE subject = :subject;
