-- What proves a person beside the first proof: the factors of plug-ins, passkeys, recovery codes, logins that wait for a
-- second step, and trusted devices. Only adds: a program of an earlier schema goes on beside it, and asks for no second
-- step. So factors are enrolled only after every node has this schema.

ALTER TABLE accounts ADD COLUMN second_step BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE accounts ADD COLUMN factors_version BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE sessions ADD COLUMN level BIGINT DEFAULT 1 NOT NULL;

ALTER TABLE sessions ADD COLUMN methods TEXT DEFAULT '' NOT NULL;

ALTER TABLE sessions ADD COLUMN second_at BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE apps ADD COLUMN second_factor TEXT DEFAULT 'optional' NOT NULL;

ALTER TABLE apps ADD COLUMN required_for_roles TEXT DEFAULT 'admin' NOT NULL;

ALTER TABLE apps ADD COLUMN factors TEXT DEFAULT 'passkey totp recovery' NOT NULL;

ALTER TABLE apps ADD COLUMN sms_step BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE apps ADD COLUMN trusted_days BIGINT DEFAULT 30 NOT NULL;

ALTER TABLE apps ADD COLUMN enrol_by BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE apps ADD COLUMN second_factor_since BIGINT DEFAULT 0 NOT NULL;

CREATE TABLE factors (
    account_number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    secret_sealed BYTEA,
    counter BIGINT DEFAULT 0 NOT NULL,
    confirmed_at BIGINT DEFAULT 0 NOT NULL,
    used_at BIGINT DEFAULT 0 NOT NULL,
    begun_sealed BYTEA,
    begun_until BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (account_number, kind)
);

CREATE INDEX ix_factors_begun_until ON factors (begun_until) WHERE begun_until > 0;

CREATE TABLE passkeys (
    passkey_id TEXT NOT NULL,
    account_number BIGINT NOT NULL,
    credential BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    rp_id TEXT DEFAULT '' NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    counter BIGINT DEFAULT 0 NOT NULL,
    synced BIGINT DEFAULT 0 NOT NULL,
    backed_up BIGINT DEFAULT 0 NOT NULL,
    step_only BIGINT DEFAULT 0 NOT NULL,
    transports TEXT DEFAULT '' NOT NULL,
    created_at BIGINT DEFAULT 0 NOT NULL,
    used_at BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (passkey_id),
    UNIQUE (credential)
);

CREATE INDEX ix_passkeys_account ON passkeys (account_number);

CREATE TABLE passkey_handles (
    account_number BIGINT NOT NULL,
    handle BYTEA NOT NULL,
    PRIMARY KEY (account_number),
    UNIQUE (handle)
);

CREATE TABLE recovery_codes (
    account_number BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    created_at BIGINT DEFAULT 0 NOT NULL,
    used_at BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (account_number, mac)
);

CREATE TABLE pending_logins (
    ticket BYTEA NOT NULL,
    account_number BIGINT NOT NULL,
    app_id BIGINT DEFAULT 0 NOT NULL,
    dialect TEXT DEFAULT '' NOT NULL,
    platform TEXT DEFAULT '' NOT NULL,
    began TEXT DEFAULT '' NOT NULL,
    methods TEXT DEFAULT '' NOT NULL,
    password_version BIGINT DEFAULT 0 NOT NULL,
    factors_version BIGINT DEFAULT 0 NOT NULL,
    network TEXT DEFAULT '' NOT NULL,
    device BYTEA NOT NULL,
    in_browser BIGINT DEFAULT 0 NOT NULL,
    replaces BYTEA NOT NULL,
    cookie BYTEA NOT NULL,
    enroll BIGINT DEFAULT 0 NOT NULL,
    phone_due BIGINT DEFAULT 0 NOT NULL,
    created_at BIGINT DEFAULT 0 NOT NULL,
    expires_at BIGINT NOT NULL,
    tries BIGINT DEFAULT 0 NOT NULL,
    epoch BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (ticket)
);

CREATE INDEX ix_pending_logins_account ON pending_logins (account_number, network);

CREATE INDEX ix_pending_logins_expires_at ON pending_logins (expires_at);

CREATE TABLE trusted_devices (
    trust_id TEXT NOT NULL,
    account_number BIGINT NOT NULL,
    app_id BIGINT DEFAULT 0 NOT NULL,
    device BYTEA NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    ip TEXT DEFAULT '' NOT NULL,
    created_at BIGINT DEFAULT 0 NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT DEFAULT 0 NOT NULL,
    digest BYTEA NOT NULL,
    epoch BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (trust_id),
    UNIQUE (digest)
);

CREATE INDEX ix_trusted_devices_account ON trusted_devices (account_number);

CREATE INDEX ix_trusted_devices_expires_at ON trusted_devices (expires_at);

CREATE INDEX ix_trusted_devices_epoch ON trusted_devices (epoch);

CREATE TABLE spent_trusts (
    digest BYTEA NOT NULL,
    trust_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (digest)
);

CREATE INDEX ix_spent_trusts_expires_at ON spent_trusts (expires_at);
