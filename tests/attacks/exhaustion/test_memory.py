"""2H in the long run: no number of names, networks or passwords takes more than its share. (RS-8, RS-9.)"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.storage.cached_checks import MOST_ENTRIES, CheckCache
from menshen.core.audit.events import Tag
from menshen.core.networks import ADDRESSES_REMEMBERED, parse_address, scales_of
from menshen.core.sessions.outcomes import Bearer
from menshen.core.time import DAY, MINUTE, Instant
from menshen.flows.audit.recording import REFUSALS_KEPT
from menshen.flows.gates.concurrency import AttemptGate
from menshen.ports.store.sessions import CheckedToken
from menshen.wire.http.host import is_literal
from tests.attacks.exhaustion.process_usage import peak, reset_peak, resident
from tests.attacks.rows import counts
from tests.figures import Figure
from tests.harness import Harness, open_harness
from tests.server import Server, running
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client, said

ROOT = Path(__file__).parents[3]
PREFIX = "/weidu/api/v1"


def grown_rows(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


@pytest.mark.attack("RS-8")
async def test_a_flood_of_names_leaves_few_rows(harness: Harness, figure: Figure) -> None:
    """What is refused leaves no counter behind, and the trail of refusals grows with the logarithm of their number."""
    client, before = Client(harness), counts(harness)
    for number in range(400):
        await client.log_in(f"nobody{number}", "wrong")
    grown = grown_rows(before, counts(harness))
    figure(f"RS-8: rows after 400 names from one network: {grown}")
    # Nineteen are judged; each leaves its two counters, and the network a few of its own.
    assert grown["counters"] <= 19 * 2 + 4
    assert grown["audit"] <= 19 + REFUSALS_KEPT + 10
    assert set(grown) == {"counters", "audit"}
    refused = [event for event in await harness.events() if event.tag is Tag.LOGIN_REFUSED]
    thinned = [event.reason for event in refused if "*" in event.reason]
    assert thinned == ["captcha_required*128", "captcha_required*256"]
    harness.clock.advance(31 * DAY)
    await harness.store.write(lambda tx: tx.upkeep.sweep(harness.clock.now(), audit_days=30, batch=10_000))
    assert counts(harness)["counters"] == before["counters"]
    assert counts(harness)["audit"] == 0


@pytest.mark.attack("RS-8")
async def test_every_other_door_of_strangers_has_its_quota(harness: Harness, figure: Figure) -> None:
    shop, client, before = Shop(harness), Client(harness), counts(harness)
    for number in range(150):
        await shop.call("ver.verification.sms", mobile=f"1380013{number:04}", code="000000")
        await shop.call("check.user.username", username=f"nobody{number}")
        await shop.call("send.verification.sms", mobile=f"1390013{number:04}")
        await client.post("/users/mobile/exist", mobile=f"1380013{number:04}")
    for number in range(30):
        await shop.call(
            "add.user.item", username=f"flood{number}", password="battery staple", password_confirm="battery staple",
            mobile=f"1370013{number:04}",
        )  # fmt: skip
    grown = grown_rows(before, counts(harness))
    figure(f"RS-8: rows after 630 calls of strangers from one network: {grown}")
    assert grown["accounts"] <= 20
    assert grown["codes"] <= 10
    assert grown["outbox"] <= 10
    assert grown["audit"] <= REFUSALS_KEPT + 50
    # Each quota's uses are rows for as long as its window: their number is the sum of the quotas.
    assert grown["quota_uses"] <= 120 + 60 + 5 + 7 * 10 + 20
    assert grown["counters"] <= 120 + 10
    harness.clock.advance(2 * DAY)
    await harness.store.write(lambda tx: tx.upkeep.sweep(harness.clock.now(), audit_days=1, batch=10_000))
    swept = counts(harness)
    assert swept["quota_uses"] == swept["audit"] == swept["codes"] == 0


@pytest.mark.attack("RS-8")
async def test_what_is_swept_away_opens_no_lock(tmp_path: Path) -> None:
    """A pause outlives every sweep until it is over; a suspended password outlives them all."""
    async with open_harness(tmp_path, captcha_from=1000, suspend_after=15) as h:
        await h.add_account("victim1", password=PASSWORD)

        async def sweep() -> None:
            await h.store.write(lambda tx: tx.upkeep.sweep(h.clock.now(), audit_days=1, batch=100_000))

        async def tried(number: int, password: str) -> int:
            return said(await Client(h, ip=f"198.51.{number}.1").log_in("victim1", password))[0]

        # One network's pause.
        for _ in range(10):
            assert await tried(0, "wrong") == 401
        for _ in range(14):
            await sweep()
            assert await tried(0, PASSWORD) == 429
            h.clock.advance(MINUTE)
        h.clock.advance(2 * MINUTE)
        # The account's own count goes on over all networks, and suspends the password.
        for number in range(1, 6):
            assert await tried(number, "wrong") == 401
        locked = await tried(9, PASSWORD)
        assert locked != 200
        for _ in range(11):
            h.clock.advance(30 * DAY)
            await sweep()
            assert await tried(9, PASSWORD) == locked


def held() -> float:
    """MB that this process holds."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@pytest.mark.attack("RS-8")
