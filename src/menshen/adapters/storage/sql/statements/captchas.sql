-- What a captcha leaves: nonces that were used, passes that were earned, images that wait for an answer.

-- name: spend_nonce
INSERT INTO captcha_nonces (nonce, expires_at) VALUES (:nonce, :expires_at)
ON CONFLICT DO NOTHING
RETURNING nonce;

-- name: add_pass
INSERT INTO captcha_passes (digest, app_id, network, spent_on, difficulty, expires_at)
VALUES (:digest, :app_id, :network, ' ', :difficulty, :expires_at)
ON CONFLICT DO NOTHING;

-- name: spend_pass
-- `spent_on` holds each action between blanks: ' login_code send_code '.
UPDATE captcha_passes SET spent_on = spent_on || :action || ' '
WHERE digest = :digest AND app_id = :app_id AND network = :network AND difficulty >= :difficulty
  AND expires_at > :now AND spent_on NOT LIKE '% ' || :action || ' %'
RETURNING app_id;

-- name: open_image
INSERT INTO captcha_images (digest, app_id, expires_at) VALUES (:digest, :app_id, :expires_at)
ON CONFLICT DO NOTHING;

-- name: set_answer
UPDATE captcha_images SET answer_mac = :answer_mac, expires_at = :until
WHERE digest = :digest AND expires_at > :now
RETURNING app_id;

-- name: answer
DELETE FROM captcha_images
WHERE digest = :digest AND expires_at > :now AND app_id = :app_id AND answer_mac IS NOT NULL
RETURNING CASE WHEN answer_mac IN (:mac, :older_mac) THEN 1 ELSE 0 END AS fits;
