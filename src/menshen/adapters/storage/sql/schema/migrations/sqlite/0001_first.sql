-- The first schema: everything there was at the first release.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE accounts (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
    public_id TEXT NOT NULL, 
    username TEXT, 
    username_shown TEXT, 
    phone TEXT, 
    phone_verified INTEGER DEFAULT 0 NOT NULL, 
    email TEXT, 
    email_verified INTEGER DEFAULT 0 NOT NULL, 
    status TEXT DEFAULT 'active' NOT NULL, 
    roles TEXT DEFAULT '' NOT NULL, 
    password_hash TEXT DEFAULT '' NOT NULL, 
    password_version INTEGER DEFAULT 0 NOT NULL, 
    password_changed_at INTEGER DEFAULT 0 NOT NULL, 
    created_at INTEGER DEFAULT 0 NOT NULL, 
    updated_at INTEGER DEFAULT 0 NOT NULL, 
    login_at INTEGER DEFAULT 0 NOT NULL, 
    login_ip TEXT DEFAULT '' NOT NULL, 
    previous_login_at INTEGER DEFAULT 0 NOT NULL, 
    previous_login_ip TEXT DEFAULT '' NOT NULL, 
    nickname TEXT DEFAULT '' NOT NULL, 
    avatar_url TEXT DEFAULT '' NOT NULL, 
    city TEXT DEFAULT '' NOT NULL, 
    province TEXT DEFAULT '' NOT NULL, 
    country TEXT DEFAULT '' NOT NULL, 
    gender INTEGER DEFAULT 0 NOT NULL, 
    birthday TEXT DEFAULT '' NOT NULL, 
    description TEXT DEFAULT '' NOT NULL, 
    level TEXT DEFAULT '' NOT NULL, 
    major TEXT DEFAULT '' NOT NULL, 
    real_name_verified INTEGER DEFAULT 0 NOT NULL, 
    refund_rate REAL DEFAULT 0 NOT NULL, 
    dispute_rate REAL DEFAULT 0 NOT NULL, 
    serve_num INTEGER DEFAULT 0 NOT NULL, 
    work_num INTEGER DEFAULT 0 NOT NULL, 
    UNIQUE (phone), 
    UNIQUE (public_id), 
    UNIQUE (username)
)
 STRICT;

CREATE UNIQUE INDEX accounts_email_owner ON accounts (email) WHERE email_verified = 1;

CREATE INDEX ix_accounts_email ON accounts (email);

CREATE INDEX ix_accounts_nickname ON accounts (nickname);

CREATE TABLE apps (
    app_id INTEGER NOT NULL, 
    name TEXT NOT NULL, 
    appkey TEXT NOT NULL, 
    secret_sealed BLOB NOT NULL, 
    cookie_prefix TEXT DEFAULT '' NOT NULL, 
    cookie_domain TEXT DEFAULT '' NOT NULL, 
    host_only_cookies INTEGER DEFAULT 0 NOT NULL, 
    app_name TEXT DEFAULT '' NOT NULL, 
    business_type TEXT DEFAULT '' NOT NULL, 
    host TEXT DEFAULT '' NOT NULL, 
    captcha TEXT DEFAULT '' NOT NULL, 
    hardened INTEGER DEFAULT 0 NOT NULL, 
    device_sign TEXT DEFAULT '' NOT NULL, 
    session_rule TEXT DEFAULT '' NOT NULL, 
    auto_register INTEGER DEFAULT 0 NOT NULL, 
    exist_calls INTEGER DEFAULT 0 NOT NULL, 
    sign_required INTEGER DEFAULT 0 NOT NULL, 
    mirror_status INTEGER DEFAULT 0 NOT NULL, 
    password_min INTEGER DEFAULT 0 NOT NULL, 
    sms_per_day INTEGER DEFAULT 0 NOT NULL, 
    disabled INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (app_id), 
    UNIQUE (appkey), 
    UNIQUE (name)
)
 STRICT;

CREATE UNIQUE INDEX apps_host ON apps (host) WHERE host != '';

CREATE TABLE audit (
    id INTEGER NOT NULL, 
    at INTEGER NOT NULL, 
    tag TEXT NOT NULL, 
    account_number INTEGER, 
    app_id INTEGER, 
    dialect TEXT DEFAULT '' NOT NULL, 
    ip TEXT DEFAULT '' NOT NULL, 
    subject TEXT DEFAULT '' NOT NULL, 
    reason TEXT DEFAULT '' NOT NULL, 
    session_id TEXT DEFAULT '' NOT NULL, 
    PRIMARY KEY (id)
)
 STRICT;

CREATE INDEX audit_account ON audit (account_number, at);

CREATE INDEX ix_audit_at ON audit (at);