async def test_what_is_kept_in_memory_has_a_bound(figure: Figure) -> None:
    """A million tokens, and a hundred thousand of everything else that is remembered by what a client sent."""
    before, cache = held(), CheckCache(time.monotonic)
    cache.confirm_all(time.monotonic())
    ages = Instant(2**50), Instant(2**50), Instant(0)
    sessions = [CheckedToken(str(number), Bearer("id", number, ""), *ages, 0) for number in range(2 * MOST_ENTRIES)]
    for number in range(1_000_000):
        cache.put(number.to_bytes(16), sessions[number % len(sessions)], cache.version, cache.confirmation)
    kept = len(cache._entries) + len(cache._by_session)
    assert kept <= 2 * MOST_ENTRIES
    for number in range(100_000):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        scales_of(address)
        is_literal(f"{address}:80")
    remembered = [f.cache_info() for f in (scales_of, parse_address, is_literal)]
    assert all(info.maxsize is not None and info.currsize <= info.maxsize for info in remembered)
    assert max(info.currsize for info in remembered) <= ADDRESSES_REMEMBERED <= 100_000
    attempt_gate = AttemptGate()
    for number in range(20_000):
        key = number.to_bytes(4)
        async with attempt_gate.turn(key, key + b"n"):
            assert len(attempt_gate._gates) <= 2
    assert attempt_gate._gates == {}
    figure(f"RS-8: a million tokens and 100 000 addresses remembered: {held() - before:+.0f} MB, {kept} entries")
    assert held() - before < 100


@pytest.mark.attack("RS-8")
async def test_figures_have_no_line_for_each_client(harness: Harness) -> None:
    async def lines() -> int:
        return (await harness.client.get("/metrics")).text.count("\n")

    shop = Shop(harness)
    usual = 0
    for number in range(60):
        name = f"odd{number}"
        await Client(harness, ip=f"198.51.{number}.1").log_in(name, "x", device_id=name)
        await harness.client.get(f"/{name}", headers={"host": f"{name}.example", "user-agent": name})
        await harness.client.request("BREW", f"{PREFIX}/{name}", headers={"authorization": f"Bearer {name}"})
        await shop.call(f"get.user.{name}", platform=name, appkey=name)
        if number == 5:
            usual = await lines()
    assert usual > 10
    assert await lines() == usual


# --- passwords by the hundred -----------------------------------------------------------------------------------------


REAL_COST = {"MENSHEN_HASH__MEMORY_KIB": "19456", "MENSHEN_HASH__PASSES": "2", "MENSHEN_TEST_HASH": "0"}
# Nobody is asked for a captcha: what is tried is the queue.
PATIENT = {f"MENSHEN_LIMITS__{name}": "1000000" for name in ("CAPTCHA_FROM", "NETWORK_CAPTCHA_FROM", "PAUSE_AFTER")}
BEHIND_A_PROXY = REAL_COST | PATIENT | {"MENSHEN_HASH__QUEUE": "16", "MENSHEN_SERVER__TRUSTED_PROXIES": "1"}
CALLERS = 120


