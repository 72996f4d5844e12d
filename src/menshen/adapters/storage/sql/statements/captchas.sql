-- What a captcha leaves: nonces that were used, passes that were earned, images that wait for an answer.
-- Passes and images are good in the epoch of their issue only. Nonces forbid, and so they stay in every epoch.

-- name: spend_nonce
INSERT INTO captcha_nonces (nonce, expires_at) VALUES (:nonce, :expires_at)
ON CONFLICT DO NOTHING
RETURNING nonce;

-- name: spend_challenge
-- A challenge is signed, and in no row. One in whose life the epoch was raised is refused. A raise after its end has no
-- effect: only a clock that is ahead can have written it.
INSERT INTO captcha_nonces (nonce, expires_at)
SELECT CAST(:nonce AS TEXT), CAST(:expires_at AS BIGINT) FROM installation
WHERE id = 1 AND raised_at NOT BETWEEN CAST(:issued_at AS BIGINT) AND CAST(:expires_at AS BIGINT)
ON CONFLICT DO NOTHING
RETURNING nonce;

-- name: add_pass
INSERT INTO captcha_passes (digest, app_id, network, spent_on, difficulty, expires_at, epoch)
VALUES (:digest, :app_id, :network, ' ', :difficulty, :expires_at, (SELECT epoch FROM installation WHERE id = 1))
ON CONFLICT DO NOTHING;

-- name: spend_pass
-- `spent_on` holds each action between blanks: ' login_code send_code '.
UPDATE captcha_passes SET spent_on = spent_on || :action || ' '
WHERE digest = :digest AND app_id = :app_id AND network = :network AND difficulty >= :difficulty
  AND expires_at > :now AND spent_on NOT LIKE '% ' || :action || ' %'
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING app_id;

-- name: open_image
INSERT INTO captcha_images (digest, app_id, expires_at, epoch)
VALUES (:digest, :app_id, :expires_at, (SELECT epoch FROM installation WHERE id = 1))
ON CONFLICT DO NOTHING;

-- name: set_answer
UPDATE captcha_images SET answer_mac = :answer_mac, expires_at = :until
WHERE digest = :digest AND expires_at > :now AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING app_id;

-- name: answer
DELETE FROM captcha_images
WHERE digest = :digest AND expires_at > :now AND app_id = :app_id AND answer_mac IS NOT NULL
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING CASE WHEN answer_mac IN (:mac, :older_mac) THEN 1 ELSE 0 END AS fits;
