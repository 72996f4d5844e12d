"""`menshen account risk` and `menshen sms-report`: explained by the rules that decide, and nothing changed by it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from menshen.app.asgi import create_asgi
from menshen.app.assemble import assemble
from menshen.app.installation.opening import first_app, read_keys
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from menshen.core.gates.risk import CAPTCHA_AT, RULES
from tests.cli.conftest import Menshen
from tests.harness import Harness

USERS = "/weidu/api/v1/users"
ELSEWHERE = "203.0.113.5"
PASSWORD = "correct horse battery"


def served(data: Path, work: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """Do something with the server of this data, from `ELSEWHERE`."""
    settings, world = load_settings(None, os.environ, data), SystemWorld()

    async def run() -> Any:
        async with assemble(settings, read_keys(settings, world), world) as assembled:
            await first_app(assembled.store, world)
            transport = httpx.ASGITransport(create_asgi(assembled, settings), client=(ELSEWHERE, 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8400" + USERS) as client:
                return await work(client)

    return asyncio.run(run())


def explained(menshen: Menshen, *arguments: str) -> Any:
    return menshen("account", "risk", *arguments, "--ip", ELSEWHERE, "--json").json()


@pytest.fixture
def alice(menshen: Menshen, data: Path) -> str:
    menshen("account", "add", "--username", "alice", "--password-stdin", stdin=PASSWORD)
    return "alice"


@pytest.mark.parametrize("who", ["alice", "nobody-here"])
def test_it_says_beforehand_what_a_login_meets(menshen: Menshen, data: Path, alice: str, who: str) -> None:
    for already in range(4):
        told = explained(menshen, who)
        # Asking changes nothing, however often.
        assert explained(menshen, who) == told
        assert told["tries_here"] == told["tries_on_network"] == already + 1
        answer = served(data, lambda c: c.post("/login", json={"login_id": who, "password": "wrong"}))
        meets = {"free": 401, "captcha": 428}[told["before_password"]]
        assert answer.status_code == meets
        held = {line["rule"] for line in told["rules"] if line["holds"] and line["when"] == "before"}
        assert held == ({"failures_here"} if already == 3 else set())
        assert (told["points_before"] >= CAPTCHA_AT) == (already == 3)
    assert explained(menshen, who)["account"] == (1 if who == "alice" else None)
    assert menshen("account", "risk", who, "--json").json()["before_password"] == "free"


def test_a_right_login_makes_a_network_known(menshen: Menshen, data: Path, alice: str) -> None:
    assert not explained(menshen, alice)["known_network"]
    served(data, lambda c: c.post("/login", json={"login_id": alice, "password": PASSWORD, "device_id": "phone"}))
    told = explained(menshen, alice, "--device", "phone")
    assert told["known_network"] is told["known_device"] is True
    assert explained(menshen, "#1")["account"] == 1


def test_the_table_stands_there_for_people(menshen: Menshen, alice: str) -> None:
    shown = menshen("account", "risk", alice).out
    for rule in RULES:
        assert rule.word in shown
        assert rule.why in shown


def test_a_denied_network_is_told(menshen: Menshen, alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENSHEN_RISK__DENY", f'["{ELSEWHERE}/32"]')
    assert explained(menshen, alice)["before_password"] == "refused"
    assert explained(menshen, alice)["listed"] == "deny"


@pytest.mark.parametrize(
    ("arguments", "told"), [(("--ip", "elsewhere"), "is no IP address"), (("--app", "none"), "there is no app none")]
)
def test_what_cannot_be_explained(menshen: Menshen, alice: str, arguments: tuple[str, ...], told: str) -> None:
    refused = menshen("account", "risk", alice, *arguments)
    assert refused.code == 1
    assert told in refused.err


def test_codes_are_reported_by_budget_and_prefix(menshen: Menshen, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENSHEN_CAPTCHA__COST", "1")
    monkeypatch.setenv("MENSHEN_LIMITS__PREFIX_WATCH_FROM", "2")
    monkeypatch.setenv("MENSHEN_SMS__COUNTRY_BUDGETS", '{"+86": 50}')
    menshen("migrate")
    menshen("app", "set", "default", "--sms-per-day", "40")

    async def send(client: httpx.AsyncClient) -> None:
        for number in ("13800138000", "13800138001", "13900139000"):
            challenge = (await client.get("/behavior/challenge")).json()
            solved = {"captcha_id": Harness.solve(challenge)}
            token = (await client.post("/behavior/verification", json=solved)).json()["captcha_token"]
            sent = await client.post("/mobile/sms", json={"mobile": number, "captcha_token": token})
            assert sent.status_code == 200

    served(data, send)
    report = menshen("sms-report", "--json").json()
    assert report["budgets"] == [
        {"budget": "all", "spent_today": 3, "of": 1000},
        {"budget": "mail", "spent_today": 0, "of": 1000},
        {"budget": "app:default", "spent_today": 3, "of": 40},
        {"budget": "country:+86", "spent_today": 3, "of": 50},
    ]
    assert report["prefixes"] == [
        {"prefix": "+861380013", "country": "+86", "sent": 2, "verified": 0, "percent": 0, "few_verified": True},
        {"prefix": "+861390013", "country": "+86", "sent": 1, "verified": 0, "percent": 0, "few_verified": False},
    ]
    assert "+861380013" in menshen("sms-report", "--days", "1").out
