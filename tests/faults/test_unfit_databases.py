"""What waiting does not cure on PostgreSQL: `check` and start say the same. An outage is waited out."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from tests.faults.site import Site
from tests.faults.waiting import wait_until
from tests.patience import PATIENT
from tests.postgres import PostgresServer
from tests.server import MENSHEN, free_port

PASSWORD = "Loud-Badger-31"
HBA = """local all needs_password scram-sha-256
local all sent_away reject
local all all trust
hostssl all only_tls 127.0.0.1/32 trust
hostnossl all no_tls 127.0.0.1/32 trust
"""


@pytest.fixture(scope="module")
def unfit() -> Iterator[SimpleNamespace]:
    """A server with a database of each kind, and roles that may too little. TLS is off."""
    port = free_port()
    with PostgresServer(settings={"listen_addresses": "127.0.0.1", "port": str(port)}) as server:
        here = f"@/{{}}?host={server.folder}&port={port}"

        async def prepare() -> None:
            connection = await asyncpg.connect(f"postgresql://menshen{here.format('postgres')}")
            for role in ("needs_password", "only_tls", "no_tls"):
                await connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            for role in ("sent_away", "may_nothing", "may_read"):
                await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
            for encoding in ("LATIN1", "EUC_CN"):
                await connection.execute(
                    f"CREATE DATABASE in_{encoding.lower()} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
                )
            await connection.execute("CREATE DATABASE closed")
            await connection.execute("CREATE DATABASE good")
            await connection.execute("CREATE DATABASE strange")
            await connection.close()
            connection = await asyncpg.connect(f"postgresql://menshen{here.format('strange')}")
            await connection.execute("CREATE TABLE accounts (id int)")
            await connection.close()

        asyncio.run(prepare())
        (server.data / "pg_hba.conf").write_text(HBA)
        asyncio.run(run(f"postgresql://menshen{here.format('postgres')}", "SELECT pg_reload_conf()"))
        yield SimpleNamespace(server=server, port=port, here=here)


async def run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def check(site: Site) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [MENSHEN, "check", "--data", str(site.data)]
    return subprocess.run(command, env=site.start_environ, capture_output=True, text=True, check=False, timeout=120)


def refused(folder: Path, url: str, sentence: str) -> None:
    """`check` and a start end with the sentence: no password, no class of the driver, no traceback, no second try."""
    site = Site(folder / "data", url, PATIENT)
    done = check(site)
    assert done.returncode == 1, done.stdout
    node = site.launch()
    try:
        assert node.process.wait(60) == 1
    finally:
        site.close()
    told = node.log.read_text()
    for text in (done.stderr, told):
        assert re.search(sentence, text), text
        assert "Traceback" not in text
        assert "Error" not in text
        assert PASSWORD not in text
    assert "database.unavailable" not in told


LASTING = [
    ("postgresql://menshen@/nowhere?SOCKET", r"there is no database nowhere at /\S+ port PORT.*: create it"),
    ("postgresql://nobody@/good?SOCKET", r'refuses the role nobody: role "nobody" does not exist; create the role'),
    ("postgresql://needs_password:wrong@/good?SOCKET", r"port PORT, database good refuses the password of the role"),
    ("postgresql://needs_password@/good?SOCKET", r"refuses the password of the role needs_password"),
    (f"postgresql://sent_away:{PASSWORD}@/good?SOCKET", r"refuses the role sent_away: .*correct pg_hba.conf there"),
    (f"postgresql://only_tls:{PASSWORD}@127.0.0.1:PORT/good?sslmode=disable", r"no encryption;.*sslmode=require asks"),
    (f"postgresql://no_tls:{PASSWORD}@127.0.0.1:PORT/good?sslmode=require", r"127.0.0.1 port PORT.* speaks no TLS"),
    ("postgresql://menshen@/in_latin1?SOCKET", r"database in_latin1 has the encoding LATIN1.*createdb -E UTF8"),
    ("postgresql://menshen@/in_euc_cn?SOCKET", r"database in_euc_cn has the encoding EUC_CN"),
    (f"postgresql://may_nothing:{PASSWORD}@/good?SOCKET", r"database good: GRANT USAGE, CREATE ON SCHEMA public TO"),
    ("postgresql://menshen@/good?SOCKET&options=-cno_such%3D1", r'parameter options.*"no_such"'),
    ("postgresql://menshen@/good?SOCKET&options=-csearch_path%3Dnone", r"may not make tables in the schema public"),
    ("postgresql://no_tls@127.0.0.1:PORT/good?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
     r"the file /nowhere/ca.pem of the parameter sslrootcert is missing"),
    # What the address itself shows.
    ("postgresql://menshen@/good?SOCKET&sslmode=verfy-full", r"\[storage\] url has the parameter sslmode with no"),
    ("postgresql://menshen@/good?SOCKET&channel_binding=require", r"the parameter channel_binding .*verify-full"),
    ("postgresql://menshen@/good?SOCKET&kepalives=1", r"the parameter kepalives, which is not known here"),
    (f"postgresql://menshen:{PASSWORD}/@127.0.0.1/good", r"\[storage\] url is no address such as"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "sentence"), LASTING, ids=lambda value: value[:60])
def test_what_somebody_must_change_ends_the_start(
    tmp_path: Path, unfit: SimpleNamespace, url: str, sentence: str
) -> None:
    socket = f"host={unfit.server.folder}&port={unfit.port}"
    refused(
        tmp_path,
        url.replace("SOCKET", socket).replace("PORT", str(unfit.port)),
        sentence.replace("PORT", str(unfit.port)),
    )


def test_tables_of_another_program_end_the_start(tmp_path: Path, unfit: SimpleNamespace) -> None:
    """`check` does not try to make the tables: here the start alone finds it."""
    site = Site(tmp_path / "data", "postgresql://menshen" + unfit.here.format("strange"), PATIENT)
    node = site.launch()
    assert node.process.wait(60) == 1
    assert 'holds tables of another program: relation "accounts" already exists' in node.log.read_text()


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        ("REVOKE UPDATE ON sessions FROM may_read", "lacks UPDATE on the table sessions in the database"),
        (
            "REVOKE INSERT, DELETE ON audit FROM may_read",
            "lacks DELETE on the table audit and 1 more rights in the database",
        ),
        (
            "REVOKE USAGE ON SEQUENCE accounts_number_seq FROM may_read",
            "lacks USAGE on the sequence accounts_number_seq",
        ),
        ("REVOKE SELECT ON alembic_version FROM may_read", "lacks a right at .*permission denied for table alembic"),
    ],
)
def test_a_right_that_is_missing_is_named(tmp_path: Path, unfit: SimpleNamespace, taken: str, told: str) -> None:
    owner, name = "postgresql://menshen" + unfit.here, f"rights_{abs(hash(taken)) % 10**9}"
    asyncio.run(run(owner.format("postgres"), f"CREATE DATABASE {name}"))
    Site(tmp_path / "data", owner.format(name), PATIENT).settle(0)
    grant = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
    grants = [f"GRANT {grant} TO may_read", "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO may_read"]
    asyncio.run(run(owner.format(name), *grants))
    url = f"postgresql://may_read:{PASSWORD}{unfit.here.format(name)}"
    # With all of them it starts: a role need not own the tables.
    fine = check(Site(tmp_path / "data", url, PATIENT))
    assert fine.returncode == 0, fine.stderr
    asyncio.run(run(owner.format(name), taken))
    refused(tmp_path, url, told)
    behind = "UPDATE alembic_version SET version_num = '0001'"
    asyncio.run(run(owner.format(name), *grants, behind, "GRANT CREATE ON SCHEMA public TO may_read"))
    refused(tmp_path, url, "must be upgraded, and the table .* does not belong to the role may_read: run `menshen mig")


def test_a_standby_is_named(tmp_path: Path) -> None:
    with PostgresServer() as server:
        url = server.create()
        server.stop()
        (server.data / "standby.signal").touch()
        server.start()
        refused(tmp_path, url, "the server is a standby, which takes no writes: name the primary")
        (server.data / "standby.signal").unlink()


def test_an_address_with_libpqs_usual_parameters_is_used(tmp_path: Path, unfit: SimpleNamespace) -> None:
    common = (
        "sslmode=prefer&connect_timeout=10&channel_binding=prefer&keepalives=1&keepalives_idle=30&keepalives_interval=5"
        "&keepalives_count=3&tcp_user_timeout=20000&gssencmode=disable&application_name=login&target_session_attrs="
        "read-write&client_encoding=utf8&options=-cwork_mem%3D8MB"
    )
    url = f"postgresql://no_tls@127.0.0.1:{unfit.port}/good?{common}"
    site = Site(tmp_path / "data", url, PATIENT)
    try:
        site.start()
        owner = "postgresql://menshen" + unfit.here.format("good")
        assert Site(tmp_path, owner).rows(
            "SELECT DISTINCT application_name FROM pg_stat_activity WHERE usename = 'no_tls'"
        ) == [("login",)]
    finally:
        site.close()


OUTAGES = [
    ("postgresql://menshen@127.0.0.1:1/good", "nobody listens at 127.0.0.1 port 1, database good"),
    ("postgresql://menshen@db.invalid/good", "the name of db.invalid port 5432, database good is not known now"),
    ("postgresql://menshen@/good?host=/nowhere", "there is no socket of /nowhere port 5432, database good"),
]


@pytest.mark.parametrize(("url", "sentence"), OUTAGES)
def test_an_outage_is_named_and_waited_out(tmp_path: Path, url: str, sentence: str) -> None:
    site = Site(tmp_path / "data", url, PATIENT)
    node = site.launch()
    try:
        wait_until(lambda: sentence in node.log.read_text())
        time.sleep(2.5)
        assert node.process.poll() is None
        # The same is not told again at every try.
        assert node.log.read_text().count(sentence) <= 2
        done = check(site)
        assert done.returncode == 1
        assert sentence in done.stderr
    finally:
        site.close()


def test_no_connection_left_is_waited_out(tmp_path: Path) -> None:
    with PostgresServer(settings={"max_connections": "8", "superuser_reserved_connections": "0"}) as server:
        url = server.create()
        site = Site(tmp_path / "data", url, PATIENT)

        async def crowd() -> None:
            held = [await asyncpg.connect(url) for _ in range(8)]
            node = site.launch()
            await asyncio.to_thread(
                wait_until, lambda: "has no connection left (max_connections)" in node.log.read_text()
            )
            for connection in held:
                await connection.close()
            await asyncio.to_thread(wait_until, lambda: "database.available" in node.log.read_text())

        try:
            asyncio.run(crowd())
        finally:
            site.close()


def test_what_shows_itself_later_ends_a_start_that_waited(tmp_path: Path) -> None:
    """The server comes, and the database is not there."""
    with PostgresServer() as server:
        url = server.create().replace("/test_1", "/nowhere")
        server.stop()
        site = Site(tmp_path / "data", url, PATIENT)
        node = site.launch()
        wait_until(lambda: "database.unavailable" in node.log.read_text())
        server.start()
        assert node.process.wait(60) == 1
        told = node.log.read_text()
        assert re.search(r"menshen: .*there is no database nowhere at", told)
        assert "Traceback" not in told


def test_check_names_a_database_that_takes_no_writes(tmp_path: Path, unfit: SimpleNamespace) -> None:
    asyncio.run(run("postgresql://menshen" + unfit.here.format("postgres"), "CREATE DATABASE quiet"))
    url = f"postgresql://menshen@/quiet?host={unfit.server.folder}&port={unfit.port}"
    site = Site(tmp_path / "data", url, PATIENT)
    command: list[str | Path] = [MENSHEN, "migrate", "--data", str(site.data)]
    subprocess.run(command, env=site.start_environ, capture_output=True, check=True, timeout=120)
    assert check(site).returncode == 0
    reading = Site(tmp_path / "data", f"{url}&options=-cdefault_transaction_read_only%3Don", PATIENT)
    done = check(reading)
    assert done.returncode == 1
    assert "[storage] url: takes no writes now: of PostgreSQL, look for a standby" in done.stderr
    assert "Error" not in done.stderr
