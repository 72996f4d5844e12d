-- Apps.

-- name: by_appkey
SELECT app_id, {app} FROM apps WHERE appkey = :appkey;

-- name: by_host
SELECT app_id, {app} FROM apps WHERE host = :host;

-- name: by_name
SELECT app_id, {app} FROM apps WHERE name = :name;

-- name: hold (postgresql)
-- `save` writes each column: two changes at once take turns. SQLite has one writer at a time.
SELECT app_id, {app} FROM apps WHERE name = :name
FOR UPDATE;

-- name: list_all
SELECT app_id, {app} FROM apps ORDER BY app_id;

-- name: add
INSERT INTO apps ({app}) VALUES ({:app})
ON CONFLICT DO NOTHING
RETURNING app_id;

-- name: save
UPDATE apps SET ({app}) = ({:app}) WHERE app_id = :app_id;
