"""Each statement is known to both databases, gives the columns that its reader expects, and is used."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from menshen.adapters.storage.sql.engines import transactions
from menshen.adapters.storage.sql.news import snapshot_watch
from menshen.adapters.storage.sql.repositories import rows
from menshen.adapters.storage.sql.statements import reader
from menshen.adapters.storage.sql.statements.reader import Database, Statement, Statements, columns, read

REPOSITORIES: dict[str, Statements] = vars(transactions.AllStatements("postgresql"))
READERS: dict[str, type[Statements]] = {each.file: type(each) for each in REPOSITORIES.values()} | {
    "snapshot_watch": snapshot_watch.WatchStatements
}
SQLITE = [(file, name) for file in READERS for name in read(file, "sqlite")]
POSTGRESQL = [(file, name) for file in READERS for name in read(file, "postgresql")]

ACCOUNT = (*rows.ACCOUNT_FIELDS, *rows.PROFILE_FIELDS)
APP = tuple("secret_sealed" if name == "secret" else name for name in rows.APP_FIELDS)
MESSAGE = (
    "message_id", "body_sealed", "channel", "template", "created_at", "sent_at", "failures", "next_try_at", "sender",
    "tried_at", "verdict", "asked", "receipt", "parts", "outcome",
)  # fmt: skip
STORED_MESSAGE = (*MESSAGE, "superseded")
CHECKED = (
    "session_id", "public_id", "number", "roles", "expires_at", "ends_at", "seen_at", "sliding_ms", "phone_verified",
    "email_verified", "level",
)  # fmt: skip
FACTOR = ("kind", "secret_sealed", "counter", "confirmed_at", "used_at", "begun_sealed", "begun_until")
TICKET = ("ticket_id", "expires_at", "created_at", "fetches")
RESULTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("accounts", "by_number"): ACCOUNT,
    ("accounts", "by_public_id"): ACCOUNT,
    ("accounts", "owner_of_username"): ACCOUNT,
    ("accounts", "owner_of_phone"): ACCOUNT,
    ("accounts", "owner_of_email"): ACCOUNT,
    ("accounts", "claims_of_username"): ACCOUNT,
    ("accounts", "claims_of_phone"): ACCOUNT,
    ("accounts", "claims_of_email"): ACCOUNT,
    ("accounts", "nickname_taken"): ("number",),
    ("accounts", "add"): ACCOUNT,
    ("accounts", "hold"): ACCOUNT,
    ("accounts", "hold_owner_of_username"): ACCOUNT,
    ("accounts", "hold_owner_of_phone"): ACCOUNT,
    ("accounts", "hold_owner_of_email"): ACCOUNT,
    ("accounts", "record_login"): ACCOUNT,
    ("accounts", "record_login_by_code"): ACCOUNT,
    ("accounts", "due_to_close"): ("number",),
    ("accounts", "drop_phone_claims"): ("number",),
    ("accounts", "drop_email_claims"): ("number",),
    ("captchas", "spend_challenge"): ("nonce",),
    ("upkeep", "clock"): ("marked_at", "instant"),
    ("upkeep", "epochs"): ("epoch", "cleared_epoch"),
    ("upkeep", "clearing"): ("epoch", "reached"),
    ("upkeep", "clearing_until"): ("session_id",),
    ("sessions", "check"): CHECKED,
    ("sessions", "find"): (*rows.SESSION_FIELDS, *ACCOUNT),
    ("sessions", "hold"): ("number",),
    ("sessions", "account_of"): ACCOUNT,
    ("sessions", "list_of"): rows.SESSION_FIELDS,
    ("sessions", "make_room"): ("session_id", "live"),
    ("sessions", "rotate"): ("session_id",),
    ("sessions", "holds"): ("session_id",),
    ("sessions", "find_spent_refresh"): (
        "session_id", "account_number", "spent_at", "successor_sealed", "successor_retried", "refresh_paid_until",
    ),
    ("sessions", "end_by_token"): ("session_id", "account_number"),
    ("sessions", "lock_rivals"): ("session_id",),
    ("sessions", "end_all"): ("session_id",),
    ("codes", "find"): ("captcha", "open", "asked_by", "others_tries"),
    ("codes", "take"): ("spent_at",),
    ("codes", "verify"): ("verified_at",),
    ("codes", "consume"): ("spent_at",),
    ("codes", "stands"): ("spent_at",),
    ("captchas", "spend_nonce"): ("nonce",),
    ("captchas", "spend_pass"): ("app_id",),
    ("captchas", "set_answer"): ("app_id",),
    ("captchas", "answer"): ("fits",),
    ("counters", "hit"): ("tries", "since"),
    ("counters", "forget"): ("key", "tries"),
    ("counters", "peek"): ("tries",),
    ("counters", "uses_since"): ("uses",),
    ("counters", "use_after_skipping"): ("at",),
    ("devices", "known"): ("device",),
    ("devices", "remember"): ("first_seen",),
    ("devices", "list_of"): ("first_seen", "last_seen"),
    ("apps", "by_appkey"): APP,
    ("apps", "by_host"): APP,
    ("apps", "by_name"): APP,
    ("apps", "hold"): APP,
    ("apps", "list_all"): APP,
    ("apps", "add"): ("app_id",),
    ("pages/app_pages", "list_all"): ("app_id", "settings"),
    ("pages/app_pages", "find"): ("settings",),
    ("pages/app_pages", "logo"): ("kind", "bytes"),
    ("outbox", "newest"): STORED_MESSAGE,
    ("outbox", "due"): STORED_MESSAGE,
    ("outbox", "waiting"): STORED_MESSAGE,
    ("outbox", "put"): ("message_id",),
    ("outbox", "claim"): ("message_id",),
    ("outbox", "get"): STORED_MESSAGE,
    ("outbox", "find_receipt"): STORED_MESSAGE,
    ("outbox", "backlog"): ("waiting", "oldest"),
    ("outbox", "under_way"): ("sender",),
    **{
        ("outbox", name): ("message_id",)
        for name in ("shelve", "shelve_abandoned", "note_outcome")
    },
    ("outbox", "free_abandoned"): ("message_id", "tried_at"),
    ("traffic", "charge_sender"): ("messages", "parts", "cost_micros"),
    ("traffic", "senders_of_day"): ("sender", "messages", "parts", "cost_micros"),
    **{
        ("audit", name): ("id", *rows.EVENT_FIELDS)
        for name in (
            "newest", "newest_of_account", "newest_of_owner", "newest_of_network", "newest_of_tag", "newest_of_request",
        )
    },
    **{
        ("audit", name): ("address", "tag", "reason", "events", "latest")
        for name in ("counts", "counts_of_account", "counts_of_network", "counts_of_tag")
    },
    ("traffic", "of_prefix"): ("all_sent", "all_verified"),
    ("traffic", "list_all"): ("prefix", "country", "all_sent", "all_verified"),
    ("imports", "known"): ("source_number", "mark", "number", "status", "password_version"),
    ("imports", "hold"): ("number",),
    ("imports", "token_known"): ("digest",),
    ("imports", "number_taken"): ("number",),
    ("imports", "username_taken"): ("username",),
    ("imports", "phone_taken"): ("phone", "phone_verified"),
    ("imports", "email_taken"): ("email",),
    ("imports", "email_claimed"): ("email",),
    ("imports", "reserve_numbers"): ("setval",),
    ("imports", "add_numbered"): ("public_id", "number"),
    ("imports", "add"): ("public_id", "number"),
    ("imports", "note_token"): ("digest",),
    ("imports", "add_session"): ("session_id",),
    ("hash_heads", "list_all"): ("head", "noted_at"),
    ("hash_heads", "walk"): ("number", "head"),
    ("upkeep", "raise_epoch"): ("epoch",),
    ("proofs/factors", "list_of"): FACTOR,
    ("proofs/factors", "find"): FACTOR,
    ("proofs/passkeys", "find"): rows.PASSKEY_FIELDS,
    ("proofs/passkeys", "list_of"): rows.PASSKEY_FIELDS,
    ("proofs/passkeys", "add"): ("passkey_id",),
    ("proofs/passkeys", "handle_of"): ("handle",),
    ("proofs/passkeys", "rp_ids"): ("rp_id", "accounts"),
    ("proofs/recovery_codes", "left"): ("codes",),
    ("proofs/recovery_codes", "holds"): ("mac",),
    ("proofs/pending_logins", "find"): rows.PENDING_FIELDS,
    ("proofs/pending_logins", "count_step"): ("tries",),
    ("proofs/pending_logins", "take"): rows.PENDING_FIELDS,
    ("proofs/trusted_devices", "use"): rows.TRUSTED_FIELDS,
    ("proofs/trusted_devices", "revoke_spent"): ("trust_id", "account_number"),
    ("proofs/trusted_devices", "list_of"): rows.TRUSTED_FIELDS,
    ("owner/agreements", "list_of"): ("kind", "version", "app_id", "agreed_at", "ip"),
    ("owner/security_links", "find"): rows.LINK_FIELDS,
    ("owner/security_links", "burn"): rows.LINK_FIELDS,
    ("owner/export_tickets", "fetch"): TICKET,
    ("owner/export_tickets", "list_of"): TICKET,
    ("snapshot_watch", "snapshot"): ("snapshot",),
    ("snapshot_watch", "check_all"): ("token_digest", *CHECKED),
}  # fmt: skip
"""The columns of each statement that answers with rows, in the order in which they are read."""

NARROW = {("hash_heads", "walk"): {"longest"}}
"""Parameters that PostgreSQL may take as 32 bits."""


@pytest.mark.parametrize(("file", "name"), SQLITE)
def test_sqlite_knows_it(sqlite_template: Path, file: str, name: str) -> None:
    statement = read(file, "sqlite")[name]
    assert statement.text.count("?") == len(statement.names)
    with closing(sqlite3.connect(sqlite_template)) as connection:
        # The program of the statement tells how many columns a row has, without any row.
        program = connection.execute(f"EXPLAIN {statement.text}", [None] * len(statement.names)).fetchall()
    assert {row[3] for row in program if row[1] == "ResultRow"} <= {len(RESULTS.get((file, name), ()))}


@pytest.mark.parametrize(("file", "name"), POSTGRESQL)
async def test_postgres_knows_it(postgres_emptied: str, file: str, name: str) -> None:
    statement = read(file, "postgresql")[name]
    connection = await asyncpg.connect(postgres_emptied)
    try:
        prepared = await connection.prepare(statement.text)
        attributes, parameters = prepared.get_attributes(), prepared.get_parameters()
    finally:
        connection.terminate()
    assert tuple(attribute.name for attribute in attributes) == RESULTS.get((file, name), ())
    types = {each: kind.name for each, kind in zip(statement.names, parameters, strict=True)}
    # Without a cast, `:now` beside a small number is taken for 32 bits, which an instant does not fit in.
    narrow = {each for each, kind in types.items() if kind not in {"int8", "text", "bytea", "bytea[]", "float8"}}
    assert narrow == NARROW.get((file, name), set()), types


def test_the_lists_of_columns_are_those_of_the_records() -> None:
    assert columns() == {
        "account": list(ACCOUNT[1:]),
        "session": list(rows.SESSION_FIELDS),
        "app": list(APP[1:]),
        "event": list(rows.EVENT_FIELDS),
        "message": list(MESSAGE),
        "passkey": list(rows.PASSKEY_FIELDS),
        "pending_login": list(rows.PENDING_FIELDS),
        "trusted_device": list(rows.TRUSTED_FIELDS),
        "security_link": list(rows.LINK_FIELDS),
    }
    assert (ACCOUNT[0], APP[0]) == ("number", "app_id")


def test_each_field_of_a_profile_is_changed_and_emptied() -> None:
    accounts = read("accounts", "sqlite")
    assert set(rows.PROFILE_FIELDS) <= set(accounts["set_profile"].names)
    emptied = set(re.findall(r"\b(\w+) = (?:0|'')(?=[,\s])", accounts["close"].text))
    assert set(rows.PROFILE_FIELDS) <= emptied


def test_every_file_has_a_reader() -> None:
    assert set(reader.files()) == set(READERS)
    assert {(name, each.file.rpartition("/")[2]) for name, each in REPOSITORIES.items()} == {
        (name, name) for name in REPOSITORIES
    }


@pytest.mark.parametrize(("file", "name"), POSTGRESQL)
def test_it_is_used(file: str, name: str) -> None:
    source = Path(import_module(READERS[file].__module__).__file__ or "").read_text("utf-8")
    assert re.search(rf"\bst\.{name}\b|\b_st\.{name}\b", source)


def test_what_is_remembered_is_confirmed_as_it_was_found() -> None:
    one, many = read("sessions", "postgresql")["check"], read("snapshot_watch", "postgresql")["check_all"]
    assert many.text.replace("s.token_digest, ", "", 1).replace("= ANY($1)", "= $1") == one.text


# --- the reader -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Patched: the program's own files are the only ones that it reads.
    monkeypatch.setattr(reader, "HERE", tmp_path)
    return tmp_path


def text_of(folder: Path, body: str, database: Database) -> Statement:
    (folder / "tried.sql").write_text(f"-- Of the file.\n\n-- name: one\n{body}\n", "utf-8")
    return read("tried", database)["one"]


@pytest.mark.parametrize(
    ("body", "sqlite", "postgresql", "names"),
    [
        ("SELECT :a, :b, :a;", "SELECT ?, ?, ?", "SELECT $1, $2, $1", ["a", "b", "a"]),
        ("SELECT ':a', 'it''s :b', :c", "SELECT ':a', 'it''s :b', ?", "SELECT ':a', 'it''s :b', $1", ["c"]),
        ('SELECT ":a", :b', 'SELECT ":a", ?', 'SELECT ":a", $1', ["b"]),
        ("SELECT :a::text", "SELECT ?::text", "SELECT $1::text", ["a"]),
        ("-- Why :x; it's so.\nSELECT 1 -- {none}\n  + :a", "SELECT 1\n  + ?", "SELECT 1\n  + $1", ["a"]),
        ("SELECT 'a -- b', :c", "SELECT 'a -- b', ?", "SELECT 'a -- b', $1", ["c"]),
    ],
)
def test_it_puts_parameters_where_they_are(
    folder: Path, body: str, sqlite: str, postgresql: str, names: list[str]
) -> None:
    assert text_of(folder, body, "sqlite") == Statement(sqlite, tuple(names))
    assert text_of(folder, body, "postgresql") == Statement(postgresql, tuple(dict.fromkeys(names)))


def test_it_fills_in_lists_of_columns() -> None:
    text = read("sessions", "sqlite")["find"].text
    assert text.startswith("SELECT s.session_id, s.account_number, s.app_id, ")
    assert "a.number, a.public_id, a.username, " in text
    assert read("audit", "postgresql")["append"].text.endswith("VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")


def test_a_text_may_be_for_one_database(folder: Path) -> None:
    (folder / "tried.sql").write_text("-- name: a (sqlite)\nA;\n-- name: b\nB;\n-- name: a (postgresql)\nC;", "utf-8")
    assert {name: made.text for name, made in read("tried", "sqlite").items()} == {"a": "A", "b": "B"}
    assert {name: made.text for name, made in read("tried", "postgresql").items()} == {"a": "C", "b": "B"}


def test_two_of_one_name_are_refused(folder: Path) -> None:
    (folder / "tried.sql").write_text("-- name: a\nA;\n-- name: a\nB;", "utf-8")
    with pytest.raises(LookupError, match=r"tried\.sql has two statements a"):
        read("tried", "sqlite")


class Wanted(Statements, file="tried"):
    one: Statement
    other: Statement | None = None


@pytest.mark.parametrize("heads", ["-- name: onne\n", "-- name: one\n-- name: more\n", "-- name: other\n"])
def test_a_misspelt_name_fails_when_a_store_opens(folder: Path, heads: str) -> None:
    (folder / "tried.sql").write_text(heads, "utf-8")
    with pytest.raises(LookupError, match=r"tried\.sql and its declarations differ"):
        Wanted("sqlite")


def test_what_one_database_alone_has_is_none_on_the_other(folder: Path) -> None:
    (folder / "tried.sql").write_text("-- name: one\nA;\n-- name: other (postgresql)\nB;", "utf-8")
    found: Any = Wanted("sqlite")
    assert found.other is None
    assert Wanted("postgresql").other == Statement("B", ())
