"""A ticket is unknown where a token is read, and a token where a ticket is. (docs/contracts/factors.md section 3.)"""

from __future__ import annotations

import pytest

from menshen.core.apps import SecondFactorRule
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from menshen.wire.weidu.routing import PREFIX
from tests.harness import Harness
from tests.wire.weidu.client import PASSWORD, Client, said

UNKNOWN = (401, "unauthenticated")
PRIVATE = [route for route in ROUTES if route.access in {Access.PRIVATE, Access.ENROLMENT}]
BY_TICKET = {
    "/users/login/second": {"code": "482913"},
    "/users/login/second/options": {},
    "/users/login/second/sms": {},
    "/users/totp/begin": {},
    "/users/totp": {"code": "482913"},
    "/users/passkeys/options": {},
}
WHOLE = {"/users/totp": {"code": "482913"}, "/users/passkeys": {"credential": {"id": "AQ"}}}


async def waiting(harness: Harness, client: Client) -> str:
    """Log in to an account that must have a second factor, and return the ticket."""
    await harness.add_account("ken_account", "13544285662", password=PASSWORD)
    await harness.change_app(second_factor=SecondFactorRule.REQUIRED)
    response = await client.log_in("ken_account")
    assert said(response) == (428, "second_factor_required")
    ticket: str = response.json()["login_ticket"]
    return ticket


@pytest.mark.attack("TK-6", "TK-8")
async def test_a_ticket_is_no_token_anywhere(harness: Harness) -> None:
    ticket = await waiting(harness, Client(harness))
    for route in PRIVATE:
        path = PREFIX + route.path.replace("{id}", "x" * 26)
        for headers in (
            {"authorization": f"Bearer {ticket}"},
            {"token": ticket},
            {"cookie": f"menshenAUTHTOKEN={ticket}; menshenCSRF={ticket}", "x-csrf-token": ticket},
        ):
            # An enrolment reads its body before, which may hold a ticket.
            body = WHOLE.get(route.path) if route.access is Access.ENROLMENT else None
            answer = await harness.client.request(route.verb, path, json=body, headers=headers)
            assert said(answer) == UNKNOWN, (route.path, headers)
            assert (await harness.client.get("/auth/verify", headers=headers)).status_code == 401


@pytest.mark.attack("TK-6")
async def test_nor_does_the_cookie_of_a_ticket_open_anything(harness: Harness) -> None:
    browser = Client(harness, browser=True)
    await waiting(harness, browser)
    assert list(browser.cookies) == ["menshenSTEP"]
    for name in ("menshenSTEP", "menshenAUTHTOKEN"):
        headers = {"cookie": f"{name}={browser.cookies['menshenSTEP']}"}
        answer = await harness.client.get(PREFIX + "/users/info", headers=headers)
        assert said(answer) == UNKNOWN


@pytest.mark.attack("TK-6")
@pytest.mark.parametrize("path", BY_TICKET)
async def test_a_token_is_no_ticket(harness: Harness, path: str) -> None:
    await harness.add_account("ken_account", "13544285662", password=PASSWORD)
    me = Client(harness)
    await me.log_in("ken_account")
    answer = await Client(harness).post(path, login_ticket=me.token, **BY_TICKET[path])
    assert said(answer) == (401, "ticket_invalid")
    assert await me.alive()
