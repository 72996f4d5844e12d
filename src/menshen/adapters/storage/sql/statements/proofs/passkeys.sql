-- Passkeys, and the user handle of each account that has one.

-- name: find
SELECT {passkey} FROM passkeys WHERE credential = :credential;

-- name: list_of
SELECT {passkey} FROM passkeys WHERE account_number = :account_number ORDER BY created_at, passkey_id;

-- name: add
-- A credential belongs to one account, whoever registers it again.
INSERT INTO passkeys ({passkey}) VALUES ({:passkey})
ON CONFLICT DO NOTHING
RETURNING passkey_id;

-- name: use
-- Compare and set: of two that answer with one counter, the second one is refused. Many keys never count: so the
-- instant rises with each use, also where a clock stands or went back.
UPDATE passkeys
SET counter = :counter, backed_up = :backed_up, used_at = CASE WHEN used_at < :now THEN :now ELSE used_at + 1 END
WHERE passkey_id = :passkey_id AND counter = :counter_before AND used_at = :used_before;

-- name: rename
UPDATE passkeys SET name = :name WHERE passkey_id = :passkey_id AND account_number = :account_number;

-- name: remove
DELETE FROM passkeys WHERE passkey_id = :passkey_id AND account_number = :account_number;

-- name: remove_all
DELETE FROM passkeys WHERE account_number = :account_number;

-- name: handle_of
SELECT handle FROM passkey_handles WHERE account_number = :account_number;

-- name: keep_handle
INSERT INTO passkey_handles (account_number, handle) VALUES (:account_number, :handle)
ON CONFLICT DO NOTHING;

-- name: forget_handle
DELETE FROM passkey_handles WHERE account_number = :account_number;

-- name: rp_ids
SELECT rp_id, COUNT(DISTINCT account_number) AS accounts FROM passkeys GROUP BY rp_id ORDER BY rp_id;
