"""`epoch raise` with as many sessions as the docs name: one short write refuses them all, and it may be killed.

The form of every run has 20,000 of them; `make faults-long` has 5,000,000.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any, cast

import pytest

from menshen.adapters.storage.sql.statements.reader import Statement
from menshen.flows.admin.epoch import CLEAR_BATCH
from menshen.ports.store.store import Store, WriteTx
from tests.faults.caller import Caller
from tests.faults.site import PASSWORD, Site, settled, username
from tests.faults.waiting import until
from tests.figures import Figure
from tests.patience import AS_SHIPPED
from tests.postgres import PostgresServer
from tests.server import MENSHEN

LATE = 4_102_444_800_000
PER_ACCOUNT = 50
LIVES = ("sessions", "codes", "captcha_passes", "outbox")

COUNT = Statement("SELECT count(*) FROM sessions", ())


def fill(site: Site, sessions: int) -> None:
    """Put sessions `t1`, `t2`, … of many accounts, and a tenth as many codes, passes and waiting messages."""
    site.run(
        f"INSERT INTO accounts (number, public_id) SELECT 1000 + i, 'bulk' || i "
        f"FROM generate_series(1, {max(1, sessions // PER_ACCOUNT)}) AS i",
        f"INSERT INTO sessions (session_id, token_digest, account_number, expires_at, ends_at, epoch) "
        f"SELECT md5('s' || i), sha256(convert_to('t' || i, 'UTF8')), 1001 + i / {PER_ACCOUNT}, {LATE}, {LATE}, 1 "
        f"FROM generate_series(0, {sessions} - 1) AS i",
        f"INSERT INTO codes (app_id, purpose, subject, code_mac, captcha, expires_at, epoch) "
        f"SELECT 1, 'login', '+86' || i, sha256('c'), '', {LATE}, 1 FROM generate_series(1, {sessions // 10}) AS i",
        f"INSERT INTO captcha_passes (digest, app_id, expires_at, epoch) "
        f"SELECT sha256(convert_to('p' || i, 'UTF8')), 1, {LATE}, 1 FROM generate_series(1, {sessions // 10}) AS i",
        f"INSERT INTO outbox (channel, template, body_sealed, epoch) "
        f"SELECT 'sms', 'code_login', '', 1 FROM generate_series(1, {sessions // 10}) AS i",
        "ANALYZE",
    )


def left(site: Site) -> list[int]:
    """How many rows of older epochs there are of each kind."""
    now = "(SELECT epoch FROM installation)"
    return [int(site.rows(f"SELECT count(*) FROM {name} WHERE epoch < {now}")[0][0]) for name in LIVES]


@pytest.mark.attack("AD-8")
def test_a_raise_is_short_and_may_be_killed(tmp_path: Path, postgres_url: str, figure: Figure) -> None:
    raise_over(tmp_path, postgres_url, 20_000, figure)


@pytest.mark.long
@pytest.mark.attack("AD-8")
def test_a_raise_over_five_million_sessions(tmp_path: Path, figure: Figure) -> None:
    with PostgresServer(durable=True, settings={"shared_buffers": "512MB", "max_wal_size": "4GB"}) as server:
        raise_over(tmp_path, server.create(), 5_000_000, figure)


def raise_over(folder: Path, url: str, sessions: int, figure: Figure) -> None:
    # The waits are those that are shipped: what takes longer than a statement may fails here.
    with settled(folder, url, 1, **AS_SHIPPED) as site:
        fill(site, sessions)
        caller = Caller([site.start().port, site.start().port])
        asyncio.run(first_raise(site, caller, sessions, figure))
        asyncio.run(killed_raise(site, caller))
        began = time.monotonic()
        command(site).communicate(timeout=3600)
        took = time.monotonic() - began
        assert left(site) == [0, 0, 0, 0]
        figure(f"AD-8: {sessions:,} sessions: the command that cleared the rest took {took:.1f} s")
        token = asyncio.run(log_in(caller))
        assert asyncio.run(statuses(caller, [token])) == {204}
        assert site.rows("SELECT epoch, cleared_epoch FROM installation") == [(4, 4)]
        assert site.rows("SELECT tag, reason FROM audit WHERE tag = 'epoch.raised' ORDER BY id") == [
            ("epoch.raised", str(number)) for number in (3, 4)
        ]


async def first_raise(site: Site, caller: Caller, sessions: int, figure: Figure) -> None:
    """All are refused while all of their rows are still there."""
    # The first is asked for last: both nodes remember it when the epoch is raised.
    some = [f"t{number}" for number in range(0, sessions, max(1, sessions // 50))]
    assert await statuses(caller, [*some, some[0]]) == {204}

    async def work(store: Store) -> tuple[float, float]:
        async def higher(tx: WriteTx) -> tuple[int, float]:
            began = time.monotonic()
            await tx.upkeep.raise_epoch()
            took = time.monotonic() - began
            return (await cast("Any", tx)._run.one(COUNT, {}))[0], took

        remaining, took = await store.write(higher)
        assert remaining == sessions, "the raise itself deletes nothing"
        return took, time.monotonic()

    took, done = await asyncio.to_thread(site.with_store, work)

    async def is_refused() -> bool:
        return await statuses(caller, some[:1]) == {401}

    await until(is_refused)
    figure(f"AD-8: {sessions:,} sessions: the raise took {took * 1000:.1f} ms, and two nodes refused one that they "
           f"remembered {time.monotonic() - done:.2f} s later")  # fmt: skip
    assert await statuses(caller, some) == {401}


async def killed_raise(site: Site, caller: Caller) -> None:
    """Kill the command as soon as it clears: nothing comes back, and people log in meanwhile."""
    process = command(site)
    began = time.monotonic()
    assert process.stdout
    line = await asyncio.to_thread(process.stdout.readline)
    print(f"the command said its line after {time.monotonic() - began:.2f} s, its start included")
    assert line == b"epoch 3: all users must log in again\n"
    token = await log_in(caller)
    process.kill()
    process.communicate(timeout=60)
    assert await statuses(caller, [token]) == {204}
    assert await statuses(caller, ["t0", f"t{CLEAR_BATCH}", "t19999"]) == {401}


async def log_in(caller: Caller) -> str:
    told = await caller.login(username(0), PASSWORD)
    return str(told.body["data"]["token"]["token"])


async def statuses(caller: Caller, tokens: list[str]) -> set[int]:
    """What both nodes say to each of them."""
    return {(await caller.check(token, port)).status for token in tokens for port in caller.ports}


def command(site: Site) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [MENSHEN, "epoch", "raise", "--data", str(site.data)],
        env=site.start_environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
