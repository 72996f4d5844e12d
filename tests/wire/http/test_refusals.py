"""What is refused stands in the log, whoever refused it: who and why, never what, and never without end."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from menshen.core.line_budget import LINES_AN_HOUR
from menshen.core.time import HOUR, Instant
from menshen.wire.http.refusals import Refusals
from tests.harness import Clock, Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

LOGIN = "/weidu/api/v1/users/login"
INFO = "/weidu/api/v1/users/info"
CANARY = "canary-5f3c"


def told(lines: list[Any]) -> list[tuple[str, str, str]]:
    """(dialect, reason, ip) of each refusal, and nothing of the request beside them."""
    refusals = [line for line in lines if line["event"] == "request.refused"]
    for line in refusals:
        named = {"request_id"} if line["dialect"] in {"weidu", "careyshop"} else set()
        assert set(line) == {"event", "log_level", "dialect", "reason", "ip", "seen"} | named
        assert CANARY not in str(line)
    return [(line["dialect"], line["reason"], line["ip"]) for line in refusals]


WEIDU = {
    "no token": ("GET", INFO, {}, None, "unauthenticated"),
    "a token that is none": ("GET", INFO, {"authorization": f"Bearer {CANARY}"}, None, "unauthenticated"),
    "a foreign page": ("POST", LOGIN, {"origin": "https://evil.example"}, {"login_id": CANARY}, "csrf"),
    "no JSON": ("POST", LOGIN, {}, CANARY, "invalid_request"),
    "another type": ("POST", LOGIN, {}, {"login_id": CANARY, "password": 7}, "invalid_request"),
    "another verb": ("PUT", LOGIN, {}, {"password": CANARY}, "method_not_allowed"),
    "too long": ("POST", LOGIN, {}, {"password": CANARY * 2000}, "payload_too_large"),
}


@pytest.mark.parametrize("what", WEIDU)
async def test_weidu(harness: Harness, what: str) -> None:
    verb, path, headers, body, reason = WEIDU[what]
    sent: dict[str, Any] = {"content": body} if isinstance(body, str) else {"json": body}
    async with harness.client_from("192.0.2.7") as client:
        with capture_logs() as lines:
            answer = await client.request(verb, path, headers=headers, **sent)
    assert answer.status_code >= 400
    assert told(lines) == [("weidu", reason, "192.0.2.7")]


async def test_what_is_the_servers_and_a_missing_csrf_value(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1")
    with capture_logs() as lines:
        assert (await client.call("PUT", "/users/update", {"roles": "admin"})).status_code == 400
        cookie = f"menshenAUTHTOKEN={client.token}"
        client.token = ""
        assert (await client.call("POST", "/users/logout", {}, cookie=cookie)).status_code == 403
    assert [reason for _, reason, _ in told(lines)] == ["forbidden_field", "csrf"]


async def test_a_disabled_app(harness: Harness) -> None:
    await harness.change_app(disabled=True)
    with capture_logs() as lines:
        assert (await harness.client.post(LOGIN, json={"password": CANARY})).status_code == 403
    assert told(lines) == [("weidu", "forbidden", "127.0.0.1")]


CAREYSHOP = {
    "a token that is none": ("get.user.info", {"token": hashlib.md5(b"x").hexdigest()}, "unauthenticated"),
    "no token": ("get.user.info", {"client_id": "1"}, "forbidden"),
    "no such method": ("set.user.admin", {"password": CANARY}, "forbidden"),
    "a field of another shape": ("login.user.user", {"username": CANARY * 9, "password": CANARY}, "invalid_request"),
}


@pytest.mark.parametrize("what", CAREYSHOP)
async def test_careyshop(harness: Harness, what: str) -> None:
    method, parameters, reason = CAREYSHOP[what]
    async with harness.client_from("192.0.2.7") as client:
        with capture_logs() as lines:
            await Shop(harness, client).refused(method, **parameters)
    assert told(lines) == [("careyshop", reason, "192.0.2.7")]


async def test_signs(harness: Harness) -> None:
    await harness.add_account("alice1", password="Passw0rd!")
    shop = Shop(harness)
    token = (await shop.log_in())["token"]["token"]
    with capture_logs() as lines:
        await shop.refused("get.user.info", token=token, sign="0" * 32)
        await shop.refused("get.user.info", token=token, sign="")
        await shop.refused("set.user.item", token=token, client_id="99", nickname="n")
    assert [reason for _, reason, _ in told(lines)] == ["sign_invalid", "sign_missing", "forbidden"]


async def test_what_flows_refuse_is_told_too(harness: Harness) -> None:
    await harness.add_account("alice1", phone="13544285663", password=PASSWORD)
    client, shop = Client(harness), Shop(harness)
    held = (await shop.log_in("alice1", PASSWORD))["token"]
    with capture_logs() as lines:
        await client.log_in("alice1", CANARY)
        await client.post("/users/mobile/sms", mobile="13544285663", captcha_token=CANARY)
        await client.post("/users/behavior/verification", captcha_id=CANARY)
        await client.post("/users/login", login_id="alice1", password=CANARY, device_id="d", device_sign=CANARY)
        await shop.refused("login.user.user", username="alice1", password=CANARY, platform="pc")
        await shop.refused("ver.verification.sms", mobile="13544285663", code="000000")
        await shop.refused("check.user.username", username="alice1")
        await shop.refused("refresh.user.token", token=held["token"], refresh="f" * 32)
    assert [reason for _, reason, _ in told(lines)] == [
        "wrong_credentials", "captcha_invalid", "captcha_invalid", "device_sign_invalid",
        "wrong_credentials", "wrong_code", "already_taken", "refresh_invalid",
    ]  # fmt: skip


async def test_the_token_check(harness: Harness) -> None:
    with capture_logs() as lines:
        for headers in ({}, {"authorization": f"Bearer {CANARY}"}):
            assert (await harness.client.get("/auth/verify", headers=headers)).status_code == 401
    assert told(lines) == [("verify", "unauthenticated", "127.0.0.1")] * 2


async def test_hosts_that_are_not_ours(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__HOSTS": '["login.example"]'}) as h:
        with capture_logs() as lines:
            for host in ("evil.example", "login.example:1:2", "login.example"):
                await h.client.get("/openapi.json", headers={"host": host})
    assert told(lines) == [("host", "misdirected_request", "127.0.0.1"), ("host", "bad_host", "127.0.0.1")]


async def test_each_item_of_a_batch(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    shop = Shop(harness)
    login = {"version": "v1", "controller": "user", "method": "login.user.user", "username": CANARY}
    own = login | {"method": "get.user.info", "client_id": "1"}
    asked = shop.asked("", batch=[login, own]) | {"batch": [login, own]}
    with capture_logs() as lines:
        assert (await harness.client.post("/api/batch", json=asked)).json()["status"] == 200
    assert told(lines) == [("careyshop", "invalid_request", "127.0.0.1"), ("careyshop", "invalid_request", "127.0.0.1")]


async def test_a_network_that_the_settings_deny(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_RISK__DENY": '["192.0.2.0/24"]'}) as h:
        with capture_logs() as lines:
            assert (await Client(h, ip="192.0.2.7").log_in("alice1")).status_code == 403
    assert told(lines) == [("weidu", "forbidden", "192.0.2.7")]


async def test_what_is_granted_is_no_refusal(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    client = Client(harness)
    with capture_logs() as lines:
        await client.log_in("alice1")
        assert await client.alive()
        await Shop(harness).log_in("alice1", PASSWORD)
    assert told(lines) == []


def test_a_flood_leaves_a_hundred_lines_and_then_powers_of_two() -> None:
    refusals, now = Refusals(), Clock().now()
    with capture_logs() as lines:
        for _ in range(1030):
            refusals.note("weidu", "csrf", lambda: "192.0.2.7", now)
        refusals.note("weidu", "unauthenticated", lambda: "192.0.2.7", now)
    assert [line["seen"] for line in lines] == [*range(1, LINES_AN_HOUR + 1), 128, 256, 512, 1024, 1]
    with capture_logs() as lines:
        refusals.note("weidu", "csrf", lambda: "192.0.2.7", Instant(now + HOUR))
    assert [line["seen"] for line in lines] == [1]


async def test_the_dialects_of_one_server_count_apart(harness: Harness) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            await harness.client.get(INFO)
            await Shop(harness).refused("get.user.info")
    assert [line["seen"] for line in lines] == [1, 1, 2, 2, 3, 3]
