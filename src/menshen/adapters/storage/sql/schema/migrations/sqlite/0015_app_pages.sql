-- What apps say about their hosted pages: one row for each app that says something, and their logos. An app without a
-- row has no pages, so that an installation of before goes on without any. Only adds: a program of an earlier schema
-- goes on beside it.

CREATE TABLE app_pages (
    app_id INTEGER NOT NULL,
    settings TEXT NOT NULL,
    changed_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (app_id)
)
 STRICT;

CREATE TABLE app_logos (
    digest TEXT NOT NULL,
    app_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_app_logos_app ON app_logos (app_id);