@contextmanager
def flooded(server: Server, pause: float) -> Iterator[list[dict[str, Any]]]:
    """A flood from another process, from the moment the queue is full; what was heard is in the list afterwards."""
    heard: list[dict[str, Any]] = []
    command = [sys.executable, "-m", "tests.attacks.exhaustion.flood"]
    task = {"port": server.port, "callers": CALLERS, "pause": pause}
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "full\n"
            yield heard
            process.stdin.write("stop\n")
            process.stdin.flush()
            heard.append(json.loads(process.stdout.readline()))
        finally:
            process.kill()


def checks_during_flood(
    server: Server, token: str, pause: float, *, checks: int = 2, seconds: float = 0.0
) -> tuple[list[float], dict[str, Any], float]:
    """So many token checks and so long beside a flood (seconds, sorted); what it heard; MB more than before it."""
    bearer = {"Authorization": f"Bearer {token}"}
    before, times = reset_peak(server), list[float]()
    with flooded(server, pause) as heard:
        end = time.monotonic() + seconds
        while len(times) < checks or time.monotonic() < end:
            begun = time.perf_counter()
            assert server.call("GET", "/auth/verify", headers=bearer).status == 204
            times.append(time.perf_counter() - begun)
            assert server.call("GET", "/livez").status == 200
            time.sleep(0.01)
    (report,) = heard
    return sorted(times), report, peak(server) - before


def summary(id_: str, times: list[float], report: dict[str, Any], grown: float) -> str:
    refused = report["refusals"]
    return (
        f"{id_}: {len(times)} token checks beside {CALLERS} callers, p50 {times[len(times) // 2] * 1000:.1f} ms, "
        f"p99 {times[len(times) * 99 // 100] * 1000:.0f} ms; logins by status {report['statuses']}, 503 after "
        f"p99 {refused[len(refused) * 99 // 100] * 1000:.0f} ms; memory peak {grown:+.0f} MB"
    )


@contextmanager
def guarded_server(folder: Path) -> Iterator[tuple[Server, str]]:
    """Behind one proxy, with hashes that cost what they cost, and a token of somebody who is logged in."""
    with running(folder / "data", environ=BEHIND_A_PROXY) as server:
        server.menshen("account", "add", "--username", "alice1", "--password-stdin", stdin=PASSWORD)
        yield server, enter(server)


def enter(server: Server) -> str:
    """Log in, however often it takes; the token."""
    give_up = time.monotonic() + 60
    while True:
        answer = server.call("POST", f"{PREFIX}/users/login", json.dumps({"login_id": "alice1", "password": PASSWORD}))
        if answer.status == 200:
            return answer.one("Token")
        assert answer.status == 503
        assert time.monotonic() < give_up
        time.sleep(0.2)


@pytest.mark.attack("RS-9")
def test_a_flood_of_passwords_is_refused_and_nobody_else(tmp_path: Path, figure: Figure) -> None:
    with guarded_server(tmp_path) as (server, token):
        times, report, grown = checks_during_flood(server, token, pause=0.25, checks=50)
        figure(summary("RS-9", times, report, grown))
        assert report["odd"] == []
        assert set(report["statuses"]) == {"401", "503"}
        # A hash at a time for each core, and what 120 callers and their requests take; never a hash for each caller.
        assert grown < 120
        assert server.call("GET", "/readyz").status == 200
        assert enter(server)


@pytest.mark.attack("RS-9")
@pytest.mark.timing
def test_token_checks_are_fast_while_the_queue_is_full(tmp_path: Path, figure: Figure) -> None:
    """On a machine that does nothing else."""
    with guarded_server(tmp_path) as (server, token):
        times, _, _ = checks_during_flood(server, token, pause=0.25, seconds=2.0)
        assert times[-1] < 10
        warm = resident(server)
        times, report, grown = checks_during_flood(server, token, pause=0.25, seconds=15.0)
        figure(summary("RS-9 (timing)", times, report, grown) + f", {resident(server) - warm:+.1f} MB after it")
        assert report["odd"] == []
        assert set(report["statuses"]) == {"401", "503"}
        assert times[len(times) * 99 // 100] < 0.2
        assert report["refusals"][len(report["refusals"]) * 99 // 100] < 0.1
        assert grown < 60
        assert resident(server) - warm < 10
        begun = time.monotonic()
        enter(server)
        assert time.monotonic() - begun < 5
