-- Accounts. A name, phone or mail belongs to an account until it is closed.

-- name: by_number
SELECT number, {account} FROM accounts WHERE number = :number;

-- name: by_public_id
SELECT number, {account} FROM accounts WHERE public_id = :public_id;

-- name: owner_of_username
SELECT number, {account} FROM accounts WHERE username = :canonical AND status <> 'closed';

-- name: owner_of_phone
SELECT number, {account} FROM accounts
WHERE phone = :canonical AND phone_verified = 1 AND status <> 'closed';

-- name: owner_of_email
SELECT number, {account} FROM accounts
WHERE email = :canonical AND email_verified = 1 AND status <> 'closed';

-- name: hold (postgresql)
-- Locks the account's row. A row that was changed meanwhile is looked at again behind the lock: who lost the identifier
-- is not found. NO KEY: as strong as an update of these columns, and keeps nobody waiting that an update does not.
-- SQLite has one writer at a time.
SELECT number, {account} FROM accounts WHERE number = :number
FOR NO KEY UPDATE;

-- name: hold_owner_of_username (postgresql)
-- As hold.
SELECT number, {account} FROM accounts WHERE username = :canonical AND status <> 'closed'
FOR NO KEY UPDATE;

-- name: hold_owner_of_phone (postgresql)
-- As hold.
SELECT number, {account} FROM accounts
WHERE phone = :canonical AND phone_verified = 1 AND status <> 'closed'
FOR NO KEY UPDATE;

-- name: hold_owner_of_email (postgresql)
-- As hold.
SELECT number, {account} FROM accounts
WHERE email = :canonical AND email_verified = 1 AND status <> 'closed'
FOR NO KEY UPDATE;

-- name: claims_of_username
SELECT number, {account} FROM accounts
WHERE username = :canonical AND status <> 'closed'
ORDER BY number LIMIT 20;

-- name: claims_of_phone
SELECT number, {account} FROM accounts
WHERE phone = :canonical AND status <> 'closed'
ORDER BY number LIMIT 20;

-- name: claims_of_email
SELECT number, {account} FROM accounts
WHERE email = :canonical AND status <> 'closed'
ORDER BY number LIMIT 20;

-- name: nickname_taken
SELECT number FROM accounts
WHERE nickname = :nickname AND status <> 'closed' AND number <> :except_number
LIMIT 1;

-- name: add
INSERT INTO accounts ({account}) VALUES ({:account})
ON CONFLICT DO NOTHING
RETURNING number, {account};

-- name: record_login
-- Version -1 asks for no particular version of the password. The text of an identifier tells its kind.
-- `second_step` and `roles` are what the login was judged by: whether it needs a second step. -1 asks for neither.
UPDATE accounts
SET login_at = :now, login_ip = :ip, previous_login_at = login_at, previous_login_ip = login_ip
WHERE number = :number AND status = 'active'
  AND (CAST(:second_step AS BIGINT) = -1 OR (second_step = :second_step AND roles = :roles))
  AND (CAST(:version AS BIGINT) = -1 OR password_version = :version)
  AND CAST(:canonical AS TEXT) IN (
    '', username, CASE WHEN phone_verified = 1 THEN phone END, CASE WHEN email_verified = 1 THEN email END
  )
RETURNING number, {account};

-- name: record_login_by_code
-- The account is held already: a change that was under way has ended, and what it deleted is gone.
UPDATE accounts
SET login_at = :now, login_ip = :ip, previous_login_at = login_at, previous_login_ip = login_ip
WHERE number = :number AND status = 'active'
  AND (CAST(:second_step AS BIGINT) = -1 OR (second_step = :second_step AND roles = :roles)) AND EXISTS (
  SELECT 1 FROM codes
  WHERE app_id = :app_id AND purpose = :purpose AND subject = :subject
    AND epoch = (SELECT epoch FROM installation WHERE id = 1)
)
RETURNING number, {account};

-- name: set_password
-- Version -1 as in record_login.
UPDATE accounts
SET password_hash = :password_hash, password_version = password_version + 1,
  password_changed_at = :now, updated_at = :now
WHERE number = :number AND status <> 'closed'
  AND (CAST(:version AS BIGINT) = -1 OR password_version = :version);

