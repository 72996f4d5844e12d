"""Whole logins in two steps, as a page and as an app make them. (docs/contracts/factors.md sections 3, 7, 8 and 11.)"""

from __future__ import annotations

import httpx
import pyotp
import pytest

from menshen.core.apps import SecondFactorRule
from menshen.core.time import MINUTE, SECOND
from menshen.wire.weidu.routing import PREFIX
from tests.harness import Harness
from tests.wire.weidu.client import OK, PASSWORD, Client, said

PHONE = "13544285662"


def code_of(harness: Harness, secret: str) -> str:
    """Return what an authenticator shows now. Each further call is a minute later, because a code is good once."""
    harness.clock.advance(MINUTE)
    return pyotp.TOTP(secret).at(harness.clock.now() // SECOND)


async def enrol(harness: Harness, client: Client) -> tuple[str, httpx.Response]:
    """Log in where a factor is required, enrol by the ticket, and return the secret and the answer of the login."""
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    await harness.change_app(second_factor=SecondFactorRule.REQUIRED)
    asked = (await client.log_in("ken_account")).json()
    assert (asked["error"], asked["enroll"], asked["mobile"]) == ("second_factor_required", True, "135****5662")
    ticket = asked["login_ticket"]
    assert said(await client.post("/users/totp/begin", login_ticket=ticket)) == (403, "proof_required")
    assert (await client.post("/users/login/second/sms", login_ticket=ticket)).json()["mobile"] == "135****5662"
    code = (await harness.messages())[-1].code
    begun = (await client.post("/users/totp/begin", login_ticket=ticket, sms_code=code)).json()
    confirming = {"login_ticket": ticket, "code": code_of(harness, begun["secret"])}
    return begun["secret"], await client.post("/users/totp", **confirming)


async def test_a_page_enrols_and_comes_back(harness: Harness) -> None:
    browser = Client(harness, browser=True)
    secret, done = await enrol(harness, browser)
    assert said(done) == OK
    assert len(done.json()["recovery_codes"]) == 10
    assert set(browser.cookies) == {"menshenAUTHTOKEN", "menshenUSERID", "menshenCSRF"}
    assert await browser.alive()
    await browser.post("/users/logout")

    asked = (await browser.log_in("ken_account")).json()
    assert asked["methods"] == ["totp", "recovery"]
    assert set(browser.cookies) == {"menshenSTEP"}
    step = {"login_ticket": asked["login_ticket"], "code": "000000"}
    wrong = await browser.post("/users/login/second", **step)
    assert (said(wrong), wrong.json()["tries_left"]) == ((401, "wrong_second_factor"), 4)
    right = step | {"code": code_of(harness, secret), "trust_device": True}
    done = await browser.post("/users/login/second", **right)
    assert said(done) == OK
    assert "recovery_codes" not in done.json()
    assert "trust_token" not in done.json()
    assert set(browser.cookies) == {"menshenAUTHTOKEN", "menshenUSERID", "menshenCSRF", "menshenTRUST"}
    await browser.post("/users/logout")

    before = browser.cookies["menshenTRUST"]
    assert said(await browser.log_in("ken_account")) == OK
    assert browser.cookies["menshenTRUST"] != before


@pytest.mark.attack("MF-1")
async def test_a_ticket_of_a_page_is_of_no_use_elsewhere(harness: Harness) -> None:
    browser = Client(harness, browser=True)
    secret, _ = await enrol(harness, browser)
    await browser.post("/users/logout")
    ticket = (await browser.log_in("ken_account")).json()["login_ticket"]
    step = {"login_ticket": ticket, "code": code_of(harness, secret)}
    for other in (Client(harness, browser=True), Client(harness)):
        assert said(await other.post("/users/login/second", **step)) == (401, "ticket_invalid")
        assert other.cookies == {}
    cookie = f"menshenSTEP={browser.cookies['menshenSTEP']}"
    foreign = await Client(harness).call(
        "POST", "/users/login/second", step, sec_fetch_site="cross-site", cookie=cookie
    )
    assert said(foreign) == (403, "csrf")
    assert said(await browser.post("/users/login/second", **step)) == OK


async def test_an_app_trusts_its_device_by_a_token_in_the_body(harness: Harness) -> None:
    app = Client(harness)
    secret, done = await enrol(harness, app)
    assert said(done) == OK
    device = {"device_id": "phone-1"}
    asked = (await app.log_in("ken_account", **device)).json()
    step = {"login_ticket": asked["login_ticket"], "code": code_of(harness, secret), "trust_device": True}
    assert said(await app.post("/users/login/second", **step)) == (401, "ticket_invalid")
    trust = (await app.post("/users/login/second", **step, **device)).json()["trust_token"]
    again = await app.log_in("ken_account", **device, trust_token=trust)
    assert said(again) == OK
    assert again.json()["trust_token"] not in {"", trust}
    # A token that was replaced is no longer trusted, nor is the device: it was copied.
    assert said(await app.log_in("ken_account", **device, trust_token=trust)) == (428, "second_factor_required")
    newest = again.json()["trust_token"]
    assert said(await app.log_in("ken_account", **device, trust_token=newest)) == (428, "second_factor_required")


async def test_a_code_may_come_with_the_password(harness: Harness) -> None:
    app = Client(harness)
    secret, _ = await enrol(harness, app)
    wrong = await app.log_in("ken_account", second_code="000000")
    assert (said(wrong), wrong.json()["tries_left"]) == ((401, "wrong_second_factor"), 4)
    assert "token" not in wrong.headers
    plain = await app.log_in("ken_account", second_code=code_of(harness, secret))
    assert said(plain) == OK
    listed = (await app.get("/users/factors")).json()
    assert [factor["kind"] for factor in listed["factors"]] == ["totp"]
    assert listed["required"]
    async with harness.client_from("127.0.0.1") as client:
        answer = await client.get(PREFIX + "/users/factors", headers={"token": app.token})
    assert secret not in answer.text
