"""Migrating: once whoever races, all or nothing, from every schema there was, and never a newer one's data."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from menshen.adapters.storage.sql.engines.postgres import open_postgres
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.adapters.storage.sql.schema.catalogue import tables
from menshen.adapters.storage.sql.schema.migrate import HEAD, SchemaTooNewError, migrate_postgres, migrate_sqlite
from menshen.core.apps import App, CaptchaRule, DeviceSign, SessionRule
from menshen.core.identifiers import Identifier, Kind
from menshen.core.problems import Problem, ProblemCode
from menshen.core.time import NEVER
from menshen.core.tokens import digest
from menshen.ports.store.store import Store
from menshen.ports.store.unfit import UnfitError
from menshen.testing.store_contract.proofs.records import give_all, held_by
from menshen.testing.store_contract.records import NOW, open_session, session_of, settle
from tests.adapters.storage.migrations.scripts import revisions, script_to
from tests.adapters.storage.sealer import SEALER
from tests.faults.waiting import until
from tests.patience import LONG

ROOT = Path(__file__).parents[4]
OLD_ROWS = """
INSERT INTO accounts (public_id, username, username_shown, phone, phone_verified, roles, password_hash, created_at)
  VALUES ('id-of-alice', 'alice', 'Alice', '+8613544285662', 1, 'general_user', '$hash$', 1);
INSERT INTO accounts (public_id, username, username_shown, email) VALUES ('id-of-bob', 'bob', 'bob', 'b@b.example');
INSERT INTO audit (at, tag, account_number) VALUES (1, 'account.registered', 1);
UPDATE installation SET epoch = 7;
INSERT INTO sessions (session_id, token_digest, account_number, expires_at, ends_at, epoch)
  VALUES ('one', {token}, 1, {late}, {late}, 7);
INSERT INTO apps (app_id, name, appkey, secret_sealed, captcha, device_sign, session_rule)
  VALUES (1, 'shop', '12345678', {secret}, 'always', 'hmac', 'many');