-- name: replace_hash
UPDATE accounts SET password_hash = :new WHERE number = :number AND password_hash = :old;

-- name: change_factors
-- A switch of NULL stays as it is.
UPDATE accounts
SET factors_version = factors_version + 1, updated_at = :now, second_step = COALESCE(:second_step, second_step)
WHERE number = :number AND status <> 'closed';

-- name: set_status
UPDATE accounts SET status = :status, updated_at = :now
WHERE number = :number AND status <> 'closed' AND status <> :status;

-- name: set_closing
-- 0 takes a closing back. An account that closes already keeps its day, and one that does not has none to take back.
UPDATE accounts SET closes_at = :closes_at, updated_at = :now
WHERE number = :number AND status <> 'closed' AND (closes_at = 0) <> (CAST(:closes_at AS BIGINT) = 0);

-- name: due_to_close
SELECT number FROM accounts WHERE closes_at > 0 AND closes_at <= :now AND status <> 'closed'
ORDER BY closes_at LIMIT :most;

-- name: close
UPDATE accounts
SET status = 'closed', updated_at = :now,
  username = NULL, username_shown = NULL, phone = NULL, phone_verified = 0, email = NULL, email_verified = 0,
  password_hash = '', password_version = password_version + 1, second_step = 0, closes_at = 0,
  factors_version = factors_version + 1, login_ip = '', previous_login_ip = '',
  nickname = '', avatar_url = '', city = '', province = '', country = '', gender = 0, birthday = '',
  description = '', level = '', major = '', real_name_verified = 0, refund_rate = 0, dispute_rate = 0,
  serve_num = 0, work_num = 0
WHERE number = :number AND status <> 'closed';

-- name: set_profile
-- A field that is not given (NULL) stays as it is.
UPDATE accounts
SET updated_at = :now,
  nickname = COALESCE(:nickname, nickname),
  avatar_url = COALESCE(:avatar_url, avatar_url),
  city = COALESCE(:city, city),
  province = COALESCE(:province, province),
  country = COALESCE(:country, country),
  gender = COALESCE(:gender, gender),
  birthday = COALESCE(:birthday, birthday),
  description = COALESCE(:description, description),
  level = COALESCE(:level, level),
  major = COALESCE(:major, major),
  real_name_verified = COALESCE(:real_name_verified, real_name_verified),
  refund_rate = COALESCE(:refund_rate, refund_rate),
  dispute_rate = COALESCE(:dispute_rate, dispute_rate),
  serve_num = COALESCE(:serve_num, serve_num),
  work_num = COALESCE(:work_num, work_num)
WHERE number = :number AND status <> 'closed';

-- name: set_username
UPDATE accounts SET username = :username, username_shown = :shown, updated_at = :now
WHERE number = :number AND status <> 'closed';

-- name: bind_phone
UPDATE accounts SET phone = :canonical, phone_verified = 1, updated_at = :now
WHERE number = :number AND status <> 'closed';

-- name: bind_email
UPDATE accounts SET email = :canonical, email_verified = 1, updated_at = :now
WHERE number = :number AND status <> 'closed';

-- name: unbind_phone
-- A proved one goes only where a proved email stays: codes and notices need one of the two.
UPDATE accounts SET phone = NULL, phone_verified = 0, updated_at = :now
WHERE number = :number AND status <> 'closed' AND phone IS NOT NULL
  AND (phone_verified = 0 OR (email IS NOT NULL AND email_verified = 1));

-- name: unbind_email
-- As unbind_phone.
UPDATE accounts SET email = NULL, email_verified = 0, updated_at = :now
WHERE number = :number AND status <> 'closed' AND email IS NOT NULL
  AND (email_verified = 0 OR (phone IS NOT NULL AND phone_verified = 1));

-- name: drop_phone_claims
UPDATE accounts SET phone = NULL, updated_at = :now
WHERE phone = :canonical AND phone_verified = 0 AND number <> :except_number
RETURNING number;

-- name: drop_email_claims
UPDATE accounts SET email = NULL, updated_at = :now
WHERE email = :canonical AND email_verified = 0 AND number <> :except_number
RETURNING number;
