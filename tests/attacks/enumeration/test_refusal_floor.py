"""EN-2 by a clock of its own: every refused password takes exactly as long, whatever is stored, on every way to log in.

Hashes cost on this clock what they cost by their parameters, so that nothing here depends on the machine. What real
hashes take is measured by test_timing.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nacl.pwhash import argon2id

from menshen.adapters.hashing import argon2id as hashing
from menshen.adapters.hashing.floor import MARGIN
from menshen.adapters.hashing.legacy import careyshop_hash, verify_legacy
from tests.attacks.enumeration.accounts import BCRYPT, add_each_kind
from tests.attacks.hash_costs import record_hashes
from tests.flows.site import Site
from tests.harness import Clock, Harness, open_harness
from tests.substitutes import failing_write
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client, said


def argon2(memory_kib: int, passes: int, password: bytes = PASSWORD.encode()) -> str:
    return argon2id.str(password, opslimit=passes, memlimit=memory_kib * 1024).rstrip(b"\0").decode()


def cut(text: str, digits: int) -> str:
    """Cut an argon2id hash to `digits` base64 digits of its digest. One digit over a multiple of four is no base64."""
    head, _, digest = text.rpartition("$")
    return f"{head}${digest[:digits]}"


TODAYS, BCRYPT_MS = 64, 160
DEAREST = 512
DEAR = {"bydearer", "byshortdearer"}
WRONG = "wrong-one"
STORED = {
    "own": argon2(64, 1),
    "dearer": argon2(256, 2),
    "cheaper": argon2(16, 1),
    "flatter": argon2(32, 2),
    "bcrypt": BCRYPT,
    "nobcrypt": "$2b$04$" + "z" * 53,
    "careyshop": careyshop_hash(PASSWORD.encode()),
    "truncated": cut(argon2(64, 1), 37),
    "leftover": argon2(64, 1)[:-1] + "B",
    "cutdearer": cut(argon2(256, 2), 33),
    "shortdearer": cut(argon2(256, 2), 32),
    "broken": "$argon2id$v=19$broken",
    "giant": argon2(64, 1).replace("m=64", "m=9999999"),
    "toodear": "$2b$15$" + "." * 53,
    "mark": "!",
}
PEOPLE = ("alice1", "disabled1", "codeonly1", "claimed1", "old1", "nobody1", *(f"by{name}" for name in STORED))


@dataclass
class Paced(Clock):
    """A clock that hashes and pauses move; what they were is kept."""

    at: int = Clock().at
    ms: float = 0.0
    pauses: list[float] = field(default_factory=list)
    hashes: list[tuple[str, int]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    begun: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def elapsed_ms(self) -> float:
        return self.ms

    def worked_ms(self) -> float:
        return self.ms

    async def pause(self, ms: float) -> None:
        self.pauses.append(ms)
        if self.gate is None:
            self.ms += ms
            return
        # The clock stands: another verdict may be under way in a thread, and must not seem to take as long.
        self.begun.release()
        await self.gate.wait()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Paced:
    """A clock on which KiB and passes of argon2id are milliseconds."""
    made = Paced()

    def spend(what: str, work: int) -> None:
        made.hashes.append((what, work))
        made.ms += work

    def legacy(stored: str, password: bytes) -> bool:
        made.ms += BCRYPT_MS if stored == BCRYPT or stored.endswith("." * 53) else 0
        return verify_legacy(stored, password)

    record_hashes(monkeypatch, spend)
    # Patched: bcrypt and SHA-1 cost on this clock what the test says; the hasher calls them by name.
    monkeypatch.setattr(hashing, "verify_legacy", legacy)
    return made


@pytest.fixture
async def plain(tmp_path: Path, clock: Paced) -> AsyncIterator[Harness]:
    """An installation on which nobody's hash is another's."""
    async with open_harness(tmp_path, clock=clock) as h:
        await add_each_kind(h)
        await h.assembled.hash_watch.keep()
        yield h


@pytest.fixture
async def mixed(plain: Harness) -> Harness:
    """One account of every stored scheme, all of them found and timed."""
    for name, text in STORED.items():
        account = await plain.add_account(f"by{name}")
        await plain.store.write(
            lambda tx, n=account.number, t=text: tx.accounts.set_password(n, t, now=plain.clock.now())
        )
    await plain.assembled.hash_watch.keep()
    return plain


async def taken(clock: Paced, ask: Callable[[], Awaitable[Any]]) -> float:
    clock.hashes.clear()
    clock.pauses.clear()
    begun = clock.ms
    await ask()
    return clock.ms - begun


def work(clock: Paced) -> int:
    return sum(spent for _, spent in clock.hashes)


async def weidu(h: Harness, who: str, number: int, password: str = WRONG) -> None:
    assert said(await Client(h, ip=f"192.0.{number}.1").log_in(who, password)) == (401, "wrong_credentials")


async def shop(h: Harness, who: str, number: int, password: str = WRONG) -> None:
    async with h.client_from(f"198.51.{number}.1") as client:
        told = await Shop(h, client).refused("login.user.user", username=who, password=password, platform="pc")
    assert told == "账号或密码错误"


WAYS = {"weidu": weidu, "careyshop": shop}


@pytest.mark.attack("EN-2")
@pytest.mark.parametrize(
    ("way", "password"), [("weidu", WRONG), ("weidu", "-"), ("weidu", "x" * 2000), ("careyshop", WRONG)]
)
async def test_every_refusal_takes_as_long_as_the_dearest(
    mixed: Harness, clock: Paced, way: str, password: str
) -> None:
    for number, who in enumerate((*PEOPLE, "not a name!") if way == "weidu" else PEOPLE):
        took = await taken(clock, lambda who=who, n=number: WAYS[way](mixed, who, n, password))  # type: ignore[misc]
        assert took == MARGIN * DEAREST, who
        assert len(clock.pauses) == 1, who


@pytest.mark.attack("EN-1", "EN-2")
@pytest.mark.parametrize("way", WAYS)
async def test_every_refusal_costs_exactly_one_hash_of_today(mixed: Harness, clock: Paced, way: str) -> None:
    for number, who in enumerate(PEOPLE):
        await taken(clock, lambda who=who, n=number: WAYS[way](mixed, who, n))  # type: ignore[misc]
        # What a cheaper one spared is added, so that the processor has no more and no less to do.
        calls = ["verify", "kdf"] if who == "bycheaper" else ["verify"]
        assert [what for what, _ in clock.hashes] == calls, who
        assert work(clock) == (DEAREST if who in DEAR else TODAYS), who


@pytest.mark.attack("EN-2")
@pytest.mark.parametrize("way", WAYS)
async def test_a_disabled_account_with_the_right_password_takes_as_long(mixed: Harness, clock: Paced, way: str) -> None:
    assert await taken(clock, lambda: WAYS[way](mixed, "disabled1", 1, PASSWORD)) == MARGIN * DEAREST
    assert work(clock) == TODAYS


@pytest.mark.attack("EN-2")
async def test_where_all_hashes_are_todays_nobody_waits(plain: Harness, clock: Paced) -> None:
    for number, who in enumerate(("alice1", "disabled1", "codeonly1", "old1", "nobody1")):
        assert await taken(clock, lambda who=who, n=number: weidu(plain, who, n)) == TODAYS  # type: ignore[misc]
        assert clock.pauses == []


@pytest.mark.attack("EN-2")
async def test_a_right_password_waits_for_nothing(mixed: Harness, clock: Paced) -> None:
    for number, name in enumerate(("own", "dearer", "cheaper", "careyshop")):
        client = Client(mixed, ip=f"192.0.{number}.1")
        clock.pauses.clear()
        assert said(await client.log_in(f"by{name}"))[0] == 200
        assert clock.pauses == []


@pytest.mark.attack("EN-2")
async def test_until_it_was_timed_the_cost_is_reckoned(tmp_path: Path, clock: Paced) -> None:
    async with open_harness(tmp_path, clock=clock) as h:
        account = await h.add_account("old1")
        text = "$2b$10$" + "." * 53
        await h.store.write(lambda tx: tx.accounts.set_password(account.number, text, now=clock.now()))
        await h.store.write(lambda tx: tx.hash_heads.note(["$2b$10$"], clock.now()))
    # A process that starts knows it before its first login.
    async with open_harness(tmp_path, clock=clock) as h:
        took = [await taken(clock, partial(weidu, h, who, n)) for n, who in enumerate(("nobody1", "old1"))]
        assert took[0] > MARGIN * 70
        # The dummy clock's bcrypt is dearer than was reckoned: from the first timing on nothing of it shows.
        await h.assembled.hash_watch.keep()
        took = [await taken(clock, partial(weidu, h, who, n)) for n, who in enumerate(("nobody1", "old1"), 2)]
        assert took == [MARGIN * (TODAYS + BCRYPT_MS)] * 2


@pytest.mark.attack("EN-1")
async def test_whoever_is_shut_out_waits_for_nothing_whoever_they_are(tmp_path: Path, clock: Paced) -> None:
    async with open_harness(tmp_path, clock=clock, pause_after=2, captcha_from=100) as h:
        await add_each_kind(h)
        await h.store.write(lambda tx: tx.hash_heads.note(["$2b$10$"], clock.now()))
        await h.assembled.hash_watch.keep()
        for number, who in enumerate(("alice1", "old1", "disabled1", "nobody1")):
            client = Client(h, ip=f"192.0.{number}.1")
            for _ in range(3):
                await client.log_in(who, "wrong")
            assert await taken(clock, lambda client=client, who=who: client.log_in(who, PASSWORD)) == 0  # type: ignore[misc]
            assert said(await client.log_in(who, PASSWORD))[0] == 429
            assert (clock.hashes, clock.pauses) == ([], [])


async def test_whoever_waits_holds_no_turn_and_no_place_and_was_counted(mixed: Harness, clock: Paced) -> None:
    before = len(await mixed.events())
    clock.gate = asyncio.Event()
    clients = [Client(mixed, ip="192.0.2.1") for _ in range(3)]
    tries = [asyncio.ensure_future(client.log_in("alice1", "wrong")) for client in clients]
    # The turnstile lets two at a time through to one account: all three are past it, and still unanswered.
    async with asyncio.timeout(60):
        for _ in tries:
            await clock.begun.acquire()
    assert not any(done.done() for done in tries)
    assert mixed.assembled.hasher.waiting == 0
    assert mixed.assembled.hasher._placed == 0
    assert len(await mixed.events()) == before + 3
    clock.gate.set()
    assert {said(answer) for answer in await asyncio.gather(*tries)} == {(401, "wrong_credentials")}


async def test_whoever_goes_away_waits_no_longer(mixed: Harness, clock: Paced) -> None:
    clock.gate = asyncio.Event()
    clock.pauses.clear()
    asked = asyncio.ensure_future(Client(mixed).log_in("alice1", "wrong"))
    async with asyncio.timeout(60):
        await clock.begun.acquire()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert len(clock.pauses) == 1


async def test_a_fault_after_the_verdict_takes_as_long(mixed: Harness, clock: Paced) -> None:
    for who in ("bybcrypt", "nobody1"):
        # The first transaction counts the try, the second one notes the failure.
        site = Site(mixed).over(store=failing_write(mixed.store, 2, LookupError()))

        async def fail(who: str = who, site: Site = site) -> None:
            with pytest.raises(LookupError):
                await site.try_password(who, "wrong")

        assert await taken(clock, fail) == MARGIN * DEAREST
