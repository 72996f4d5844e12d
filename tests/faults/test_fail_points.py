"""F1 and F2 on purpose: the end of the world between every two statements, and after every acknowledgement.

On SQLite an image of the files is taken before each statement of a call, as a crash there would leave them.
On PostgreSQL the connection is cut at each statement. Every image is judged: the ledger of sessions and audit
holds, and nothing changes but at a COMMIT.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from menshen.core.account.accounts import Account
from menshen.core.problems import Problem
from tests.faults.referee import Referee, digest
from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.two_steps import code_of, enrol_app
from tests.wire.weidu.client import Client

PASSWORD = "Quiet-Otter-17"
PHONE = "13800138001"
TABLES = (
    "accounts", "sessions", "spent_refreshes", "codes", "captcha_passes", "counters", "audit", "outbox", "factors",
    "recovery_codes", "pending_logins", "trusted_devices", "spent_trusts",
)  # fmt: skip
ACTS = ["login", "refresh", "password", "logout", "code", "step", "enrolment", "trust"]

Act = Callable[[], Awaitable[httpx.Response]]


async def prepare(harness: Harness, what: str) -> Act:
    """An account in the middle of its life, and one call that is ready to be made."""
    alice = await harness.add_account("alice17", PHONE, password=PASSWORD)
    shop, client = Shop(harness), Client(harness)
    if what in {"step", "enrolment", "trust"}:
        return await prepare_factors(harness, alice, what)
    token = (await shop.done("login.user.user", username="alice17", password=PASSWORD, platform="web"))["token"]
    if what == "login":
        return lambda: shop.send("login.user.user", username="alice17", password=PASSWORD, platform="web")
    if what == "refresh":
        return lambda: shop.send("refresh.user.token", token=token["token"], refresh=token["refresh"])
    if what == "logout":
        return lambda: shop.send("logout.user.user", token=token["token"])
    if what == "password":
        new = "Quiet-Otter-18"
        change = {"password_old": PASSWORD, "password": new, "password_confirm": new, "client_id": 1}
        return lambda: shop.send("set.user.password", token=token["token"], **change)
    code, captcha = await client.code(PHONE)
    body = {"login_id": PHONE, "sms_code": code, "captcha_token": captcha}
    return lambda: client.call("POST", "/users/mobile/login", body)


async def prepare_factors(harness: Harness, alice: Account, what: str) -> Act:
    """One call about second steps that is ready to be made."""
    client, login = Client(harness), {"login_id": "alice17", "password": PASSWORD}
    if what == "enrolment":
        await client.post("/users/login", **login)
        begun = (await client.post("/users/totp/begin")).json()
        harness.canary.learn("secret of a factor", begun["secret"])
        enrolled = {"code": code_of(harness, secret=begun["secret"])}
        return lambda: client.call("POST", "/users/totp", enrolled)
    await enrol_app(harness, alice)
    ticket = (await client.post("/users/login", **login)).json()["login_ticket"]
    step = {"login_ticket": ticket, "code": code_of(harness), "trust_device": True}
    if what == "step":
        return lambda: client.call("POST", "/users/login/second", step)
    trust = (await client.post("/users/login/second", **step)).json()["trust_token"]
    return lambda: client.call("POST", "/users/login", {**login, "trust_token": trust})


def done(response: httpx.Response) -> bool:
    """Whether the call was acknowledged."""
    return response.status_code == 200 and response.json().get("status", 200) == 200


def contents(file: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES}


def audit_ledger(file: Path) -> list[str]:
    breaches: list[str] = []
    with closing(sqlite3.connect(file)) as connection:
        sessions = connection.execute("SELECT session_id, token_digest, account_number, slot FROM sessions").fetchall()
        events = connection.execute("SELECT tag, session_id, account_number, reason FROM audit").fetchall()
        spent = {bytes(row[0]) for row in connection.execute("SELECT digest FROM spent_refreshes")}
    Referee._ledger(sessions, events, spent, breaches.append)
    return breaches


class Camera:
    """Takes an image of the files before each statement of the writer."""

    def __init__(self, database: Path, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.statements: list[str] = []

    def take(self, name: str) -> Path:
        image = self.folder / f"{name}.db"
        shutil.copyfile(self.database, image)
        log = self.database.with_name(f"{self.database.name}-wal")
        if log.exists():
            shutil.copyfile(log, image.with_name(f"{image.name}-wal"))
        return image

    def __call__(self, statement: str) -> None:
        self.take(str(len(self.statements)))
        self.statements.append(statement)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("what", ACTS)
async def test_a_crash_between_any_two_statements_leaves_all_or_nothing(tmp_path: Path, what: str) -> None:
    data, images = tmp_path / "data", tmp_path / "images"
    data.mkdir()
    images.mkdir()
    async with open_harness(data) as harness:
        act = await prepare(harness, what)
        store: Any = getattr(harness.store, "inner", harness.store)
        camera = Camera(data / "menshen.db", images)
        store._writer.set_trace_callback(camera)
        response = await act()
        # Acknowledged: from here on it must be there, whatever happens (F2).
        after = contents(camera.take("acknowledged"))
        store._writer.set_trace_callback(None)
        assert done(response), response.text
    assert sum(statement == "COMMIT" for statement in camera.statements) >= 1
    known = contents(images / "0.db")
    changes = 0
    for number, statement in enumerate(camera.statements):
        image = images / f"{number}.db"
        found = contents(image)
        assert audit_ledger(image) == [], f"before {statement!r}"
        if found != known:
            assert camera.statements[number - 1] == "COMMIT", f"changed before {statement!r}"
            known, changes = found, changes + 1
    changes += known != after
    assert 1 <= changes <= sum(statement == "COMMIT" for statement in camera.statements)
    assert audit_ledger(images / "acknowledged.db") == []
    if what in {"login", "refresh"}:
        token = response.json()["data"]["token"]["token"]
        assert any(row[1] == digest(token) for row in after["sessions"])
    elif what in {"code", "step", "trust"}:
        assert any(row[1] == digest(response.headers["token"]) for row in after["sessions"])
    elif what == "enrolment":
        assert len(after["sessions"]) == 1
        assert len(after["recovery_codes"]) == len(response.json()["recovery_codes"]) == 10
    else:
        assert not after["sessions"]


@pytest.mark.sqlite_file
@pytest.mark.attack("TK-17")
async def test_a_refresh_that_was_cut_anywhere_is_asked_for_again(tmp_path: Path) -> None:
    """Killed between any two statements, or between the commit and the answer: the old pair gives one live pair."""
    data, images = tmp_path / "data", tmp_path / "images"
    data.mkdir()
    images.mkdir()
    async with open_harness(data) as harness:
        await harness.add_account("alice17", PHONE, password=PASSWORD)
        shop = Shop(harness)
        old = (await shop.done("login.user.user", username="alice17", password=PASSWORD, platform="web"))["token"]
        camera = Camera(data / "menshen.db", images)
        store: Any = getattr(harness.store, "inner", harness.store)
        store._writer.set_trace_callback(camera)
        lost = await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"])
        camera.take("acknowledged")
        store._writer.set_trace_callback(None)
        clock = harness.clock
    made = []
    for number in [*range(len(camera.statements)), "acknowledged"]:
        folder = tmp_path / f"after {number}"
        folder.mkdir()
        for suffix in ("", "-wal"):
            shutil.copyfile(images / f"{number}.db{suffix}", folder / f"menshen.db{suffix}")
        async with open_harness(folder, clock=clock) as harness:
            shop = Shop(harness)
            again = await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"])
            assert await shop.is_live(again["token"]["token"])
            assert not await shop.is_live(old["token"])
            made.append(again == lost)
            assert len(contents(folder / "menshen.db")["sessions"]) == 1
    # Before the commit it happens now; after it, the answer that was lost comes.
    assert made == sorted(made)
    assert (made[0], made[-1]) == (False, True)


@pytest.mark.sqlite_file
async def test_commits_go_to_the_disk(harness: Harness) -> None:
    """F2: what SQLite itself promises to survive a power cut, at run time and on every connection that writes."""
    store: Any = getattr(harness.store, "inner", harness.store)
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class Cutting:
    """A connection that is cut when the `at`-th call on it or its successors is made."""

    def __init__(self, inner: Any, count: list[int], at: int) -> None:
        self._inner, self._count, self._at = inner, count, at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in {"execute", "fetch", "fetchrow", "fetchmany"}:
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._count[0] += 1
            if self._count[0] == self._at:
                self._inner.terminate()
            return await found(*args, **kwargs)

        return call


@pytest.mark.parametrize("what", ACTS)
async def test_a_connection_cut_at_any_statement_leaves_all_or_nothing(
    tmp_path: Path, postgres_url: str, what: str
) -> None:
    cut_after = 0
    for at in range(1, 80):
        async with open_harness(tmp_path, {"MENSHEN_STORAGE__URL": postgres_url}) as harness:
            connections = harness.store.inner.connections
            act = await prepare(harness, what)
            count, acquire, release = [0], connections.acquire, connections.release

            async def acquire_cutting(acquire: Any = acquire, count: Any = count, at: int = at) -> Any:
                return Cutting(await acquire(), count, at)

            connections.acquire = acquire_cutting
            connections.release = lambda c, *, sound=True, release=release: release(
                getattr(c, "_inner", c), sound=sound
            )
            try:
                response = await act()
            except Problem:
                response = httpx.Response(503)
            connections.acquire, connections.release = acquire, release
            assert response.status_code != 500
            if what == "refresh":
                assert done(await act()), f"cut at call {at}, and asked again"
            breaches: list[str] = []
            await judge(postgres_url, breaches)
            assert breaches == [], f"{what} cut at call {at}"
            await empty(postgres_url)
            if count[0] < at:
                break
            cut_after = at
    assert cut_after >= 3, "the call made fewer statements than it can have"
    assert cut_after < 79


async def judge(url: str, breaches: list[str]) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    sessions = await connection.fetch("SELECT session_id, token_digest, account_number, slot FROM sessions")
    events = await connection.fetch("SELECT tag, session_id, account_number, reason FROM audit")
    spent = {bytes(row[0]) for row in await connection.fetch("SELECT digest FROM spent_refreshes")}
    await connection.close()
    Referee._ledger([tuple(r) for r in sessions], [tuple(r) for r in events], spent, breaches.append)


async def empty(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY")
    await connection.execute("TRUNCATE quota_uses")
    await connection.close()
