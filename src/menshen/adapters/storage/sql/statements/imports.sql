-- What came from another program, and what stands in its way here.

-- name: known
SELECT i.source_number, i.mark, a.number, a.status, a.password_version
FROM imported_accounts AS i, accounts AS a
WHERE i.source = :source AND i.source_number = :source_number AND a.number = i.account_number;

-- name: hold (postgresql)
-- Locks the account. Whether it may have sessions is read behind it. SQLite has one writer at a time.
SELECT a.number
FROM imported_accounts AS i, accounts AS a
WHERE i.source = :source AND i.source_number = :source_number AND a.number = i.account_number
FOR NO KEY UPDATE OF a;

-- name: token_known
SELECT digest FROM imported_tokens WHERE digest = :digest;

-- name: number_taken
SELECT number FROM accounts WHERE number = :number;

-- name: username_taken
SELECT username FROM accounts WHERE username = :text;

-- name: phone_taken
SELECT phone, phone_verified FROM accounts WHERE phone = :text;

-- name: email_taken
SELECT email FROM accounts WHERE email = :text AND email_verified = 1;

-- name: email_claimed
SELECT email FROM accounts WHERE email = :text AND email_verified = 0 LIMIT 1;

-- name: reserve_numbers (postgresql)
-- SQLite needs none: its AUTOINCREMENT stays above every number by itself. A sequence knows only what it gave.
SELECT setval(pg_get_serial_sequence('accounts', 'number')::regclass, CAST(:highest AS BIGINT))
WHERE CAST(:highest AS BIGINT)
  > COALESCE(pg_sequence_last_value(pg_get_serial_sequence('accounts', 'number')::regclass), 0);

-- name: add_numbered
INSERT INTO accounts (number, {account}) VALUES (:number, {:account})
ON CONFLICT DO NOTHING
RETURNING public_id, number;

-- name: add
INSERT INTO accounts ({account}) VALUES ({:account})
ON CONFLICT DO NOTHING
RETURNING public_id, number;

-- name: note_account
INSERT INTO imported_accounts (source, source_number, mark, account_number)
VALUES (:source, :source_number, :mark, :account_number)
ON CONFLICT DO NOTHING;

-- name: note_token
INSERT INTO imported_tokens (digest, expires_at) VALUES (:digest, :expires_at)
ON CONFLICT DO NOTHING
RETURNING digest;

-- name: add_session
-- Of two sessions in one slot the later stays. One of an older epoch has ended, and keeps nobody out.
INSERT INTO sessions ({session}, token_digest, refresh_digest, epoch)
VALUES ({:session}, :token_digest, :refresh_digest, (SELECT epoch FROM installation WHERE id = 1))
ON CONFLICT (account_number, slot) DO UPDATE
SET ({session}, token_digest, refresh_digest, epoch)
  = ({excluded.session}, excluded.token_digest, excluded.refresh_digest, excluded.epoch),
  successor_sealed = NULL, successor_until = 0
WHERE excluded.created_at > sessions.created_at OR sessions.epoch < excluded.epoch
RETURNING session_id;
