"""A refusal is found by the id that its client shows: in the log, and in the audit row of a flow's decision."""

from __future__ import annotations

import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from menshen.core.audit.events import Tag
from menshen.core.line_budget import LINES_AN_HOUR
from tests.harness import Harness
from tests.wire.weidu.client import PASSWORD

WEIDU, SHOP = "/weidu/api/v1/users", "/api/v1/user"
FORGED = 'x" request_id="' + "a" * 26


async def asked(harness: Harness, path: str, body: dict[str, Any], ip: str = "192.0.2.7", **headers: str) -> str:
    """Send a request and return the id that its answer shows."""
    async with harness.client_from(ip) as client:
        answer = await client.post(path, json=body, headers=headers)
    shown: str = answer.headers["x-request-id"]
    assert re.fullmatch(r"[a-z0-9]{26}|[0-9a-f]{32}", shown)
    return shown


def named(lines: list[Any]) -> list[tuple[str, str]]:
    return [(line["request_id"], line["reason"]) for line in lines if line["event"] == "request.refused"]


async def test_a_refused_login_of_each_dialect(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    shop = {"method": "login.user.user", "appkey": harness.app.appkey, "username": "alice1", "platform": "app"}
    with capture_logs() as lines:
        weidu = await asked(harness, f"{WEIDU}/login", {"login_id": "alice1", "password": "wrong one"})
        careyshop = await asked(harness, SHOP, shop | {"password": "wrong one"})
        granted = await asked(harness, SHOP, shop | {"password": PASSWORD})
    assert named(lines) == [(weidu, "wrong_credentials"), (careyshop, "wrong_credentials")]
    events = [(e.tag, e.request_id) for e in await harness.events() if e.source != "admin"]
    assert events == [(Tag.LOGIN_FAILED, weidu), (Tag.LOGIN_FAILED, careyshop), (Tag.LOGIN_SUCCEEDED, granted)]


async def test_what_the_wire_refuses(harness: Harness) -> None:
    with capture_logs() as lines:
        shown = [
            await asked(harness, f"{WEIDU}/logout", {}),
            await asked(harness, f"{WEIDU}/login", {"login_id": 7}),
            await asked(harness, SHOP, {"method": "get.user.info", "client_id": "1"}),
        ]
    assert named(lines) == list(zip(shown, ["unauthenticated", "invalid_request", "forbidden"], strict=True))


@pytest.mark.attack("IN-4")
async def test_the_id_is_never_the_clients(harness: Harness) -> None:
    """A client that could choose it would point an operator at other rows, or forge lines."""
    sent = {"x-request-id": FORGED, "traceparent": FORGED, "x-correlation-id": FORGED}
    with capture_logs() as lines:
        shown = [
            await asked(harness, f"{WEIDU}/login", {"login_id": "alice1", "password": "wrong one"}, **sent),
            await asked(harness, SHOP, {"method": "get.user.info", "client_id": "1"}, **sent),
        ]
    assert FORGED not in str(lines)
    assert [request_id for request_id, _ in named(lines)] == shown
    assert len(set(shown)) == 2


async def test_a_flood_writes_no_more_lines_for_it(harness: Harness) -> None:
    with capture_logs() as lines:
        for _ in range(LINES_AN_HOUR + 27):
            await asked(harness, f"{WEIDU}/logout", {})
        last = await asked(harness, f"{WEIDU}/logout", {})
    assert len(named(lines)) == LINES_AN_HOUR + 1
    assert named(lines)[-1] == (last, "unauthenticated")
