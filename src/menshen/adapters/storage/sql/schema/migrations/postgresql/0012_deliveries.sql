-- What became of each try to hand over a message, and what each sender handed over a day. Only adds: a program of an
-- earlier schema goes on beside it, and leaves alone what is under way.

ALTER TABLE outbox ADD COLUMN topic BYTEA;

ALTER TABLE outbox ADD COLUMN sender TEXT DEFAULT '' NOT NULL;

ALTER TABLE outbox ADD COLUMN tried_at BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE outbox ADD COLUMN verdict TEXT DEFAULT '' NOT NULL;

ALTER TABLE outbox ADD COLUMN asked TEXT DEFAULT '' NOT NULL;

ALTER TABLE outbox ADD COLUMN receipt TEXT DEFAULT '' NOT NULL;

ALTER TABLE outbox ADD COLUMN parts BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE outbox ADD COLUMN outcome TEXT DEFAULT '' NOT NULL;

CREATE INDEX ix_outbox_topic ON outbox (topic, message_id) WHERE topic IS NOT NULL;

CREATE INDEX ix_outbox_receipt ON outbox (sender, receipt) WHERE receipt <> '';

CREATE TABLE sender_days (
    sender TEXT NOT NULL,
    day BIGINT NOT NULL,
    messages BIGINT DEFAULT 0 NOT NULL,
    parts BIGINT DEFAULT 0 NOT NULL,
    cost_micros BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (sender, day)
);
