-- The first schema: everything there was at the first release.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE accounts (
    number BIGSERIAL NOT NULL, 
    public_id TEXT NOT NULL, 
    username TEXT, 
    username_shown TEXT, 
    phone TEXT, 
    phone_verified BIGINT DEFAULT 0 NOT NULL, 
    email TEXT, 
    email_verified BIGINT DEFAULT 0 NOT NULL, 
    status TEXT DEFAULT 'active' NOT NULL, 
    roles TEXT DEFAULT '' NOT NULL, 
    password_hash TEXT DEFAULT '' NOT NULL, 
    password_version BIGINT DEFAULT 0 NOT NULL, 
    password_changed_at BIGINT DEFAULT 0 NOT NULL, 
    created_at BIGINT DEFAULT 0 NOT NULL, 
    updated_at BIGINT DEFAULT 0 NOT NULL, 
    login_at BIGINT DEFAULT 0 NOT NULL, 
    login_ip TEXT DEFAULT '' NOT NULL, 
    previous_login_at BIGINT DEFAULT 0 NOT NULL, 
    previous_login_ip TEXT DEFAULT '' NOT NULL, 
    nickname TEXT DEFAULT '' NOT NULL, 
    avatar_url TEXT DEFAULT '' NOT NULL, 
    city TEXT DEFAULT '' NOT NULL, 
    province TEXT DEFAULT '' NOT NULL, 
    country TEXT DEFAULT '' NOT NULL, 
    gender BIGINT DEFAULT 0 NOT NULL, 
    birthday TEXT DEFAULT '' NOT NULL, 
    description TEXT DEFAULT '' NOT NULL, 
    level TEXT DEFAULT '' NOT NULL, 
    major TEXT DEFAULT '' NOT NULL, 
    real_name_verified BIGINT DEFAULT 0 NOT NULL, 
    refund_rate DOUBLE PRECISION DEFAULT 0 NOT NULL, 
    dispute_rate DOUBLE PRECISION DEFAULT 0 NOT NULL, 
    serve_num BIGINT DEFAULT 0 NOT NULL, 
    work_num BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (number), 
    UNIQUE (phone), 
    UNIQUE (public_id), 
    UNIQUE (username)
);

CREATE UNIQUE INDEX accounts_email_owner ON accounts (email) WHERE email_verified = 1;

CREATE INDEX ix_accounts_email ON accounts (email);

CREATE INDEX ix_accounts_nickname ON accounts (nickname);

CREATE TABLE apps (
    app_id BIGSERIAL NOT NULL, 
    name TEXT NOT NULL, 
    appkey TEXT NOT NULL, 
    secret_sealed BYTEA NOT NULL, 
    cookie_prefix TEXT DEFAULT '' NOT NULL, 
    cookie_domain TEXT DEFAULT '' NOT NULL, 
    host_only_cookies BIGINT DEFAULT 0 NOT NULL, 
    app_name TEXT DEFAULT '' NOT NULL, 
    business_type TEXT DEFAULT '' NOT NULL, 
    host TEXT DEFAULT '' NOT NULL, 
    captcha TEXT DEFAULT '' NOT NULL, 
    hardened BIGINT DEFAULT 0 NOT NULL, 
    device_sign TEXT DEFAULT '' NOT NULL, 
    session_rule TEXT DEFAULT '' NOT NULL, 
    auto_register BIGINT DEFAULT 0 NOT NULL, 
    exist_calls BIGINT DEFAULT 0 NOT NULL, 
    sign_required BIGINT DEFAULT 0 NOT NULL, 
    mirror_status BIGINT DEFAULT 0 NOT NULL, 
    password_min BIGINT DEFAULT 0 NOT NULL, 
    sms_per_day BIGINT DEFAULT 0 NOT NULL, 
    disabled BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (app_id), 
    UNIQUE (appkey), 
    UNIQUE (name)
);

CREATE UNIQUE INDEX apps_host ON apps (host) WHERE host != '';

CREATE TABLE audit (
    id BIGSERIAL NOT NULL, 
    at BIGINT NOT NULL, 
    tag TEXT NOT NULL, 
    account_number BIGINT, 
    app_id BIGINT, 
    dialect TEXT DEFAULT '' NOT NULL, 
    ip TEXT DEFAULT '' NOT NULL, 
    subject TEXT DEFAULT '' NOT NULL, 
    reason TEXT DEFAULT '' NOT NULL, 
    session_id TEXT DEFAULT '' NOT NULL, 
    PRIMARY KEY (id)
);

CREATE INDEX audit_account ON audit (account_number, at);

CREATE INDEX ix_audit_at ON audit (at);

CREATE TABLE captcha_images (
    digest BYTEA NOT NULL, 
    app_id BIGINT DEFAULT 0 NOT NULL, 
    answer_mac BYTEA, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (digest)
);

