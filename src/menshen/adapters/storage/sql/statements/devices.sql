-- Devices that an account was used from.

-- name: known
SELECT device FROM known_devices WHERE account_number = :account_number AND device = :device;

-- name: remember
INSERT INTO known_devices (account_number, device, first_seen, last_seen)
VALUES (:account_number, :device, :now, :now)
ON CONFLICT (account_number, device) DO UPDATE SET last_seen = excluded.last_seen
RETURNING first_seen;

-- name: forget_oldest
-- An account has at most 50 known devices.
DELETE FROM known_devices
WHERE account_number = :account_number AND device NOT IN (
  SELECT device FROM known_devices WHERE account_number = :account_number
  ORDER BY last_seen DESC, device LIMIT 50
);

-- name: list_of
SELECT first_seen, last_seen FROM known_devices
WHERE account_number = :account_number
ORDER BY last_seen DESC, device LIMIT 50;

-- name: forget_all
DELETE FROM known_devices WHERE account_number = :account_number;
