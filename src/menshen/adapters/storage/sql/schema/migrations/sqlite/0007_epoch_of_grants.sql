-- The epoch in which each code, captcha and message was issued, and how far clearing away an older epoch has come.
-- Only adds: a program of schema 0006 goes on beside it. Triggers stamp what that one issues.

ALTER TABLE codes ADD COLUMN epoch INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE captcha_passes ADD COLUMN epoch INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE captcha_images ADD COLUMN epoch INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE outbox ADD COLUMN epoch INTEGER DEFAULT 0 NOT NULL;

UPDATE codes SET epoch = (SELECT epoch FROM installation WHERE id = 1);
UPDATE captcha_passes SET epoch = (SELECT epoch FROM installation WHERE id = 1);
UPDATE captcha_images SET epoch = (SELECT epoch FROM installation WHERE id = 1);
-- 2^62: a message without a code is good in every epoch.
UPDATE outbox SET epoch = CASE
  WHEN template LIKE 'code%' THEN (SELECT epoch FROM installation WHERE id = 1) ELSE 4611686018427387904 END;

ALTER TABLE installation ADD COLUMN raised_at INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE installation ADD COLUMN cleared_epoch INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE installation ADD COLUMN marked_at INTEGER DEFAULT 0 NOT NULL;

UPDATE installation SET cleared_epoch = epoch, marked_at = COALESCE((SELECT max(at) FROM audit), 0);

CREATE TABLE clearing (
    id INTEGER NOT NULL PRIMARY KEY, 
    epoch INTEGER NOT NULL, 
    reached TEXT NOT NULL
)
 STRICT;

CREATE TRIGGER menshen_code_stamped AFTER INSERT ON codes
WHEN NEW.epoch = 0 BEGIN
  UPDATE codes SET epoch = (SELECT epoch FROM installation WHERE id = 1) WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER menshen_code_replaced AFTER UPDATE OF code_mac ON codes
WHEN OLD.code_mac <> NEW.code_mac AND OLD.epoch = NEW.epoch BEGIN
  UPDATE codes SET epoch = (SELECT epoch FROM installation WHERE id = 1) WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER menshen_pass_stamped AFTER INSERT ON captcha_passes
WHEN NEW.epoch = 0 BEGIN
  UPDATE captcha_passes SET epoch = (SELECT epoch FROM installation WHERE id = 1) WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER menshen_image_stamped AFTER INSERT ON captcha_images
WHEN NEW.epoch = 0 BEGIN
  UPDATE captcha_images SET epoch = (SELECT epoch FROM installation WHERE id = 1) WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER menshen_message_stamped AFTER INSERT ON outbox
WHEN NEW.epoch = 0 BEGIN
  UPDATE outbox SET epoch = (SELECT epoch FROM installation WHERE id = 1) WHERE message_id = NEW.message_id;
END;
