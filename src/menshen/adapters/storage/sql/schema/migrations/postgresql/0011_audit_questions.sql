-- The id of the request that an event is about, and indexes for the questions of `menshen audit`.
-- Addresses are compared by their bytes, in whatever language the database sorts.
-- Only adds: a program of an earlier schema goes on beside it, and its events have no request.
-- Logins wait while an index is made. So an operator may add the column and make the indexes before (docs/operate/operations.md).

ALTER TABLE audit ADD COLUMN IF NOT EXISTS request_id TEXT DEFAULT '' NOT NULL;

CREATE INDEX IF NOT EXISTS audit_request ON audit (request_id) WHERE request_id != '';

CREATE INDEX IF NOT EXISTS audit_ip ON audit (ip COLLATE "C", at);

CREATE INDEX IF NOT EXISTS audit_tag ON audit (tag, at);
