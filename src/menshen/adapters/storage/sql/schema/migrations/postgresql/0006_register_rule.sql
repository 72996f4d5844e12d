-- By which proof people may register at an app.
-- Only adds: a program of schema 0005 goes on beside it, and registers as `auto_register` says.

ALTER TABLE apps ADD COLUMN register TEXT DEFAULT 'bare' NOT NULL;
