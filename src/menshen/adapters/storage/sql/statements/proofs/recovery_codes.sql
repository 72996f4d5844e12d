-- Recovery codes, as keyed digests. A new set takes the place of the old one.

-- name: add
INSERT INTO recovery_codes (account_number, mac, created_at, used_at) VALUES (:account_number, :mac, :now, 0);

-- name: spend
UPDATE recovery_codes SET used_at = :now WHERE account_number = :account_number AND mac = :mac AND used_at = 0;

-- name: left
SELECT COUNT(*) AS codes FROM recovery_codes WHERE account_number = :account_number AND used_at = 0;

-- name: holds
SELECT mac FROM recovery_codes WHERE account_number = :account_number AND mac = :mac AND used_at = 0;

-- name: remove_all
DELETE FROM recovery_codes WHERE account_number = :account_number;
