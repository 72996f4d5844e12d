"""A program of schema 0011 and this one hand over messages of one outbox: neither takes what the other has."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from menshen.core.delivery.messages import Channel, MessageState, Template
from menshen.core.time import MINUTE, SECOND
from tests.faults.deliveries.counting_vendor import CountingVendor, Mood, counting_vendor
from tests.faults.deliveries.outboxes import (
    LATER,
    Ahead,
    change,
    message_to,
    post_of,
    put,
    put_codes,
    stored,
)
from tests.faults.site import APPKEY, SECRET, Site, settled
from tests.faults.waiting import until, wait_until
from tests.nodes.test_first_start import ready
from tests.nodes.test_rolling_upgrade import ROOT, launch, older_program
from tests.patience import PATIENT
from tests.server import MENSHEN, Server

OLDER: Final = "9f3d6c9"
"""The last commit of schema 0011: it noted a claim as a next try in two minutes, and an end by the number alone."""

STATEMENTS: Final = "src/menshen/adapters/storage/sql/statements/outbox.sql"
CLAIM: Final = 2 * MINUTE
WAITING, SENDING, SENT, UNKNOWN = (
    MessageState.WAITING,
    MessageState.SENDING,
    MessageState.SENT,
    MessageState.UNKNOWN,
)

PUT = """
import asyncio, os, sys, time
from pathlib import Path
from menshen.app.installation.opening import open_installation
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from menshen.core.codes.messages import Channel, Message, Template

async def put(data, template, receivers):
    world = SystemWorld()
    code = "482913" if template.startswith("code_") else ""
    async with open_installation(load_settings(None, os.environ, data), world) as here:
        async def work(tx):
            for to in receivers:
                await tx.outbox.put(Message(Channel.SMS, to, Template(template), "zh", world.now(), code))
        await here.store.write(work)

