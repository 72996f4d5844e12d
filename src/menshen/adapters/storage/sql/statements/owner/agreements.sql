-- To what people agreed. A version that stands is never written again.

-- name: add
INSERT INTO agreements (account_number, app_id, kind, version, agreed_at, ip)
VALUES (:account_number, :app_id, :kind, :version, :agreed_at, :ip)
ON CONFLICT DO NOTHING;

-- name: list_of
SELECT kind, version, app_id, agreed_at, ip FROM agreements
WHERE account_number = :account_number
ORDER BY agreed_at DESC, app_id, kind, version LIMIT 200;

-- name: forget_all
DELETE FROM agreements WHERE account_number = :account_number;
