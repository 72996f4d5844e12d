"""The behaviour test of an app with a captcha vendor, as clients see it. (docs/contracts/weidu.md section 5.1.)"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from menshen.app.telemetry.metrics import TokenChecks, render
from menshen.core.apps import CaptchaRule
from tests.app.telemetry.test_telemetry import value
from tests.harness import Harness, open_harness
from tests.wire.weidu.captchas.vendor_server import FAILS, NAME, PASSES, SECRET, VendorServer, vendor_server
from tests.wire.weidu.client import PASSWORD, Client, said

TOKEN = "0.a-token_of-the-page.Zz9"


@pytest.fixture
async def vendor() -> AsyncIterator[VendorServer]:
    async with vendor_server() as made:
        yield made


async def hand_in(client: Client, token: str = TOKEN) -> Any:
    return await client.post("/users/behavior/verification", captcha_id=token)


def counted(outcome: str) -> float:
    return value("menshen_captcha_verified_total", provider=NAME, outcome=outcome)


async def test_a_token_of_the_vendor_opens_what_asks_for_a_captcha(vendor: VendorServer, tmp_path: Path) -> None:
    async with open_harness(tmp_path, vendor.environ()) as h:
        await h.change_app(captcha_vendor=NAME, captcha=CaptchaRule.ALWAYS)
        await h.add_account("alice1", password=PASSWORD)
        me, before = Client(h), counted("passed")
        asked = await me.log_in("alice1")
        assert said(asked) == (428, "captcha_required")
        # No built-in test is offered: the page shows the vendor's.
        assert "challenge" not in asked.json()
        assert said(await me.get("/users/behavior/challenge")) == (404, "not_found")
        got = await hand_in(me)
        assert said(got) == (200, "ok")
        assert said(await me.log_in("alice1", captcha_token=got.json()["captcha_token"])) == (200, "ok")
        assert vendor.asked == [{"secret": SECRET, "response": TOKEN, "remoteip": "127.0.0.1"}]
        again = await hand_in(me)
        assert said(again) == (428, "captcha_invalid")
        assert "challenge" not in again.json()
        assert counted("passed") == before + 1


async def test_a_token_that_fails(vendor: VendorServer, tmp_path: Path) -> None:
    vendor.answer = FAILS
    async with open_harness(tmp_path, vendor.environ()) as h:
        await h.change_app(captcha_vendor=NAME)
        refused = await hand_in(Client(h))
        assert said(refused) == (428, "captcha_invalid")
        assert "challenge" not in refused.json()
        for captcha_id, word in (
            ("", "invalid_request"),
            ("x" * 8193, "invalid_request"),
            ("x" * 8192, "captcha_invalid"),
        ):
            assert said(await hand_in(Client(h), captcha_id))[1] == word
    assert len(vendor.asked) == 1


@pytest.mark.attack("CV-1", "CV-5")
async def test_a_vendor_without_an_answer(vendor: VendorServer, tmp_path: Path) -> None:
    vendor.answer = None
    async with open_harness(tmp_path, vendor.environ()) as h:
        await h.change_app(captcha_vendor=NAME)
        me, before = Client(h), counted("unknown")
        with capture_logs() as lines:
            refused = await hand_in(me)
        assert said(refused) == (428, "captcha_required")
        challenge = refused.json()["challenge"]
        assert challenge["parameters"]["data"]["difficulty"] == 2
        got = await hand_in(me, h.solve(challenge))
        assert said(got) == (200, "ok")
        assert len(got.json()["captcha_token"]) == 26
        assert counted("unknown") == before + 1
        (line,) = [line for line in lines if line["event"] == "captcha.unanswered"]
        assert {name: line[name] for name in ("vendor", "type", "result", "seen", "log_level")} == {
            "vendor": NAME, "type": "specimen", "result": "unknown", "seen": 1, "log_level": "warning",
        }  # fmt: skip
        shown = str(lines) + render(TokenChecks())[0].decode()
        assert TOKEN not in shown
        assert SECRET not in shown


@pytest.mark.attack("CV-1")
async def test_an_operator_may_refuse_instead(vendor: VendorServer, tmp_path: Path) -> None:
    vendor.answer = {"success": False, "errors": ["secret-invalid"]}
    async with open_harness(tmp_path, vendor.environ(fallback="refuse")) as h:
        await h.change_app(captcha_vendor=NAME)
        refused = await hand_in(Client(h))
        assert said(refused) == (503, "unavailable")
        assert "challenge" not in refused.json()


@pytest.mark.attack("CV-6", "HD-1")
async def test_the_vendor_hears_the_address_behind_the_trusted_proxies(vendor: VendorServer, tmp_path: Path) -> None:
    async def hand_in_by_proxy(h: Harness, token: str) -> None:
        await h.change_app(captcha_vendor=NAME)
        sent = {"x_forwarded_for": "203.0.113.5, 198.51.100.9"}
        await Client(h).call("POST", "/users/behavior/verification", {"captcha_id": token}, **sent)

    for n, proxies in enumerate((0, 1, 1)):
        environ = {"MENSHEN_SERVER__TRUSTED_PROXIES": str(proxies)}
        folder = tmp_path / str(n)
        folder.mkdir()
        async with open_harness(folder, vendor.environ(send_ip=n < 2) | environ) as h:
            await hand_in_by_proxy(h, f"0.token-{n}")
    assert [asked.get("remoteip") for asked in vendor.asked] == ["127.0.0.1", "198.51.100.9", None]


@pytest.mark.attack("CV-6")
async def test_a_token_of_another_page_or_action_is_refused(vendor: VendorServer, tmp_path: Path) -> None:
    async with open_harness(tmp_path, vendor.environ()) as h:
        await h.change_app(captcha_vendor=NAME)
        others: list[dict[str, Any]] = [{"hostname": "evil.example"}, {"action": "signup"}, {"solved_at": 1}]
        for n, other in enumerate(others):
            vendor.answer = PASSES | other
            assert said(await hand_in(Client(h), f"0.token-{n}")) == (428, "captcha_invalid")
