-- Trusted devices. Those of an older epoch are not found.

-- name: make_room
-- It runs before the new one is there. Those that are over, or of an older epoch, keep no place.
DELETE FROM trusted_devices
WHERE account_number = :account_number AND trust_id NOT IN (
  SELECT trust_id FROM trusted_devices
  WHERE account_number = :account_number AND expires_at > :now
    AND epoch = (SELECT epoch FROM installation WHERE id = 1)
  ORDER BY created_at DESC, trust_id LIMIT :others
);

-- name: add
INSERT INTO trusted_devices ({trusted_device}, digest, epoch)
VALUES ({:trusted_device}, :digest, (SELECT epoch FROM installation WHERE id = 1));

-- name: use
UPDATE trusted_devices SET digest = :new_digest, used_at = :now
WHERE digest = :digest AND account_number = :account_number AND app_id = :app_id AND device = :device
  AND expires_at > :now AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING {trusted_device};

-- name: spend
INSERT INTO spent_trusts (digest, trust_id, expires_at) VALUES (:digest, :trust_id, :expires_at)
ON CONFLICT DO NOTHING;

-- name: revoke_spent
DELETE FROM trusted_devices WHERE trust_id = (SELECT trust_id FROM spent_trusts WHERE digest = :digest)
RETURNING trust_id, account_number;

-- name: list_of
SELECT {trusted_device} FROM trusted_devices
WHERE account_number = :account_number AND expires_at > :now
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
ORDER BY created_at DESC, trust_id;

-- name: end
DELETE FROM trusted_devices WHERE trust_id = :trust_id AND account_number = :account_number;

-- name: end_all
DELETE FROM trusted_devices WHERE account_number = :account_number;