asyncio.run(put(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
"""


def phones(start: int, count: int) -> list[str]:
    return [f"+861380{n:07}" for n in range(start, start + count)]


# --- the statements of the older program, on rows of this one ---------------------------------------------------------


class OlderWorker:
    """The statements by which a worker of the older program handed over a message."""

    def __init__(self, file: Path) -> None:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "show", f"{OLDER}:{STATEMENTS}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.fail(f"this test needs git and the commit {OLDER} of this repository's history: {done.stderr}")
        parts = re.split(r"^-- name: (\w+)$", done.stdout, flags=re.MULTILINE)
        self._statements = dict(zip(parts[1::2], parts[2::2], strict=True))
        self._file = file

    def run(self, name: str, **values: int) -> list[Any]:
        with closing(sqlite3.connect(self._file, timeout=60)) as connection, connection:
            return connection.execute(self._statements[name], values).fetchall()

    def due(self, now: int) -> list[int]:
        return [row[0] for row in self.run("due", now=now, unlikely=now + 60 * MINUTE, most=100)]

    def claim(self, message_id: int, now: int) -> bool:
        values = {"message_id": message_id, "now": now, "unlikely": now + 60 * MINUTE, "until": now + CLAIM}
        return bool(self.run("claim", **values))


@contextmanager
def shared_outbox(folder: Path) -> Iterator[tuple[Site, CountingVendor, OlderWorker]]:
    with counting_vendor() as vendor:
        environ = vendor.environ(vendor.table("plain", timeout_seconds=30))
        with settled(folder, "", 1, **PATIENT, **environ) as site:
            yield site, vendor, OlderWorker(site.data / "menshen.db")


def deliver(site: Site, ahead: int = 0) -> None:
    async def once() -> None:
        async with post_of(site, Ahead(ahead)) as post:
            await post.deliver_due()

    asyncio.run(once())


@pytest.mark.sqlite_file
def test_what_an_older_worker_has_is_left_to_it(tmp_path: Path) -> None:
    with shared_outbox(tmp_path) as (site, vendor, older):
        now = Ahead(0).now()
        ends = ("sent", "failed", "dead", "dead notice")
        receivers = dict(zip(ends, phones(0, 4), strict=True))
        notice = message_to(receivers["dead notice"], Template.PASSWORD_CHANGED)
        numbers = dict(zip(ends, [*put_codes(site, *phones(0, 3)), *put(site, notice)], strict=True))
        assert all(older.claim(number, now + SECOND) for number in numbers.values())
        deliver(site, 2 * SECOND)
        assert vendor.by_sender == {}, "they are under way"
        older.run("mark_sent", message_id=numbers["sent"], now=now + 2 * SECOND)
        older.run("mark_failed", message_id=numbers["failed"], retry_at=now + 12 * SECOND)
        deliver(site, 13 * SECOND)
        deliver(site, CLAIM + 2 * SECOND)
        found = {end: stored(site)[to] for end, to in receivers.items()}
        # What it certainly did not hand over is tried here. What it never reported on may have been sent.
        assert {end: (one.state, vendor.times(one.message.to)) for end, one in found.items()} == {
            "sent": (SENT, 0),
            "failed": (SENT, 1),
            "dead": (UNKNOWN, 0),
            "dead notice": (UNKNOWN, 0),
        }


@pytest.mark.sqlite_file
def test_what_this_worker_has_is_left_alone_by_an_older_one(tmp_path: Path) -> None:
    with shared_outbox(tmp_path) as (site, vendor, older):
        receiver = phones(0, 1)[0]
        (number,) = put_codes(site, receiver)
        vendor.moods = {"plain": Mood.HOLDS}
        now = Ahead(0).now()

        async def race() -> None:
            async with post_of(site) as post:
                courier = post.of(Channel.SMS)
                await courier.start_due()
                await until(lambda: vendor.holding["plain"])
                for later in (0, SECOND, CLAIM, 300 * 24 * 60 * MINUTE):
                    assert older.due(now + later) == []
                    assert not older.claim(number, now + later)
                vendor.moods = {}
                await courier.finish()

        asyncio.run(race())
        assert (stored(site)[receiver].state, vendor.times(receiver)) == (SENT, 1)
        assert older.due(now + CLAIM) == []
        # Neither does it take what ended as unknown, nor what nobody sends any more.
        put_codes(site, *phones(1, 2))
        change(
            site, f"UPDATE outbox SET next_try_at = {2**61 + 2}, sender = 'plain', tried_at = 1 WHERE message_id = 2"
        )
        deliver(site, 10 * LATER)
        assert [stored(site)[to].state for to in phones(1, 2)] == [UNKNOWN, MessageState.EXPIRED]
        assert older.due(now + 300 * 24 * 60 * MINUTE) == []


# --- the programs themselves ------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("store", ["postgresql", "sqlite"])
def test_old_and_new_servers_share_an_outbox(tmp_path: Path, postgres_url: str, store: str) -> None:
    program = older_program(tmp_path / "older", OLDER)
    with counting_vendor() as vendor:
        hook = vendor.hook("hook", timeout_seconds=60)
        environ = PATIENT | vendor.environ(hook) | {"MENSHEN_SMS__COUNTRIES": '["+86"]'}
        site = Site(tmp_path / "data", postgres_url if store == "postgresql" else "", environ)
        try:
            _share(site, vendor, Older(site, program))
        finally:
            site.close()


@dataclass
class Older:
    """The older program on a site."""

    site: Site
    program: str

    def run(self, *command: str | Path) -> str:
        environ = self.site.start_environ | {"PYTHONPATH": self.program}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def put(self, *receivers: str, template: str = "code_login") -> None:
        self.run(sys.executable, "-c", PUT, self.site.data, template, *receivers)

    def serve(self) -> Server:
        node = launch(self.site, self.program, MENSHEN, "serve", "--data", self.site.data, "--port")
        ready(node)
        return node


def _share(site: Site, vendor: CountingVendor, older: Older) -> None:
    older.run(MENSHEN, "app", "add", "faults", "--appkey", APPKEY, "--secret", SECRET, "--data", site.data)
    assert _version(site) == "0011"
    first = older.serve()
    older.put(*phones(0, 10))
    wait_until(lambda: len(vendor.arrived) == 10)

    # The older one has a message, and sends one after another. The new one comes, and sends what waits.
    held_by_old, held_by_new = phones(900, 2)
    vendor.moods = dict.fromkeys((held_by_old, held_by_new), Mood.HOLDS)
    older.put(held_by_old)
    wait_until(lambda: vendor.times(held_by_old))
    older.put(*phones(10, 10))
    second = site.start()
    assert _version(site) > "0011"
    put_codes(site, *phones(20, 10))
    wait_until(lambda: len(vendor.arrived) == 31)
    assert stored(site)[held_by_old].state is WAITING

    # The new one has a message, while the older one goes on.
    put_codes(site, held_by_new)
    wait_until(lambda: vendor.times(held_by_new))
    assert stored(site)[held_by_new].state is SENDING
    del vendor.moods[held_by_old]
    second.process.send_signal(signal.SIGSTOP)
    older.put(*phones(30, 10))
    wait_until(lambda: len(vendor.arrived) == 42)
    second.process.send_signal(signal.SIGCONT)
    del vendor.moods[held_by_new]
    wait_until(lambda: _all_sent(site))

    # Both race.
    for start in range(100, 200, 20):
        older.put(*phones(start, 10))
        put_codes(site, *phones(start + 10, 10))
    wait_until(lambda: _all_sent(site))
    assert vendor.most == 1
    assert {row["to"] for row in json.loads(older.run(MENSHEN, "outbox", "--data", site.data, "--json"))} >= {
        *phones(190, 10)
    }

    _leave_a_notice(site, vendor, older, first, second)
    assert second.stop() == 0


def _leave_a_notice(site: Site, vendor: CountingVendor, older: Older, first: Server, second: Server) -> None:
    """The older one is killed with a notice: the new one does not send it after the two minutes."""
    left = phones(950, 1)[0]
    vendor.moods = {left: Mood.HOLDS}
    second.process.send_signal(signal.SIGSTOP)
    older.put(left, template="password_changed")
    wait_until(lambda: vendor.times(left))
    first.kill()
    change(site, "UPDATE outbox SET next_try_at = created_at + 1 WHERE sent_at = 0")
    vendor.moods = {}
    second.process.send_signal(signal.SIGCONT)
    wait_until(lambda: stored(site)[left].state is UNKNOWN)
    put_codes(site, *phones(200, 5))
    wait_until(lambda: all(map(vendor.times, phones(200, 5))))
    assert vendor.most == 1
    found = stored(site).values()
    assert (len(found), all(one.readable for one in found)) == (148, True)


def _all_sent(site: Site) -> bool:
    return {one.state for one in stored(site).values()} == {SENT}


def _version(site: Site) -> str:
    return str(site.rows("SELECT version_num FROM alembic_version")[0][0])
