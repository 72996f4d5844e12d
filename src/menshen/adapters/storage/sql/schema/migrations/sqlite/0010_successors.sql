-- The present pair of a session, sealed under the spent one that it was exchanged for: a client whose answer was lost
-- gets it again. Only adds: a program of an earlier schema goes on beside it. It leaves here what is no longer the pair,
-- which nobody gets.

ALTER TABLE sessions ADD COLUMN successor_sealed BLOB;

ALTER TABLE sessions ADD COLUMN successor_until INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE sessions ADD COLUMN successor_retried INTEGER DEFAULT 0 NOT NULL;

CREATE INDEX ix_sessions_successor_until ON sessions (successor_until) WHERE successor_until > 0;
