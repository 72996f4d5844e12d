"""`menshen import careyshop` as an operator runs it: report, dry run, refusals, and a kill in the middle."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.adapters.importing import shop
from tests.adapters.importing.moving import MARIADB, write_dump
from tests.adapters.importing.shop import user
from tests.patience import PATIENT
from tests.server import CHEAP, MENSHEN

MANY = 20_000


class Place:
    """A data directory, its database, and what stands in it."""

    def __init__(self, data: Path, url: str) -> None:
        self.data = data
        self.url = url
        self.environ = {**os.environ, **CHEAP, **PATIENT} | ({"MENSHEN_STORAGE__URL": url} if url else {})

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(MENSHEN), "import", "careyshop", *map(str, arguments), "--data", str(self.data)]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environ, capture_output=True, text=True, timeout=100, check=False
        )

    def count(self, what: str) -> int:
        statement = f"SELECT count(*) FROM {what}"
        if not self.url:
            with closing(sqlite3.connect(f"file:{self.data}/menshen.db?mode=ro", uri=True)) as connection:
                return int(connection.execute(statement).fetchone()[0])
        return asyncio.run(self._count(statement))

    async def _count(self, statement: str) -> int:
        connection = await asyncpg.connect(self.url)
        try:
            return int(await connection.fetchval(statement))
        finally:
            await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path / "data", request.getfixturevalue("postgres_url") if request.param == "postgresql" else "")


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(tmp_path / "data", "")


def live_tokens(count: int) -> list[dict[str, Any]]:
    soon = int(time.time()) + 86_400
    return [
        {
            "token_id": n, "client_id": n, "client_type": 0, "platform": "pc", "token": f"{n:032x}",
            "token_expires": soon, "refresh": f"{n + 10**9:032x}", "refresh_expires": 2 * soon,
        }
        for n in range(1, count + 1)
    ]  # fmt: skip


def test_for_people(here: Place) -> None:
    done = here.run(MARIADB)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["accounts", "28", "0", "2"] in lines
    assert ["account", "taken", "phone_taken", "2"] in lines
    assert shop.PASSWORD not in done.stdout


def test_for_programs(here: Place, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = here.run(MARIADB, "--json", "--report", report, "--examples", "1")
    told = json.loads(done.stdout)
    assert json.loads(report.read_text("utf-8")) == told
    assert report.stat().st_mode & 0o077 == 0
    assert (told["file"], told["dry_run"], told["stopped"]) == ("mariadb.sql.gz", False, None)
    assert told["accounts"] == {"taken": 28, "seen_before": 0, "left_out": 2}
    twins = [line for line in told["lines"] if line["reasons"] == ["phone_taken"]]
    assert [(line["what"], line["fate"], line["subject"], line["number"]) for line in twins] == [
        ("account", "taken", "tw***", 14)
    ]


def test_a_dry_run_tells_the_same_and_changes_nothing(place: Place) -> None:
    dry = json.loads(place.run(MARIADB, "--json", "--dry-run").stdout)
    for table in ("accounts", "sessions", "imported_accounts", "imported_tokens"):
        assert place.count(table) == 0
    assert place.count("apps") == 1
    assert sorted(path.name for path in place.data.iterdir() if path.is_dir()) == []
    wet = json.loads(place.run(MARIADB, "--json").stdout)
    assert dry.pop("dry_run")
    assert not wet.pop("dry_run")
    assert dry == wet
    again = json.loads(place.run(MARIADB, "--json", "--dry-run").stdout)
    assert again["accounts"] == {"taken": 0, "seen_before": 28, "left_out": 2}
    assert again["sessions"]["taken"] == again["apps"]["taken"] == 0


def test_a_dry_run_knows_who_is_here(place: Place, tmp_path: Path) -> None:
    assert place.run(write_dump(tmp_path, [user(1, "alice1"), user(2, "bob2")])).returncode == 0
    users = [user(1, "ALICE1", create_time=9), user(3, "BOB2", mobile="13800000001", is_mobile=0), user(4, "new4")]
    other = write_dump(tmp_path, users, live_tokens(4))
    told = [json.loads(place.run(other, "--json", "--source", "shop2", *dry).stdout) for dry in (["--dry-run"], [])]
    assert {row["reason"]: row["count"] for row in told[0]["reasons"] if row["what"] == "account"} == {
        "phone_taken": 2,
        "renumbered": 1,
        "username_taken": 2,
    }
    assert told[0]["sessions"] == {"taken": 3, "seen_before": 0, "left_out": 1}
    for report in told:
        del report["dry_run"]
        for line in report["lines"]:
            # A scratch database has new numbers of its own.
            del line["number"]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder / "missing.sql", "No such file"),
        (lambda folder: folder, "must be a regular file"),
        (lambda folder: written(folder, b""), "the dump holds no table cs_user"),
        (lambda folder: written(folder, MARIADB.read_bytes()[:1500]), "line [0-9]+: the file ends .* gzip stream"),
        (lambda folder: written(folder, gzip.decompress(MARIADB.read_bytes())[:-20]), "line [0-9]+: .*was cut"),
        (lambda folder: written(folder, b"\x00\xff" * 5000), "cut|no table"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence(here: Place, tmp_path: Path, make: Callable[[Path], Path], says: str) -> None:
    done = here.run(make(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("menshen: ")
    assert re.search(says, line)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "dump"
    path.write_bytes(content)
    return path


def test_a_pipe_is_refused(here: Place) -> None:
    """Read a second time it is empty, and every live token would be lost without a word."""
    with subprocess.Popen(["cat", MARIADB], stdout=subprocess.PIPE) as cat:
        done = subprocess.run(
            here.command("/dev/stdin"), stdin=cat.stdout, env=here.environ, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert "must be a regular file" in done.stderr
    assert not here.data.exists()


def test_a_report_that_cannot_be_written_is_told_before_anything_comes_in(here: Place, tmp_path: Path) -> None:
    done = here.run(MARIADB, "--report", tmp_path / "nowhere" / "report.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere" in done.stderr
    assert not here.data.exists()


@pytest.mark.parametrize("label", ["", "Shop", "a b", "../x", "x" * 33])
def test_a_source_has_a_plain_name(here: Place, label: str) -> None:
    done = here.run(MARIADB, f"--source={label}")
    assert done.returncode == 1
    assert "--source takes" in done.stderr


def test_other_prefixes(here: Place, tmp_path: Path) -> None:
    path = write_dump(tmp_path, [user(1, "alice1")])
    path.write_text(path.read_text("utf-8").replace("cs_user", "shop2_user"), "utf-8")
    assert "no table cs_user" in here.run(path).stderr
    assert here.run(path, "--prefix", "shop2_").returncode == 0
    assert here.count("accounts") == 1


def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(place: Place, tmp_path: Path) -> None:
    users = [user(n, f"user{n}", mobile=str(13_000_000_000 + n)) for n in range(1, MANY + 1)]
    dump = write_dump(tmp_path, users, live_tokens(MANY), shop.APPS[:1])
    killed_at = []
    for what, least in (("accounts", 2000), ("accounts", 6000), ("sessions", 1000)):
        process = subprocess.Popen(
            place.command(dump), env=place.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None:
            try:
                if place.count(what) >= least:
                    process.kill()
                    process.wait()
                    break
            except (sqlite3.OperationalError, asyncpg.UndefinedTableError):
                pass
            time.sleep(0.01)
        assert process.returncode == -9
        killed_at.append(place.count(what))
        assert place.count("accounts") == place.count("imported_accounts")
        assert place.count("audit WHERE tag = 'account.imported'") == place.count("accounts")
        assert place.count("sessions") == place.count("imported_tokens")
    assert killed_at[0] < MANY
    assert killed_at[2] < MANY
    done = place.run(dump, "--json")
    told = json.loads(done.stdout)
    assert told["accounts"] == {"taken": 0, "seen_before": MANY, "left_out": 0}
    assert told["sessions"]["taken"] + told["sessions"]["seen_before"] == MANY
    assert told["sessions"]["taken"] > 0
    for table in ("accounts", "sessions", "imported_accounts", "imported_tokens"):
        assert place.count(table) == MANY
    assert place.count("audit WHERE tag = 'account.imported'") == MANY
