"""What a request carries for second steps: cookies, the token of a trusted device, and the name of this server.

(docs/contracts/factors.md sections 3, 6 and 8, docs/security/attacks.md CK-9, MF-1.)
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import NO_STEP, StepCarriers
from menshen.core.time import DAY, after
from menshen.testing.scripted_flows import NOW
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from tests.wire.weidu.scripted import TOKEN, ScriptedWeidu, granted
from tests.wire.weidu.steps.asking import (
    BINDS,
    CREDENTIAL,
    HTTP,
    HTTPS,
    LOGINS,
    PAGE,
    STEP_AT,
    TAIL,
    TRUST,
    TRUST_AT,
    ask,
    cookies,
)

LOGIN = LOGINS["/users/login"][1]
SECOND = {"login_ticket": "k" * 26, "code": "482913"}
LISTED = "https://shop.example"
WINDOWS = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "content-type": "application/json"}
BASES = pytest.mark.parametrize("base", [HTTP, HTTPS])


async def carried(script: ScriptedWeidu, base: str = HTTP, *, body: object = None, **headers: str) -> StepCarriers:
    """Log in with a password, and return what the flow was given."""
    script.answers["login.password"] = Denied(ProblemCode.WRONG_CREDENTIALS)
    response = await ask(script, "/users/login", body or LOGIN, base=base, **headers)
    assert response.status_code == 401, response.text
    found: StepCarriers = script.asks("login.password")[-1][1].step
    return found


async def test_a_program_carries_nothing(script: ScriptedWeidu) -> None:
    assert await carried(script) is NO_STEP
    assert await carried(script, **WINDOWS) is NO_STEP


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": HTTP}, True),
        ({"origin": LISTED, "sec-fetch-site": "same-site"}, True),
        # No cookie of ours comes back with these, so that none can bind a ticket.
        ({"origin": LISTED, "sec-fetch-site": "cross-site"}, False),
        ({"origin": LISTED}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_a_page_is_one_whose_cookies_come_back(
    script: ScriptedWeidu, headers: dict[str, str], page: bool
) -> None:
    script.origins = frozenset({LISTED})
    assert (await carried(script, **headers)).browser is page


@BASES
async def test_the_cookies_are_read_by_their_names(script: ScriptedWeidu, base: str) -> None:
    both = f"{STEP_AT[base]}={BINDS}; {TRUST_AT[base]}={TRUST}"
    assert await carried(script, base, cookie=both, **PAGE) == StepCarriers(True, BINDS, TRUST)
    other = HTTP if base == HTTPS else HTTPS
    # A cookie that a plain connection or a sibling could have set is none over HTTPS.
    both = f"{STEP_AT[other]}={BINDS}; {TRUST_AT[other]}={TRUST}"
    assert await carried(script, base, cookie=both, **PAGE) == StepCarriers(browser=True)


@BASES
@pytest.mark.attack("CK-9")
@pytest.mark.parametrize("first", [BINDS, "x" * 26])
async def test_two_of_one_name_are_none(script: ScriptedWeidu, base: str, first: str) -> None:
    for name in (STEP_AT[base], TRUST_AT[base]):
        given = await carried(script, base, cookie=f"{name}={first}; {name}={BINDS}", **PAGE)
        if base == HTTPS or first != BINDS:
            assert given == StepCarriers(browser=True)
    assert await carried(script, base, cookie=f"{STEP_AT[base]}={'x' * 129}", **PAGE) == StepCarriers(browser=True)


async def test_a_trusted_device_may_come_in_the_body_but_a_cookie_goes_before_it(script: ScriptedWeidu) -> None:
    body = {**LOGIN, "trust_token": "o" * 26}
    assert await carried(script, body=body) == StepCarriers(trust="o" * 26)
    assert (await carried(script, body=body, cookie=f"menshenTRUST={TRUST}", **PAGE)).trust == TRUST


@BASES
async def test_calls_about_passkeys_know_how_the_request_names_this_server(script: ScriptedWeidu, base: str) -> None:
    script.log_in()
    bearer = {"authorization": f"Bearer {TOKEN}"}
    asking = [route for route in ROUTES if route.asks_passkeys]
    assert {route.path for route in asking} == {
        "/users/login/second",
        "/users/login/second/options",
        "/users/passkey/options",
        "/users/passkey/login",
        "/users/passkeys/options",
        "/users/passkeys",
        "/users/prove",
        "/users/prove/options",
    }
    for route in asking:
        script.answers[route.flow] = Denied(ProblemCode.FORBIDDEN)
        body: dict[str, object] = {}
        if "credential" in route.body.__struct_fields__:
            body["credential"] = CREDENTIAL
        if "method" in route.body.__struct_fields__:
            body["method"] = "passkey"
        if route.access in {Access.LOGIN, Access.TICKET} and "second" in route.path:
            body["login_ticket"] = "k" * 26
        response = await ask(script, route.path, body, base=base, **bearer)
        assert response.status_code == 403, (route.path, response.text)
        assert script.asks(route.flow)[-1][-1].step == StepCarriers(site=base)


def trusting() -> Granted:
    return replace(granted(), trust=TRUST, trust_until=after(NOW, 30 * DAY))


@pytest.mark.parametrize("path", ["/users/login", "/users/mobile/login", "/users/login/second"])
async def test_a_program_reads_the_token_of_its_trusted_device_from_the_body(script: ScriptedWeidu, path: str) -> None:
    flow, body = LOGINS.get(path, ("login.second", SECOND))
    script.answers[flow] = granted()
    plain = await ask(script, path, body)
    script.answers[flow] = trusting()
    trusted = await ask(script, path, body)
    assert trusted.content == plain.content[:-1] + f',"trust_token":"{TRUST}"}}'.encode()
    assert cookies(trusted) == cookies(plain)


@BASES
@pytest.mark.parametrize("path", ["/users/login", "/users/login/second"])
async def test_a_page_gets_it_as_a_cookie_that_no_script_reads(script: ScriptedWeidu, base: str, path: str) -> None:
    flow, body = LOGINS.get(path, ("login.second", SECOND))
    script.answers[flow] = granted()
    plain = await ask(script, path, body, base=base, **PAGE)
    script.answers[flow] = trusting()
    trusted = await ask(script, path, body, base=base, **PAGE)
    assert trusted.content == plain.content
    until = "Expires=Tue, 03 Nov 2020 09:19:55 GMT"
    assert cookies(trusted) == [*cookies(plain), f"{TRUST_AT[base]}={TRUST}; Path=/; {until}; {TAIL[base]}"]


async def test_a_mini_program_on_windows_gets_it_in_the_body_and_no_cookie(script: ScriptedWeidu) -> None:
    script.answers["login.second"] = trusting()
    response = await ask(script, "/users/login/second", SECOND, **WINDOWS)
    assert response.json()["trust_token"] == TRUST
    assert cookies(response) == []
