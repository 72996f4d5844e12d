-- The id of the request that an event is about, and indexes for the questions of `menshen audit`.
-- Only adds: a program of an earlier schema goes on beside it, and its events have no request.

ALTER TABLE audit ADD COLUMN request_id TEXT DEFAULT '' NOT NULL;

CREATE INDEX audit_request ON audit (request_id) WHERE request_id != '';

CREATE INDEX audit_ip ON audit (ip, at);

CREATE INDEX audit_tag ON audit (tag, at);
