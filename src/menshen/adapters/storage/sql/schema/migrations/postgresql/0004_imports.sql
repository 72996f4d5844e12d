-- The ledger of what came from another program.
-- Only adds: a program of schema 0003 goes on beside it.

CREATE TABLE imported_accounts (
    source TEXT NOT NULL, 
    source_number BIGINT NOT NULL, 
    mark BIGINT DEFAULT 0 NOT NULL, 
    account_number BIGINT NOT NULL, 
    PRIMARY KEY (source, source_number)
);

CREATE TABLE imported_tokens (
    digest BYTEA NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (digest)
);

CREATE INDEX ix_imported_tokens_expires_at ON imported_tokens (expires_at);