CREATE TABLE captcha_images (
    digest BLOB NOT NULL, 
    app_id INTEGER DEFAULT 0 NOT NULL, 
    answer_mac BLOB, 
    expires_at INTEGER NOT NULL, 
    PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_captcha_images_expires_at ON captcha_images (expires_at);

CREATE TABLE captcha_nonces (
    nonce TEXT NOT NULL, 
    expires_at INTEGER NOT NULL, 
    PRIMARY KEY (nonce)
)
 STRICT;

CREATE INDEX ix_captcha_nonces_expires_at ON captcha_nonces (expires_at);

CREATE TABLE captcha_passes (
    digest BLOB NOT NULL, 
    app_id INTEGER DEFAULT 0 NOT NULL, 
    network TEXT DEFAULT '' NOT NULL, 
    spent_on TEXT DEFAULT ' ' NOT NULL, 
    expires_at INTEGER NOT NULL, 
    PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_captcha_passes_expires_at ON captcha_passes (expires_at);

CREATE TABLE codes (
    app_id INTEGER NOT NULL, 
    purpose TEXT NOT NULL, 
    subject TEXT NOT NULL, 
    code_mac BLOB NOT NULL, 
    captcha BLOB NOT NULL, 
    tries INTEGER DEFAULT 0 NOT NULL, 
    created_at INTEGER DEFAULT 0 NOT NULL, 
    expires_at INTEGER NOT NULL, 
    verified_at INTEGER DEFAULT 0 NOT NULL, 
    spent_at INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (app_id, purpose, subject)
)
 STRICT;

CREATE INDEX ix_codes_expires_at ON codes (expires_at);

CREATE INDEX ix_codes_subject ON codes (subject);

CREATE TABLE counters (
    "key" BLOB NOT NULL, 
    tries INTEGER DEFAULT 0 NOT NULL, 
    since INTEGER DEFAULT 0 NOT NULL, 
    expires_at INTEGER NOT NULL, 
    PRIMARY KEY ("key")
)
 STRICT;

CREATE INDEX ix_counters_expires_at ON counters (expires_at);

CREATE TABLE installation (
    id INTEGER NOT NULL, 
    epoch INTEGER DEFAULT 1 NOT NULL, 
    created_at INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (id)
)
 STRICT;

CREATE TABLE known_devices (
    account_number INTEGER NOT NULL, 
    device BLOB NOT NULL, 
    first_seen INTEGER DEFAULT 0 NOT NULL, 
    last_seen INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (account_number, device)
)
 STRICT;

CREATE TABLE outbox (
    message_id INTEGER NOT NULL, 
    channel TEXT DEFAULT '' NOT NULL, 
    template TEXT DEFAULT '' NOT NULL, 
    body_sealed BLOB NOT NULL, 
    created_at INTEGER DEFAULT 0 NOT NULL, 
    sent_at INTEGER DEFAULT 0 NOT NULL, 
    failures INTEGER DEFAULT 0 NOT NULL, 
    next_try_at INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (message_id)
)
 STRICT;

CREATE INDEX outbox_due ON outbox (sent_at, next_try_at);

CREATE TABLE quota_uses (
    id INTEGER NOT NULL, 
    "key" BLOB NOT NULL, 
    at INTEGER DEFAULT 0 NOT NULL, 
    expires_at INTEGER NOT NULL, 
    PRIMARY KEY (id)
)
 STRICT;

CREATE INDEX ix_quota_uses_expires_at ON quota_uses (expires_at);

CREATE INDEX quota_uses_key ON quota_uses ("key", at);

CREATE TABLE sessions (
    session_id TEXT NOT NULL, 
    token_digest BLOB NOT NULL, 
    refresh_digest BLOB, 
    account_number INTEGER NOT NULL, 
    app_id INTEGER DEFAULT 0 NOT NULL, 
    dialect TEXT DEFAULT '' NOT NULL, 
    platform TEXT DEFAULT '' NOT NULL, 
    slot TEXT, 
    device_id TEXT DEFAULT '' NOT NULL, 
    device_model TEXT DEFAULT '' NOT NULL, 
    device_name TEXT DEFAULT '' NOT NULL, 
    ip TEXT DEFAULT '' NOT NULL, 
    created_at INTEGER DEFAULT 0 NOT NULL, 
    seen_at INTEGER DEFAULT 0 NOT NULL, 
    proved_at INTEGER DEFAULT 0 NOT NULL, 
    expires_at INTEGER DEFAULT 0 NOT NULL, 
    ends_at INTEGER DEFAULT 0 NOT NULL, 
    sliding_ms INTEGER DEFAULT 0 NOT NULL, 
    refresh_expires_at INTEGER DEFAULT 0 NOT NULL, 
    epoch INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (session_id), 
    UNIQUE (token_digest)
)
 STRICT;

CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE UNIQUE INDEX sessions_slot ON sessions (account_number, slot);

CREATE TABLE spent_refreshes (
    digest BLOB NOT NULL, 
    session_id TEXT NOT NULL, 
    account_number INTEGER DEFAULT 0 NOT NULL, 
    spent_at INTEGER NOT NULL, 
    PRIMARY KEY (digest)
)
 STRICT;

CREATE INDEX ix_spent_refreshes_spent_at ON spent_refreshes (spent_at);

INSERT INTO installation (id, epoch, created_at) VALUES (1, 1, 0);
