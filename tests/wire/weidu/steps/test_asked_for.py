"""A login whose first proof was right, and that waits for its second step.

(docs/contracts/factors.md sections 2, 3 and 11.)
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from menshen.core.problems import Denied, ProblemCode
from menshen.testing.scripted_flows import APP
from menshen.wire.weidu.texts import Message, sentence
from tests.wire.weidu.scripted import ScriptedWeidu, granted
from tests.wire.weidu.steps.asking import (
    BINDS,
    FOREIGN,
    GONE,
    HTTP,
    HTTPS,
    LOGINS,
    PAGE,
    STEP_AT,
    TAIL,
    TICKET,
    ask,
    cookies,
    waiting,
)

EVERY_LOGIN = pytest.mark.parametrize(("path", "flow", "body"), [(p, f, b) for p, (f, b) in LOGINS.items()])
ANYWHERE = pytest.mark.parametrize("base", [HTTP, HTTPS])
UNTIL = "Expires=Sun, 04 Oct 2020 09:24:55 GMT"


@EVERY_LOGIN
async def test_every_login_answers_a_ticket_and_nothing_of_a_session(
    script: ScriptedWeidu, path: str, flow: str, body: dict[str, str]
) -> None:
    script.answers[flow] = waiting()
    response = await ask(script, path, body)
    assert response.status_code == 428
    assert (
        response.content
        == (
            '{"code":428,"result":"账号已开启两步验证，请完成验证","error":"second_factor_required",'
            '"login_ticket":"kkkkkkkkkkkkkkkkkkkkkkkkkk","methods":["totp","recovery"],"expires_in":300}'
        ).encode()
    )
    assert "token" not in response.headers
    assert cookies(response) == []
    assert "captcha.new_challenge" not in [name for name, _ in script.asked]


async def test_a_login_that_must_enrol_says_so_and_which_phone_comes_first(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = waiting(methods=(), enroll=True, allowed=("totp",), phone="135****5663")
    response = await ask(script, "/users/login", LOGINS["/users/login"][1], accept_language="en")
    assert response.text == (
        f'{{"code":428,"result":"{sentence(Message.SECOND_FACTOR_REQUIRED, "en")}","error":"second_factor_required",'
        '"login_ticket":"kkkkkkkkkkkkkkkkkkkkkkkkkk","methods":[],"expires_in":300,'
        '"enroll":true,"allowed":["totp"],"mobile":"135****5663"}'
    )


# A sign-up makes a new account, which has no factor yet.
@pytest.mark.parametrize("path", [path for path in LOGINS if path != "/users/mobile/signup"])
async def test_a_code_may_come_along(script: ScriptedWeidu, path: str) -> None:
    flow, body = LOGINS[path]
    script.answers[flow] = waiting(refused=Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=4))
    response = await ask(script, path, {**body, "second_code": "000000"})
    assert script.asks(flow)[0][0].second_code == "000000"
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert (
        response.content
        == (
            '{"code":401,"result":"验证失败，请重试","error":"wrong_second_factor",'
            '"login_ticket":"kkkkkkkkkkkkkkkkkkkkkkkkkk","methods":["totp","recovery"],"expires_in":300,"tries_left":4}'
        ).encode()
    )
    script.answers[flow] = waiting(refused=Denied(ProblemCode.TOO_MANY_REQUESTS, 600), methods=("passkey",))
    response = await ask(script, path, {**body, "second_code": "000000"})
    assert (response.status_code, response.headers["retry-after"]) == (429, "600")
    assert (
        response.content
        == (
            '{"code":429,"result":"操作过于频繁，请600秒后重试","error":"too_many_requests","retry_after":600,'
            '"login_ticket":"kkkkkkkkkkkkkkkkkkkkkkkkkk","methods":["passkey"],"expires_in":300}'
        ).encode()
    )
    await ask(script, path, body)
    assert script.asks(flow)[-1][0].second_code == ""


@ANYWHERE
@pytest.mark.parametrize("refused", [None, Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=4)])
async def test_a_page_gets_the_cookie_that_binds_the_ticket_and_no_other(
    script: ScriptedWeidu, base: str, refused: Denied | None
) -> None:
    script.answers["login.password"] = waiting(cookie=BINDS, refused=refused)
    response = await ask(script, "/users/login", LOGINS["/users/login"][1], base=base, **PAGE)
    assert script.asks("login.password")[0][1].step.browser
    assert cookies(response) == [f"{STEP_AT[base]}={BINDS}; Path=/; {UNTIL}; {TAIL[base]}"]
    assert "token" not in response.headers


async def test_its_name_begins_as_the_app_says(script: ScriptedWeidu) -> None:
    script.app = replace(APP, cookie_prefix="shop_", cookie_domain="example")
    script.answers["login.password"] = waiting(cookie=BINDS)
    response = await ask(script, "/users/login", LOGINS["/users/login"][1], base=HTTPS, **PAGE)
    assert cookies(response) == [f"__Host-shop_STEP={BINDS}; Path=/; {UNTIL}; {TAIL[HTTPS]}"]


@ANYWHERE
async def test_a_login_that_succeeds_deletes_it(script: ScriptedWeidu, base: str) -> None:
    """Another login may have taken the place of the one that waited."""
    script.answers["login.password"] = granted()
    without = await ask(script, "/users/login", LOGINS["/users/login"][1], base=base, **PAGE)
    for value in (BINDS, ""):
        cookie = f"{STEP_AT[base]}={value}"
        after = await ask(script, "/users/login", LOGINS["/users/login"][1], base=base, cookie=cookie, **PAGE)
        assert cookies(after) == [*cookies(without), f"{STEP_AT[base]}=; {GONE}; {TAIL[base]}"]
        assert after.content == without.content


@pytest.mark.attack("MF-1", "CK-2")
@EVERY_LOGIN
async def test_a_foreign_page_gets_no_ticket(script: ScriptedWeidu, path: str, flow: str, body: dict[str, str]) -> None:
    response = await ask(script, path, body, **FOREIGN)
    assert (response.status_code, response.json()["error"]) == (403, "csrf")
    assert script.asks(flow) == []
    assert TICKET not in response.text
