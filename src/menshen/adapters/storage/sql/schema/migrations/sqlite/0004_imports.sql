-- The ledger of what came from another program.
-- Only adds: a program of schema 0003 goes on beside it.

CREATE TABLE imported_accounts (
    source TEXT NOT NULL, 
    source_number INTEGER NOT NULL, 
    mark INTEGER DEFAULT 0 NOT NULL, 
    account_number INTEGER NOT NULL, 
    PRIMARY KEY (source, source_number)
)
 STRICT;

CREATE TABLE imported_tokens (
    digest BLOB NOT NULL, 
    expires_at INTEGER NOT NULL, 
    PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_imported_tokens_expires_at ON imported_tokens (expires_at);