"""


def run(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def mark(path: Path, revision: str, oldest: str = "") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.execute("UPDATE installation SET oldest_program = ?", (oldest or revision,))
        connection.commit()


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_it_is_done_once(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    assert [migrate_sqlite(path, LONG) for _ in range(3)] == [True, False, False]


async def test_it_is_done_once_on_postgres(postgres_url: str) -> None:
    assert [await migrate_postgres(postgres_url, LONG) for _ in range(3)] == [True, False, False]


def test_of_processes_that_start_together_one_does_it(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    code = (
        "import sys; from pathlib import Path; from menshen.adapters.storage.sql.schema.migrate import migrate_sqlite\n"
        "from tests.patience import LONG; print('here', flush=True); sys.stdin.readline()\n"
        "print(migrate_sqlite(Path(sys.argv[1]), LONG))"
    )
    racers = [run(code, str(path)) for _ in range(3)]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == b"here\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write(b"go\n")
        racer.stdin.flush()
    outcomes = sorted(racer.communicate(timeout=60)[0] for racer in racers)
    assert outcomes == [b"False\n", b"False\n", b"True\n"]
    assert set(tables()) <= tables_of(path)


def test_a_file_that_another_process_has_just_begun_is_waited_for(tmp_path: Path) -> None:
    """It is no WAL yet, and for the change to one SQLite waits for nobody by itself."""
    path = tmp_path / "menshen.db"
    code = (
        "import sqlite3, sys, time; other = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "other.execute('PRAGMA user_version = 1'); other.execute('BEGIN IMMEDIATE'); print('begun', flush=True)\n"
        "time.sleep(0.3); other.execute('CREATE TABLE theirs (x)'); other.execute('ROLLBACK')"
    )
    other = run(code, str(path))
    assert other.stdout
    assert other.stdout.readline() == b"begun\n"
    assert migrate_sqlite(path, LONG)
    other.communicate(timeout=60)
    assert set(tables()) <= tables_of(path)


async def test_of_nodes_that_start_together_one_does_it(postgres_url: str) -> None:
    outcomes = await asyncio.gather(*(migrate_postgres(postgres_url, LONG) for _ in range(6)))
    assert sorted(outcomes) == [False] * 5 + [True]


@pytest.mark.parametrize("statements", [1, 9, 40])
def test_a_migration_that_is_killed_has_not_happened(tmp_path: Path, statements: int) -> None:
    path = tmp_path / "menshen.db"
    code = (
        "import os, signal, sys; from pathlib import Path; from menshen.adapters.storage.sql.schema import migrate\n"
        "def killed(script, each=migrate._statements):\n"
        "    for n, statement in enumerate(each(script)):\n"
        "        if n == int(sys.argv[2]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield statement\n"
        "migrate._statements = killed; migrate.migrate_sqlite(Path(sys.argv[1]))"
    )
    killed = run(code, str(path), str(statements))
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not tables_of(path)
    assert migrate_sqlite(path, LONG)
    assert set(tables()) <= tables_of(path)


async def test_a_migration_of_postgres_that_is_killed_has_not_happened(postgres_url: str) -> None:
    code = (
        "import asyncio, sys; from menshen.adapters.storage.sql.schema import migrate\n"
        "from tests.patience import LONG\n"
        "whole = migrate.script\n"
        "migrate.script = lambda *args: whole(*args) + '; SELECT pg_sleep(60)'\n"
        "asyncio.run(migrate.migrate_postgres(sys.argv[1], LONG))"
    )
    killed = run(code, postgres_url)
    connection = await asyncpg.connect(postgres_url)
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    await until(lambda: connection.fetchval(sleeping))
    killed.kill()
    killed.communicate(timeout=60)
    # The server ends the sleep of a client that is gone when it next looks; a person would not wait for it either.
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await connection.close()
    assert await migrate_postgres(postgres_url, LONG)


def old_rows(literal: Callable[[bytes], str]) -> str:
    return OLD_ROWS.format(token=literal(digest("one")), late=NOW * 2, secret=literal(SEALER.seal("secret-of-shop")))


@pytest.mark.parametrize("revision", revisions())
async def test_every_schema_there_was_is_brought_to_todays_with_its_rows(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "menshen.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script_to(revision, "sqlite") + old_rows(lambda raw: f"x'{raw.hex()}'"))
    assert migrate_sqlite(path, LONG) == (revision != HEAD)
    await check_old_rows(SqliteStore(path, SEALER, LONG))


@pytest.mark.parametrize("revision", revisions())
async def test_every_schema_there_was_on_postgres_too(postgres_url: str, revision: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(script_to(revision, "postgresql") + old_rows(lambda raw: f"'\\x{raw.hex()}'::bytea"))
    await connection.close()
    assert await migrate_postgres(postgres_url, LONG) == (revision != HEAD)
    await check_old_rows(await open_postgres(postgres_url, SEALER, patience=LONG))


async def check_old_rows(store: Store) -> None:
    found = await store.read.sessions.find(digest("one"))
    assert found is not None
    session, alice = found
    assert (session.session_id, alice.username_shown, alice.password_hash) == ("one", "Alice", "$hash$")
    assert await store.read.accounts.find_owner(Identifier(Kind.PHONE, "+8613544285662")) == alice
    assert len(await store.read.accounts.find_claims(Identifier(Kind.EMAIL, "b@b.example"))) == 1
    assert [event.account_number for event in await store.read.audit.list_events()] == [1]
    # It logs in as before: its app asks for no second step, and lets it enrol one.
    assert (alice.second_step, alice.factors_version) == (False, 0)
    assert (session.level, session.methods, session.second_at) == (1, "", NEVER)
    assert await store.read.apps.find_by_name("shop") == App(
        1, "shop", "12345678", "secret-of-shop", cookie_prefix="", app_name="", business_type="",
        captcha=CaptchaRule.ALWAYS, device_sign=DeviceSign.HMAC, session_rule=SessionRule.MANY, auto_register=False,
        exist_calls=False,
    )  # fmt: skip
    await give_all(store, alice)
    assert await held_by(store, alice) == (1, 1, b"alice", 10, True, 1)
    # And it goes on: numbers above the old ones, sessions of the same epoch.
    carol = await settle(store, "carol")
    assert carol.number == 3
    await open_session(store, session_of(carol, "two"))
    assert await store.read.sessions.check(digest("two"))
    await store.close()


def test_a_newer_schema_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    migrate_sqlite(path, LONG)
    mark(path, "9999")
    with pytest.raises(SchemaTooNewError) as caught:
        migrate_sqlite(path, LONG)
    assert str(caught.value) == (
        f"the database has schema 9999, this program knows schemas up to {HEAD}: run a newer menshen, "
        "or restore a backup made before the upgrade"
    )


async def test_a_newer_schema_is_refused_on_postgres(postgres_url: str) -> None:
    await migrate_postgres(postgres_url, LONG)
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.execute("UPDATE installation SET oldest_program = '9999'")
    with pytest.raises(SchemaTooNewError, match="schema 9999"):
        await migrate_postgres(postgres_url, LONG)
    # One that suffers this program beside it is left as it is.
    await connection.execute(f"UPDATE installation SET oldest_program = '{HEAD}'")
    assert not await migrate_postgres(postgres_url, LONG)
    await connection.close()


def test_a_newer_schema_that_suffers_this_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    migrate_sqlite(path, LONG)
    mark(path, "9999", oldest=HEAD)
    assert not migrate_sqlite(path, LONG)
    mark(path, "9999", oldest="not a number")
    with pytest.raises(SchemaTooNewError):
        migrate_sqlite(path, LONG)


def test_a_schema_of_somebody_elses_making_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    migrate_sqlite(path, LONG)
    mark(path, "abcdef", oldest="0001")
    with pytest.raises(SchemaTooNewError, match="abcdef"):
        migrate_sqlite(path, LONG)


def test_what_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "menshen.db"
    path.write_bytes(b"no database at all, but long enough to look into " * 100)
    with pytest.raises(Problem, match=r"cannot open /.*/menshen\.db: file is not a database") as caught:
        migrate_sqlite(path, LONG)
    assert caught.value.denied.code is ProblemCode.UNAVAILABLE
    with pytest.raises(Problem, match=r"cannot open /.*/menshen\.db: unable to open"):
        migrate_sqlite(tmp_path / "no such folder" / "menshen.db")


async def test_a_database_that_cannot_be_reached_or_written_is_told(postgres_url: str) -> None:
    with pytest.raises(UnfitError, match=r"there is no database none_\d+ at .* port 5432"):
        await migrate_postgres(postgres_url.replace("/test_", "/none_"))
    connection = await asyncpg.connect(postgres_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await connection.close()
    with pytest.raises(Problem, match=r"port 5432, database .* takes no writes now: it is read-only"):
        await migrate_postgres(postgres_url, LONG)


async def test_checks_go_on_while_a_later_revision_waits_or_works(postgres_url: str) -> None:
    """Each revision lets go of its locks before the next one begins."""
    connection, reader = await asyncpg.connect(postgres_url), await asyncpg.connect(postgres_url)
    await connection.execute(script_to("0008", "postgresql"))
    # 0009 and 0010 change sessions, and 0011 has to wait for whoever reads the audit.
    async with reader.transaction():
        await reader.execute("SELECT FROM audit")
        upgrade = asyncio.create_task(migrate_postgres(postgres_url, LONG))
        await until(lambda: connection.fetchval("SELECT version_num = '0010' FROM alembic_version"))
        assert await connection.fetch("SELECT FROM sessions") == []
        assert not upgrade.done()
    assert await upgrade
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == HEAD
    await connection.close()
    await reader.close()


async def test_an_operator_may_make_the_indexes_of_the_audit_before(postgres_url: str) -> None:
    page = (ROOT / "docs/operate/operations.md").read_text("utf-8")
    (text,) = re.findall(r"```sql\n(ALTER TABLE audit .*?)```", page, re.DOTALL)
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(script_to("0010", "postgresql"))
    for statement in text.strip().split(";\n"):
        await connection.execute(statement)
    made = "SELECT relname, oid FROM pg_class WHERE relname LIKE 'audit_%' ORDER BY relname"
    before = await connection.fetch(made)
    assert {"audit_ip", "audit_request", "audit_tag"} <= {row[0] for row in before}
    assert await migrate_postgres(postgres_url, LONG)
    assert await connection.fetch(made) == before
    await connection.close()
    assert not await migrate_postgres(postgres_url, LONG)


@pytest.mark.parametrize("revision", ["ae1027a6acf1", "0003", HEAD])
async def test_the_tables_of_another_program_that_uses_alembic_are_left_alone(postgres_url: str, revision: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    await connection.execute(f"INSERT INTO alembic_version VALUES ('{revision}')")
    with pytest.raises(UnfitError, match="tables of another program"):
        await migrate_postgres(postgres_url, LONG)
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1
    await connection.close()


async def test_a_revision_that_takes_too_long_is_told_as_that(postgres_url: str) -> None:
    code = (
        "import asyncio, sys; from msgspec.structs import replace\n"
        "from menshen.adapters.storage.sql.schema import migrate\n"
        "from tests.patience import LONG\n"
        "migrate._UPGRADE_SECONDS, migrate.script = 1.0, lambda *_: 'SELECT pg_sleep(60)'\n"
        "try: asyncio.run(migrate.migrate_postgres(sys.argv[1], replace(LONG, command=0.5)))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    told, _ = run(code, postgres_url).communicate(timeout=120)
    assert re.fullmatch(rb"Problem .* did not finish a statement within 1 s\n", told)