CREATE INDEX ix_captcha_images_expires_at ON captcha_images (expires_at);

CREATE TABLE captcha_nonces (
    nonce TEXT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (nonce)
);

CREATE INDEX ix_captcha_nonces_expires_at ON captcha_nonces (expires_at);

CREATE TABLE captcha_passes (
    digest BYTEA NOT NULL, 
    app_id BIGINT DEFAULT 0 NOT NULL, 
    network TEXT DEFAULT '' NOT NULL, 
    spent_on TEXT DEFAULT ' ' NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (digest)
);

CREATE INDEX ix_captcha_passes_expires_at ON captcha_passes (expires_at);

CREATE TABLE codes (
    app_id BIGINT NOT NULL, 
    purpose TEXT NOT NULL, 
    subject TEXT NOT NULL, 
    code_mac BYTEA NOT NULL, 
    captcha BYTEA NOT NULL, 
    tries BIGINT DEFAULT 0 NOT NULL, 
    created_at BIGINT DEFAULT 0 NOT NULL, 
    expires_at BIGINT NOT NULL, 
    verified_at BIGINT DEFAULT 0 NOT NULL, 
    spent_at BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (app_id, purpose, subject)
);

CREATE INDEX ix_codes_expires_at ON codes (expires_at);

CREATE INDEX ix_codes_subject ON codes (subject);

CREATE TABLE counters (
    key BYTEA NOT NULL, 
    tries BIGINT DEFAULT 0 NOT NULL, 
    since BIGINT DEFAULT 0 NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (key)
);

CREATE INDEX ix_counters_expires_at ON counters (expires_at);

CREATE TABLE installation (
    id BIGINT NOT NULL, 
    epoch BIGINT DEFAULT 1 NOT NULL, 
    created_at BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (id)
);

CREATE TABLE known_devices (
    account_number BIGINT NOT NULL, 
    device BYTEA NOT NULL, 
    first_seen BIGINT DEFAULT 0 NOT NULL, 
    last_seen BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (account_number, device)
);

CREATE TABLE outbox (
    message_id BIGSERIAL NOT NULL, 
    channel TEXT DEFAULT '' NOT NULL, 
    template TEXT DEFAULT '' NOT NULL, 
    body_sealed BYTEA NOT NULL, 
    created_at BIGINT DEFAULT 0 NOT NULL, 
    sent_at BIGINT DEFAULT 0 NOT NULL, 
    failures BIGINT DEFAULT 0 NOT NULL, 
    next_try_at BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (message_id)
);

CREATE INDEX outbox_due ON outbox (sent_at, next_try_at);

CREATE TABLE quota_uses (
    id BIGSERIAL NOT NULL, 
    key BYTEA NOT NULL, 
    at BIGINT DEFAULT 0 NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (id)
);

CREATE INDEX ix_quota_uses_expires_at ON quota_uses (expires_at);

CREATE INDEX quota_uses_key ON quota_uses (key, at);

CREATE TABLE sessions (
    session_id TEXT NOT NULL, 
    token_digest BYTEA NOT NULL, 
    refresh_digest BYTEA, 
    account_number BIGINT NOT NULL, 
    app_id BIGINT DEFAULT 0 NOT NULL, 
    dialect TEXT DEFAULT '' NOT NULL, 
    platform TEXT DEFAULT '' NOT NULL, 
    slot TEXT, 
    device_id TEXT DEFAULT '' NOT NULL, 
    device_model TEXT DEFAULT '' NOT NULL, 
    device_name TEXT DEFAULT '' NOT NULL, 
    ip TEXT DEFAULT '' NOT NULL, 
    created_at BIGINT DEFAULT 0 NOT NULL, 
    seen_at BIGINT DEFAULT 0 NOT NULL, 
    proved_at BIGINT DEFAULT 0 NOT NULL, 
    expires_at BIGINT DEFAULT 0 NOT NULL, 
    ends_at BIGINT DEFAULT 0 NOT NULL, 
    sliding_ms BIGINT DEFAULT 0 NOT NULL, 
    refresh_expires_at BIGINT DEFAULT 0 NOT NULL, 
    epoch BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (session_id), 
    UNIQUE (token_digest)
);

CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE UNIQUE INDEX sessions_slot ON sessions (account_number, slot);

CREATE TABLE spent_refreshes (
    digest BYTEA NOT NULL, 
    session_id TEXT NOT NULL, 
    account_number BIGINT DEFAULT 0 NOT NULL, 
    spent_at BIGINT NOT NULL, 
    PRIMARY KEY (digest)
);

CREATE INDEX ix_spent_refreshes_spent_at ON spent_refreshes (spent_at);

INSERT INTO installation (id, epoch, created_at) VALUES (1, 1, 0);
