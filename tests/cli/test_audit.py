"""`menshen audit` answers who hammers a server, and why a request was refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from menshen.app.installation.opening import Installation, open_installation
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from menshen.core.audit.events import Event, Tag
from menshen.core.time import DAY, HOUR, Instant
from tests.cli.conftest import Menshen

NOW = SystemWorld().now()
FLOOD = ["too_many_requests"] * 100 + [f"too_many_requests*{count}" for count in (128, 256, 512)]


def event(tag: Tag, ago: int, ip: str, reason: str = "", account: int | None = None, request: str = "") -> Event:
    return Event(tag, Instant(NOW - ago), account, 1, "weidu", ip, "k***8", reason, "", request)


@pytest.fixture
def told(menshen: Menshen, data: Path) -> None:
    """A flood of one network, three failures of another, and something of yesterday."""
    menshen("account", "add", "--username", "ken_88")
    events = [
        event(Tag.LOGIN_FAILED, 2 * DAY, "192.0.2.200", "password", 1, "y" * 26),
        *(event(Tag.LOGIN_REFUSED, HOUR, f"203.0.113.{n % 9}", reason) for n, reason in enumerate(FLOOD)),
        *(event(Tag.LOGIN_FAILED, n, f"192.0.2.{n}", "password", 1, f"{n}" * 26) for n in (3, 2, 1)),
        event(Tag.LOGIN_SUCCEEDED, 0, "2001:db8::7", "password", 1),
    ]

    async def fill(here: Installation) -> None:
        await here.store.write(lambda tx: tx.audit.append_all(events))

    async def run() -> None:
        async with open_installation(load_settings(None, {}, data), SystemWorld()) as here:
            await fill(here)

    asyncio.run(run())


@pytest.mark.usefixtures("told")
def test_a_summary_says_who_is_hammering(menshen: Menshen) -> None:
    """A flood counts for what it was, not for the rows that were kept of it."""
    lines = menshen("audit", "--summary", "--json").json()
    assert [(line["count"], line["event"], line["network"], line["reason"]) for line in lines] == [
        (512, "login.refused", "203.0.113.0/24", "too_many_requests"),
        (3, "login.failed", "192.0.2.0/24", "password"),
        (1, "account.registered", "", "admin"),
        (1, "app.added", "", "added"),
        (1, "login.succeeded", "2001:db8::/64", "password"),
    ]
    shown = menshen("audit", "--summary", "--since", "3d", "--limit", "2").out.splitlines()
    assert [line.split()[:4] for line in shown] == [
        ["count", "event", "network", "reason"],
        ["512", "login.refused", "203.0.113.0/24", "too_many_requests"],
        ["4", "login.failed", "192.0.2.0/24", "password"],
    ]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("asked", "ips"),
    [
        (["--network", "192.0.2.0/24"], ["192.0.2.200", "192.0.2.3", "192.0.2.2", "192.0.2.1"]),
        (["--network", "192.0.2.2"], ["192.0.2.2"]),
        (["--network", "192.0.2.77/30"], []),
        (["--network", "192.0.2.77/24", "--since", "2h"], ["192.0.2.3", "192.0.2.2", "192.0.2.1"]),
        (["--network", "192.0.0.0/16", "--limit", "1"], ["192.0.2.1"]),
        (["--network", "2001:db8::/32"], ["2001:db8::7"]),
        (["--network", "::ffff:192.0.2.2"], ["192.0.2.2"]),
        (["--network", "::ffff:192.0.2.0/126"], ["192.0.2.3", "192.0.2.2", "192.0.2.1"]),
        (["--tag", "login.succeeded"], ["2001:db8::7"]),
        (["--account", "ken_88", "--tag", "login.failed", "--network", "192.0.2.0/30", "--since", "1d"],
         ["192.0.2.3", "192.0.2.2", "192.0.2.1"]),
        (["--request", "2" * 26], ["192.0.2.2"]),
        (["--request", ("Y" * 26)], ["192.0.2.200"]),
        (["--request", "2" * 26, "--tag", "code.sent"], []),
    ],
)  # fmt: skip
def test_conditions_combine(menshen: Menshen, asked: list[str], ips: list[str]) -> None:
    assert [row["ip"] for row in menshen("audit", *asked, "--json").json()] == ips


@pytest.mark.usefixtures("told")
def test_a_summary_takes_the_same_conditions(menshen: Menshen) -> None:
    asked = ["--network", "192.0.0.0/16", "--tag", "login.failed", "--account", "#1", "--since", "1970-01-01"]
    (line,) = menshen("audit", "--summary", *asked, "--json").json()
    assert (line["count"], line["network"]) == (4, "192.0.2.0/24")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--tag", "login.fialed"], "--tag login.fialed: there is no such kind of event; did you mean login.failed?"),
        (["--network", "192.0.2"], "--network 192.0.2: use an address, or a network such as 203.0.113.0/24"),
        (["--network", "192.0.2.0/33"], "--network 192.0.2.0/33: use an address, or a network such as 203.0.113.0/24"),
        (["--request", ""], "--request: give the X-Request-Id of an answer"),
        (["--request", "x", "--summary"], "--request names one request: leave out --summary"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(menshen: Menshen, asked: list[str], sentence: str) -> None:
    done = menshen("audit", *asked)
    assert (done.code, done.err) == (1, f"menshen: {sentence}\n")
