"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
ZERO = sa.text("0")


def upgrade() -> None:
    """Everything there was at the first release."""
    op.create_table(
        "accounts",
        sa.Column("number", INT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("username_shown", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("phone_verified", INT, server_default=ZERO, nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_verified", INT, server_default=ZERO, nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("roles", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("password_version", INT, server_default=ZERO, nullable=False),
        sa.Column("password_changed_at", INT, server_default=ZERO, nullable=False),
        sa.Column("created_at", INT, server_default=ZERO, nullable=False),
        sa.Column("updated_at", INT, server_default=ZERO, nullable=False),
        sa.Column("login_at", INT, server_default=ZERO, nullable=False),
        sa.Column("login_ip", sa.Text(), server_default="", nullable=False),
        sa.Column("previous_login_at", INT, server_default=ZERO, nullable=False),
        sa.Column("previous_login_ip", sa.Text(), server_default="", nullable=False),
        sa.Column("nickname", sa.Text(), server_default="", nullable=False),
        sa.Column("avatar_url", sa.Text(), server_default="", nullable=False),
        sa.Column("city", sa.Text(), server_default="", nullable=False),
        sa.Column("province", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("gender", INT, server_default=ZERO, nullable=False),
        sa.Column("birthday", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("level", sa.Text(), server_default="", nullable=False),
        sa.Column("major", sa.Text(), server_default="", nullable=False),
        sa.Column("real_name_verified", INT, server_default=ZERO, nullable=False),
        sa.Column("refund_rate", REAL, server_default=ZERO, nullable=False),
        sa.Column("dispute_rate", REAL, server_default=ZERO, nullable=False),
        sa.Column("serve_num", INT, server_default=ZERO, nullable=False),
        sa.Column("work_num", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("phone"),
        sa.UniqueConstraint("public_id"),
        sa.UniqueConstraint("username"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(
        "accounts_email_owner",
        "accounts",
        ["email"],
        unique=True,
        sqlite_where=sa.text("email_verified = 1"),
        postgresql_where=sa.text("email_verified = 1"),
    )
    op.create_index("ix_accounts_email", "accounts", ["email"])
    op.create_index("ix_accounts_nickname", "accounts", ["nickname"])
    op.create_table(
        "apps",
        sa.Column("app_id", INT, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("appkey", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("cookie_prefix", sa.Text(), server_default="", nullable=False),
        sa.Column("cookie_domain", sa.Text(), server_default="", nullable=False),
        sa.Column("host_only_cookies", INT, server_default=ZERO, nullable=False),
        sa.Column("app_name", sa.Text(), server_default="", nullable=False),
        sa.Column("business_type", sa.Text(), server_default="", nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("captcha", sa.Text(), server_default="", nullable=False),
        sa.Column("hardened", INT, server_default=ZERO, nullable=False),
        sa.Column("device_sign", sa.Text(), server_default="", nullable=False),
        sa.Column("session_rule", sa.Text(), server_default="", nullable=False),
        sa.Column("auto_register", INT, server_default=ZERO, nullable=False),
        sa.Column("exist_calls", INT, server_default=ZERO, nullable=False),
        sa.Column("sign_required", INT, server_default=ZERO, nullable=False),
        sa.Column("mirror_status", INT, server_default=ZERO, nullable=False),
        sa.Column("password_min", INT, server_default=ZERO, nullable=False),
        sa.Column("sms_per_day", INT, server_default=ZERO, nullable=False),
        sa.Column("disabled", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("app_id"),
        sa.UniqueConstraint("appkey"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index(
        "apps_host",
        "apps",
        ["host"],
        unique=True,
        sqlite_where=sa.text("host != ''"),
        postgresql_where=sa.text("host != ''"),
    )
    op.create_table(
        "audit",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("account_number", INT, nullable=True),
        sa.Column("app_id", INT, nullable=True),
        sa.Column("dialect", sa.Text(), server_default="", nullable=False),
        sa.Column("ip", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("session_id", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("audit_account", "audit", ["account_number", "at"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "captcha_images",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", INT, server_default=ZERO, nullable=False),
        sa.Column("answer_mac", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_captcha_images_expires_at", "captcha_images", ["expires_at"])
    op.create_table(
        "captcha_nonces",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("nonce"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_captcha_nonces_expires_at", "captcha_nonces", ["expires_at"])
    op.create_table(
        "captcha_passes",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", INT, server_default=ZERO, nullable=False),
        sa.Column("network", sa.Text(), server_default="", nullable=False),
        sa.Column("spent_on", sa.Text(), server_default=" ", nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_captcha_passes_expires_at", "captcha_passes", ["expires_at"])
    op.create_table(
        "codes",
        sa.Column("app_id", INT, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("code_mac", sa.LargeBinary(), nullable=False),
        sa.Column("captcha", sa.LargeBinary(), nullable=False),
        sa.Column("tries", INT, server_default=ZERO, nullable=False),
        sa.Column("created_at", INT, server_default=ZERO, nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.Column("verified_at", INT, server_default=ZERO, nullable=False),
        sa.Column("spent_at", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "purpose", "subject"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_codes_expires_at", "codes", ["expires_at"])
    op.create_index("ix_codes_subject", "codes", ["subject"])
    op.create_table(
        "counters",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("tries", INT, server_default=ZERO, nullable=False),
        sa.Column("since", INT, server_default=ZERO, nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_counters_expires_at", "counters", ["expires_at"])
    op.create_table(
        "installation",
        sa.Column("id", INT, autoincrement=False, nullable=False),
        sa.Column("epoch", INT, server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_table(
        "known_devices",
        sa.Column("account_number", INT, nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("first_seen", INT, server_default=ZERO, nullable=False),
        sa.Column("last_seen", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("account_number", "device"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", INT, autoincrement=True, nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("template", sa.Text(), server_default="", nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INT, server_default=ZERO, nullable=False),
        sa.Column("sent_at", INT, server_default=ZERO, nullable=False),
        sa.Column("failures", INT, server_default=ZERO, nullable=False),
        sa.Column("next_try_at", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("outbox_due", "outbox", ["sent_at", "next_try_at"])
    op.create_table(
        "quota_uses",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", INT, server_default=ZERO, nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_quota_uses_expires_at", "quota_uses", ["expires_at"])
    op.create_index("quota_uses_key", "quota_uses", ["key", "at"])
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_digest", sa.LargeBinary(), nullable=True),
        sa.Column("account_number", INT, nullable=False),
        sa.Column("app_id", INT, server_default=ZERO, nullable=False),
        sa.Column("dialect", sa.Text(), server_default="", nullable=False),
        sa.Column("platform", sa.Text(), server_default="", nullable=False),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("device_id", sa.Text(), server_default="", nullable=False),
        sa.Column("device_model", sa.Text(), server_default="", nullable=False),
        sa.Column("device_name", sa.Text(), server_default="", nullable=False),
        sa.Column("ip", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", INT, server_default=ZERO, nullable=False),
        sa.Column("seen_at", INT, server_default=ZERO, nullable=False),
        sa.Column("proved_at", INT, server_default=ZERO, nullable=False),
        sa.Column("expires_at", INT, server_default=ZERO, nullable=False),
        sa.Column("ends_at", INT, server_default=ZERO, nullable=False),
        sa.Column("sliding_ms", INT, server_default=ZERO, nullable=False),
        sa.Column("refresh_expires_at", INT, server_default=ZERO, nullable=False),
        sa.Column("epoch", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
        sa.UniqueConstraint("token_digest"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("sessions_expiry", "sessions", ["expires_at"])
    op.create_index("sessions_slot", "sessions", ["account_number", "slot"], unique=True)
    op.create_table(
        "spent_refreshes",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("account_number", INT, server_default=ZERO, nullable=False),
        sa.Column("spent_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_spent_refreshes_spent_at", "spent_refreshes", ["spent_at"])
    op.execute("INSERT INTO installation (id, epoch, created_at) VALUES (1, 1, 0)")
