-- Links that say "that was not me". Those of an older epoch are not found.

-- name: add
INSERT INTO security_links (digest, {security_link}, epoch)
VALUES (:digest, {:security_link}, (SELECT epoch FROM installation WHERE id = 1))
ON CONFLICT DO NOTHING;

-- name: find
SELECT {security_link} FROM security_links
WHERE digest = :digest AND epoch = (SELECT epoch FROM installation WHERE id = 1);

-- name: burn
UPDATE security_links SET used_at = :now
WHERE digest = :digest AND used_at = 0 AND expires_at > :now
  AND epoch = (SELECT epoch FROM installation WHERE id = 1)
RETURNING {security_link};

-- name: remove_all
DELETE FROM security_links WHERE account_number = :account_number;
