-- The epoch in which each code, captcha and message was issued, and how far clearing away an older epoch has come.
-- Only adds: a program of schema 0006 goes on beside it. Triggers stamp what that one issues.

ALTER TABLE codes ADD COLUMN epoch BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE captcha_passes ADD COLUMN epoch BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE captcha_images ADD COLUMN epoch BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE outbox ADD COLUMN epoch BIGINT DEFAULT 0 NOT NULL;

UPDATE codes SET epoch = (SELECT epoch FROM installation WHERE id = 1);
UPDATE captcha_passes SET epoch = (SELECT epoch FROM installation WHERE id = 1);
UPDATE captcha_images SET epoch = (SELECT epoch FROM installation WHERE id = 1);
-- 2^62: a message without a code is good in every epoch.
UPDATE outbox SET epoch = CASE
  WHEN template LIKE 'code%' THEN (SELECT epoch FROM installation WHERE id = 1) ELSE 4611686018427387904 END;

ALTER TABLE installation ADD COLUMN raised_at BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE installation ADD COLUMN cleared_epoch BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE installation ADD COLUMN marked_at BIGINT DEFAULT 0 NOT NULL;

UPDATE installation SET cleared_epoch = epoch, marked_at = COALESCE((SELECT max(at) FROM audit), 0);

CREATE TABLE clearing (
    id BIGINT NOT NULL, 
    epoch BIGINT NOT NULL, 
    reached TEXT NOT NULL, 
    PRIMARY KEY (id)
);

CREATE FUNCTION menshen_stamp_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.epoch := (SELECT epoch FROM installation WHERE id = 1);
  RETURN NEW;
END $$;

CREATE TRIGGER menshen_code_stamped BEFORE INSERT ON codes FOR EACH ROW
  WHEN (NEW.epoch = 0) EXECUTE FUNCTION menshen_stamp_epoch();

CREATE TRIGGER menshen_code_replaced BEFORE UPDATE ON codes FOR EACH ROW
  WHEN (OLD.code_mac IS DISTINCT FROM NEW.code_mac AND OLD.epoch = NEW.epoch) EXECUTE FUNCTION menshen_stamp_epoch();

CREATE TRIGGER menshen_pass_stamped BEFORE INSERT ON captcha_passes FOR EACH ROW
  WHEN (NEW.epoch = 0) EXECUTE FUNCTION menshen_stamp_epoch();

CREATE TRIGGER menshen_image_stamped BEFORE INSERT ON captcha_images FOR EACH ROW
  WHEN (NEW.epoch = 0) EXECUTE FUNCTION menshen_stamp_epoch();

CREATE TRIGGER menshen_message_stamped BEFORE INSERT ON outbox FOR EACH ROW
  WHEN (NEW.epoch = 0) EXECUTE FUNCTION menshen_stamp_epoch();
