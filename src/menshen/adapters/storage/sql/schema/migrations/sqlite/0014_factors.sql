-- What proves a person beside the first proof: the factors of plug-ins, passkeys, recovery codes, logins that wait for a
-- second step, and trusted devices. Only adds: a program of an earlier schema goes on beside it, and asks for no second
-- step. So factors are enrolled only after every node has this schema.

ALTER TABLE accounts ADD COLUMN second_step INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE accounts ADD COLUMN factors_version INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE sessions ADD COLUMN level INTEGER DEFAULT 1 NOT NULL;

ALTER TABLE sessions ADD COLUMN methods TEXT DEFAULT '' NOT NULL;

ALTER TABLE sessions ADD COLUMN second_at INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE apps ADD COLUMN second_factor TEXT DEFAULT 'optional' NOT NULL;

ALTER TABLE apps ADD COLUMN required_for_roles TEXT DEFAULT 'admin' NOT NULL;

ALTER TABLE apps ADD COLUMN factors TEXT DEFAULT 'passkey totp recovery' NOT NULL;

ALTER TABLE apps ADD COLUMN sms_step INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE apps ADD COLUMN trusted_days INTEGER DEFAULT 30 NOT NULL;

ALTER TABLE apps ADD COLUMN enrol_by INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE apps ADD COLUMN second_factor_since INTEGER DEFAULT 0 NOT NULL;

CREATE TABLE factors (
    account_number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    secret_sealed BLOB,
    counter INTEGER DEFAULT 0 NOT NULL,
    confirmed_at INTEGER DEFAULT 0 NOT NULL,
    used_at INTEGER DEFAULT 0 NOT NULL,
    begun_sealed BLOB,
    begun_until INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (account_number, kind)
)
 STRICT;

CREATE INDEX ix_factors_begun_until ON factors (begun_until) WHERE begun_until > 0;

CREATE TABLE passkeys (
    passkey_id TEXT NOT NULL,
    account_number INTEGER NOT NULL,
    credential BLOB NOT NULL,
    public_key BLOB NOT NULL,
    rp_id TEXT DEFAULT '' NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    counter INTEGER DEFAULT 0 NOT NULL,
    synced INTEGER DEFAULT 0 NOT NULL,
    backed_up INTEGER DEFAULT 0 NOT NULL,
    step_only INTEGER DEFAULT 0 NOT NULL,
    transports TEXT DEFAULT '' NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    used_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (passkey_id),
    UNIQUE (credential)
)
 STRICT;

CREATE INDEX ix_passkeys_account ON passkeys (account_number);

CREATE TABLE passkey_handles (
    account_number INTEGER NOT NULL,
    handle BLOB NOT NULL,
    PRIMARY KEY (account_number),
    UNIQUE (handle)
)
 STRICT;

CREATE TABLE recovery_codes (
    account_number INTEGER NOT NULL,
    mac BLOB NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    used_at INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (account_number, mac)
)
 STRICT;

CREATE TABLE pending_logins (
    ticket BLOB NOT NULL,
    account_number INTEGER NOT NULL,
    app_id INTEGER DEFAULT 0 NOT NULL,
    dialect TEXT DEFAULT '' NOT NULL,
    platform TEXT DEFAULT '' NOT NULL,
    began TEXT DEFAULT '' NOT NULL,
    methods TEXT DEFAULT '' NOT NULL,
    password_version INTEGER DEFAULT 0 NOT NULL,
    factors_version INTEGER DEFAULT 0 NOT NULL,
    network TEXT DEFAULT '' NOT NULL,
    device BLOB NOT NULL,
    in_browser INTEGER DEFAULT 0 NOT NULL,
    replaces BLOB NOT NULL,
    cookie BLOB NOT NULL,
    enroll INTEGER DEFAULT 0 NOT NULL,
    phone_due INTEGER DEFAULT 0 NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    expires_at INTEGER NOT NULL,
    tries INTEGER DEFAULT 0 NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (ticket)
)
 STRICT;

CREATE INDEX ix_pending_logins_account ON pending_logins (account_number, network);

CREATE INDEX ix_pending_logins_expires_at ON pending_logins (expires_at);

CREATE TABLE trusted_devices (
    trust_id TEXT NOT NULL,
    account_number INTEGER NOT NULL,
    app_id INTEGER DEFAULT 0 NOT NULL,
    device BLOB NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    ip TEXT DEFAULT '' NOT NULL,
    created_at INTEGER DEFAULT 0 NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER DEFAULT 0 NOT NULL,
    digest BLOB NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (trust_id),
    UNIQUE (digest)
)
 STRICT;

CREATE INDEX ix_trusted_devices_account ON trusted_devices (account_number);

CREATE INDEX ix_trusted_devices_expires_at ON trusted_devices (expires_at);

CREATE INDEX ix_trusted_devices_epoch ON trusted_devices (epoch);

CREATE TABLE spent_trusts (
    digest BLOB NOT NULL,
    trust_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_spent_trusts_expires_at ON spent_trusts (expires_at);
