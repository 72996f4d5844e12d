"""What a login brings along, and what it takes the place of."""

import pytest

from menshen.core.apps import SessionRule
from menshen.core.login.asks import PasswordLogin
from menshen.core.login.outcomes import Granted
from menshen.core.networks import scales_of
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import FIXED
from menshen.core.tokens import TokenStyle
from tests.harness import Harness
from tests.wire.weidu.client import OK, PASSWORD, Client, said

PHONE, OTHER_PHONE = "13544285662", "13800138000"


async def test_a_login_of_another_house_is_good_here(harness: Harness) -> None:
    account = await harness.add_account("ken_account", PHONE, password=PASSWORD)
    shop = DialectRules("careyshop", TokenStyle.HEX, FIXED, SessionRule.ONE_PER_PLATFORM)
    granted = await harness.flows.login.password(
        PasswordLogin("ken_account", PASSWORD, "web"), Origin(harness.app, shop, "127.0.0.1", scales_of("127.0.0.1"))
    )
    assert isinstance(granted, Granted)
    me = Client(harness, token=granted.token)
    assert (await me.get("/users/info")).json()["user_info"]["id"] == account.public_id
    (listed,) = (await me.get("/users/sessions")).json()["sessions"]
    assert (listed["platform"], listed["current"]) == ("web", True)
    assert said(await me.post("/users/logout")) == OK
    assert not isinstance(await harness.flows.sessions.authenticate(granted.token), Authenticated)


@pytest.mark.attack("TK-7")
async def test_a_browser_that_logs_in_again_has_one_login(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    await harness.add_account("eve_account", OTHER_PHONE, password=PASSWORD)
    browser = Client(harness, browser=True)
    await browser.log_in("ken_account")
    first = dict(browser.cookies)
    await browser.log_in("eve_account")
    assert browser.cookies["menshenUSERID"] != first["menshenUSERID"]
    assert not await Client(harness, browser=True, cookies=first).alive()
    assert (await browser.get("/users/info")).json()["user_info"]["username"] == "eve_account"


@pytest.mark.attack("TK-1")
async def test_a_cookie_somebody_planted_is_never_adopted(harness: Harness) -> None:
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    planted = {"menshenAUTHTOKEN": "y" * 26, "menshenCSRF": "b" * 26}
    browser = Client(harness, browser=True, cookies=dict(planted))
    assert said(await browser.log_in("ken_account")) == OK
    assert browser.cookies["menshenAUTHTOKEN"] != planted["menshenAUTHTOKEN"]
    assert browser.cookies["menshenCSRF"] != planted["menshenCSRF"]
    assert not await Client(harness, browser=True, cookies=planted).alive()


@pytest.mark.attack("TK-1")
@pytest.mark.parametrize("name", ["authorization", "token", "x-session-id", "cookie"])
async def test_a_token_somebody_planted_is_never_adopted(harness: Harness, name: str) -> None:
    await harness.add_account("ken_account", PHONE, password=PASSWORD)
    planted = "y" * 26
    value = {"authorization": f"Bearer {planted}", "cookie": f"session={planted}"}.get(name, planted)
    body = {"login_id": "ken_account", "password": PASSWORD, "token": planted}
    answer = await Client(harness).call("POST", f"/users/login?token={planted}", body, **{name: value})
    assert said(answer) == OK
    assert planted not in answer.headers["token"] + answer.text
    assert not await Client(harness, token=planted).alive()
