-- What apps say about their hosted pages, and their logos. The settings are JSON: pages read them whole, from memory.

-- name: list_all
SELECT app_id, settings FROM app_pages ORDER BY app_id;

-- name: find
SELECT settings FROM app_pages WHERE app_id = :app_id;

-- name: save
INSERT INTO app_pages (app_id, settings, changed_at) VALUES (:app_id, :settings, :now)
ON CONFLICT (app_id) DO UPDATE SET settings = excluded.settings, changed_at = excluded.changed_at;

-- name: logo
SELECT kind, bytes FROM app_logos WHERE digest = :digest;

-- name: add_logo
-- The digest is that of the row: who stores it again brings the same one.
INSERT INTO app_logos (digest, app_id, kind, bytes) VALUES (:digest, :app_id, :kind, :bytes)
ON CONFLICT (digest) DO NOTHING;

-- name: keep_logos
DELETE FROM app_logos WHERE app_id = :app_id AND digest <> :light AND digest <> :dark;
