-- What ended, told to every node, and the mark of the oldest program that may use the schema.
-- Only adds: a program of schema 0001 goes on beside it.

ALTER TABLE installation ADD COLUMN oldest_program TEXT DEFAULT '0001' NOT NULL;

CREATE TABLE revocations (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
    xid INTEGER NOT NULL, 
    at INTEGER DEFAULT 0 NOT NULL, 
    token_digest BLOB, 
    account_number INTEGER
)
 STRICT;

CREATE INDEX ix_revocations_xid ON revocations (xid);
