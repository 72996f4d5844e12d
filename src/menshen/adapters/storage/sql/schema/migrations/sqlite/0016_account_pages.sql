-- What the pages of accounts need: agreements to terms, closing with days of grace, links that say "that was not me", and
-- exports that can be fetched for a day. Only adds: a program of an earlier schema goes on beside it. Its logins do not
-- take a closing back, so days of grace are set only after every node has this schema.

ALTER TABLE accounts ADD COLUMN closes_at INTEGER DEFAULT 0 NOT NULL;

CREATE INDEX ix_accounts_closes_at ON accounts (closes_at) WHERE closes_at > 0;

CREATE TABLE agreements (
    account_number INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    version TEXT NOT NULL,
    agreed_at INTEGER DEFAULT 0 NOT NULL,
    ip TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (account_number, app_id, kind, version)
)
 STRICT;

CREATE TABLE security_links (
    digest BLOB NOT NULL,
    account_number INTEGER NOT NULL,
    session_id TEXT DEFAULT '' NOT NULL,
    mailbox BLOB NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER DEFAULT 0 NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_security_links_account ON security_links (account_number);

CREATE INDEX ix_security_links_expires_at ON security_links (expires_at);

CREATE TABLE export_tickets (
    ticket_id TEXT NOT NULL,
    account_number INTEGER NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    expires_at INTEGER NOT NULL,
    fetches INTEGER DEFAULT 0 NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (ticket_id)
)
 STRICT;

CREATE INDEX ix_export_tickets_account ON export_tickets (account_number);

CREATE INDEX ix_export_tickets_expires_at ON export_tickets (expires_at);
