-- Factors of plug-ins: at most one of a kind for each account. An enrolment that is not confirmed stands beside the
-- confirmed secret, which it replaces.

-- name: list_of
SELECT kind, secret_sealed, counter, confirmed_at, used_at, begun_sealed, begun_until FROM factors
WHERE account_number = :account_number
ORDER BY kind;

-- name: find
SELECT kind, secret_sealed, counter, confirmed_at, used_at, begun_sealed, begun_until FROM factors
WHERE account_number = :account_number AND kind = :kind;

-- name: begin
INSERT INTO factors (account_number, kind, begun_sealed, begun_until)
VALUES (:account_number, :kind, :begun, :until)
ON CONFLICT (account_number, kind) DO UPDATE SET begun_sealed = excluded.begun_sealed, begun_until = excluded.begun_until;

-- name: confirm
-- Compare and set: of two that confirm, the second one finds another enrolment, or none.
UPDATE factors
SET secret_sealed = begun_sealed, counter = :counter, confirmed_at = :now, used_at = 0, begun_sealed = NULL, begun_until = 0
WHERE account_number = :account_number AND kind = :kind AND begun_sealed = :begun AND begun_until > :now;

-- name: advance
-- A proof is good once: its counter is higher than each one before.
UPDATE factors SET counter = :counter, used_at = :now
WHERE account_number = :account_number AND kind = :kind AND secret_sealed = :sealed AND counter < :counter;

-- name: remove
DELETE FROM factors WHERE account_number = :account_number AND kind = :kind AND secret_sealed IS NOT NULL;

-- name: remove_all
DELETE FROM factors WHERE account_number = :account_number;
