-- How often a session was refreshed, and the places of its spent refresh tokens.
-- Only adds: a program of an earlier schema goes on beside it. What it refreshes is not counted, and has no place.

ALTER TABLE sessions ADD COLUMN refreshes INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE sessions ADD COLUMN refresh_paid_until INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE spent_refreshes ADD COLUMN place INTEGER;

CREATE UNIQUE INDEX ux_spent_refreshes_place ON spent_refreshes (session_id, place) WHERE place IS NOT NULL;
