-- Ordered exports. Those of an older epoch are not found.

-- name: add
INSERT INTO export_tickets (ticket_id, account_number, created_at, expires_at, fetches, epoch)
VALUES (:ticket_id, :account_number, :created_at, :expires_at, 0, (SELECT epoch FROM installation WHERE id = 1));

-- name: fetch
UPDATE export_tickets SET fetches = fetches + 1
WHERE ticket_id = :ticket_id AND account_number = :account_number AND expires_at > :now
  AND fetches < CAST(:most AS BIGINT)
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING ticket_id, expires_at, created_at, fetches;

-- name: list_of
SELECT ticket_id, expires_at, created_at, fetches FROM export_tickets
WHERE account_number = :account_number AND expires_at > :now AND fetches < CAST(:most AS BIGINT)
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
ORDER BY created_at DESC, ticket_id LIMIT 200;

-- name: remove_all
DELETE FROM export_tickets WHERE account_number = :account_number;
