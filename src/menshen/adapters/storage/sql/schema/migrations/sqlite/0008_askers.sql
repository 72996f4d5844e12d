-- Which network asked for a code, and how many tries others used.
-- Only adds: a program of an older schema goes on beside it, and lets every network use all tries.

ALTER TABLE codes ADD COLUMN asked_by BLOB DEFAULT X'' NOT NULL;
ALTER TABLE codes ADD COLUMN others_tries INTEGER DEFAULT 0 NOT NULL;
