-- Heads of hashes: the part of a stored hash that says what judging it costs.

-- name: list_all
SELECT head, noted_at FROM hash_heads ORDER BY head;

-- name: walk
-- In the order of the primary key: so many rows are read and no more, however many there are.
-- INTEGER: PostgreSQL's substr takes no BIGINT.
SELECT number, substr(password_hash, 1, CAST(:longest AS INTEGER)) AS head FROM accounts
WHERE number > :after
ORDER BY number LIMIT :most;

-- name: note
INSERT INTO hash_heads (head, noted_at) VALUES (:head, :noted_at)
ON CONFLICT (head) DO UPDATE SET noted_at = excluded.noted_at WHERE excluded.noted_at > hash_heads.noted_at;

-- name: forget
DELETE FROM hash_heads WHERE head = :head AND noted_at <= :noted_by;
