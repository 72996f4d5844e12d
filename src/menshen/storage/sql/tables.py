"""The schema as statements see it. The migrations make it; a test holds the two together.

Times are epoch ms in 64-bit integers, booleans 0 and 1, digests and sealed values bytes.
Columns that hold secrets, and how: password_hash (argon2id text), token_digest and refresh_digest and
digest (SHA-256 of 128 random bits), code_mac and answer_mac (HMAC under a key outside the database),
secret_sealed and body_sealed (authenticated encryption under the same).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

metadata = MetaData()

# SQLite's STRICT tables and its row ids know INTEGER only, which is 64 bits wide there.
Int = BigInteger().with_variant(Integer(), "sqlite")
Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")


def _int(name: str, default: str = "0") -> Column[int]:
    return Column(name, Int, nullable=False, server_default=text(default))


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _table(name: str, *parts: Column[Any] | Index | PrimaryKeyConstraint, autoincrement: bool = False) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_autoincrement=autoincrement)


def _partial_unique(name: str, column: Column[Any], where: ColumnElement[bool]) -> Index:
    return Index(name, column, unique=True, sqlite_where=where, postgresql_where=where)


installation = _table(
    "installation",
    Column("id", Int, primary_key=True, autoincrement=False),
    _int("epoch", "1"),
    _int("created_at"),
    # The least schema that a program must know to work on this one.
    Column("oldest_program", Text, nullable=False, server_default="0001"),
)

accounts = _table(
    "accounts",
    Column("number", Int, primary_key=True, autoincrement=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("username", Text, unique=True),
    Column("username_shown", Text),
    Column("phone", Text, unique=True),
    _int("phone_verified"),
    Column("email", Text, index=True),
    _int("email_verified"),
    Column("status", Text, nullable=False, server_default="active"),
    _text("roles"),
    _text("password_hash"),
    _int("password_version"),
    _int("password_changed_at"),
    _int("created_at"),
    _int("updated_at"),
    _int("login_at"),
    _text("login_ip"),
    _int("previous_login_at"),
    _text("previous_login_ip"),
    Column("nickname", Text, nullable=False, server_default="", index=True),
    _text("avatar_url"),
    _text("city"),
    _text("province"),
    _text("country"),
    _int("gender"),
    _text("birthday"),
    _text("description"),
    _text("level"),
    _text("major"),
    _int("real_name_verified"),
    Column("refund_rate", Real, nullable=False, server_default=text("0")),
    Column("dispute_rate", Real, nullable=False, server_default=text("0")),
    _int("serve_num"),
    _int("work_num"),
    autoincrement=True,
)
# A proved address belongs to one account; unproved claims may repeat.
_partial_unique("accounts_email_owner", accounts.c.email, accounts.c.email_verified == 1)

sessions = _table(
    "sessions",
    Column("session_id", Text, primary_key=True),
    Column("token_digest", LargeBinary, nullable=False, unique=True),
    Column("refresh_digest", LargeBinary),
    Column("account_number", Int, nullable=False),
    _int("app_id"),
    _text("dialect"),
    _text("platform"),
    Column("slot", Text),
    _text("device_id"),
    _text("device_model"),
    _text("device_name"),
    _text("ip"),
    _int("created_at"),
    _int("seen_at"),
    _int("proved_at"),
    _int("expires_at"),
    _int("ends_at"),
    _int("sliding_ms"),
    _int("refresh_expires_at"),
    _int("epoch"),
    # One live session per account and slot, whatever races.
    Index("sessions_slot", "account_number", "slot", unique=True),
    Index("sessions_expiry", "expires_at"),
)

# On PostgreSQL triggers of the migration write it; SQLite's readers look at the sessions themselves.
revocations = _table(
    "revocations",
    Column("id", Int, primary_key=True, autoincrement=True),
    Column("xid", Int, nullable=False, index=True),
    _int("at"),
    Column("token_digest", LargeBinary),
    Column("account_number", Int),
    autoincrement=True,
)

# What came from another program, so that it comes once: numbers and digests of tokens, no names.
imported_accounts = _table(
    "imported_accounts",
    Column("source", Text, nullable=False),
    Column("source_number", Int, nullable=False),
    _int("mark"),
    Column("account_number", Int, nullable=False),
    PrimaryKeyConstraint("source", "source_number"),
)

imported_tokens = _table(
    "imported_tokens",
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_at", Int, nullable=False, index=True),
)

# What stored hashes may cost to judge, so that refusals can be levelled to the dearest.
hash_heads = _table(
    "hash_heads",
    Column("head", Text, primary_key=True),
    _int("noted_at"),
)

spent_refreshes = _table(
    "spent_refreshes",
    Column("digest", LargeBinary, primary_key=True),
    Column("session_id", Text, nullable=False),
    _int("account_number"),
    Column("spent_at", Int, nullable=False, index=True),
)

codes = _table(
    "codes",
    Column("app_id", Int, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("code_mac", LargeBinary, nullable=False),
    Column("captcha", LargeBinary, nullable=False),
    _int("tries"),
    _int("created_at"),
    Column("expires_at", Int, nullable=False, index=True),
    _int("verified_at"),
    _int("spent_at"),
    PrimaryKeyConstraint("app_id", "purpose", "subject"),
)

# What is good once: solved challenges, and digests of hmac device signs.
captcha_nonces = _table(
    "captcha_nonces",
    Column("nonce", Text, primary_key=True),
    Column("expires_at", Int, nullable=False, index=True),
)

captcha_passes = _table(
    "captcha_passes",
    Column("digest", LargeBinary, primary_key=True),
    _int("app_id"),
    _text("network"),
    # Actions it was spent on, each between blanks: " login_code send_code ".
    Column("spent_on", Text, nullable=False, server_default=" "),
    _int("difficulty", "1"),
    Column("expires_at", Int, nullable=False, index=True),
)

captcha_images = _table(
    "captcha_images",
    Column("digest", LargeBinary, primary_key=True),
    _int("app_id"),
    Column("answer_mac", LargeBinary),
    Column("expires_at", Int, nullable=False, index=True),
)

counters = _table(
    "counters",
    Column("key", LargeBinary, primary_key=True),
    _int("tries"),
    _int("since"),
    Column("expires_at", Int, nullable=False, index=True),
)

quota_uses = _table(
    "quota_uses",
    Column("id", Int, primary_key=True, autoincrement=True),
    Column("key", LargeBinary, nullable=False),
    _int("at"),
    Column("expires_at", Int, nullable=False, index=True),
    Index("quota_uses_key", "key", "at"),
)

sms_traffic = _table(
    "sms_traffic",
    Column("day", Int, nullable=False),
    Column("prefix", Text, nullable=False),
    _text("country"),
    _int("sent"),
    _int("verified"),
    PrimaryKeyConstraint("day", "prefix"),
)

known_devices = _table(
    "known_devices",
    Column("account_number", Int, nullable=False),
    Column("device", LargeBinary, nullable=False),
    _int("first_seen"),
    _int("last_seen"),
    PrimaryKeyConstraint("account_number", "device"),
)

apps = _table(
    "apps",
    Column("app_id", Int, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("appkey", Text, nullable=False, unique=True),
    Column("secret_sealed", LargeBinary, nullable=False),
    _text("cookie_prefix"),
    _text("cookie_domain"),
    _int("host_only_cookies"),
    _text("app_name"),
    _text("business_type"),
    Column("host", Text, nullable=False, server_default=""),
    _text("captcha"),
    _int("hardened"),
    _text("device_sign"),
    _text("session_rule"),
    _int("auto_register"),
    _int("exist_calls"),
    _int("sign_required"),
    _int("mirror_status"),
    _int("password_min"),
    _int("sms_per_day"),
    _int("disabled"),
)
_partial_unique("apps_host", apps.c.host, apps.c.host != "")

outbox = _table(
    "outbox",
    Column("message_id", Int, primary_key=True, autoincrement=True),
    _text("channel"),
    _text("template"),
    Column("body_sealed", LargeBinary, nullable=False),
    _int("created_at"),
    _int("sent_at"),
    _int("failures"),
    _int("next_try_at"),
    Index("outbox_due", "sent_at", "next_try_at"),
)

audit = _table(
    "audit",
    Column("id", Int, primary_key=True, autoincrement=True),
    Column("at", Int, nullable=False, index=True),
    Column("tag", Text, nullable=False),
    Column("account_number", Int),
    Column("app_id", Int),
    _text("dialect"),
    _text("ip"),
    _text("subject"),
    _text("reason"),
    _text("session_id"),
    Index("audit_account", "account_number", "at"),
)
