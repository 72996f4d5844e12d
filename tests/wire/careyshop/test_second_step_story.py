"""A client of the shop that knows the second step, from refusal to session.

(docs/contracts/factors.md sections 3, 4, 7 and 11.)
"""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.time import SECOND
from tests.harness import Harness
from tests.wire.careyshop.shop import ACCOUNT_FIELDS, TOKEN_FIELDS, Shop
from tests.wire.two_steps import code_of, enrol_app, give_recovery_codes
from tests.wire.weidu.client import Client

WRONG, OVER = "验证码错误", "登录已失效，请重新登录"
PASSWORD = "Passw0rd!"


@pytest.fixture
async def codes(shop: Shop) -> list[str]:
    """Alice has a second step; these are her recovery codes."""
    account = await shop.harness.store.read.accounts.find(1)
    await enrol_app(shop.harness, account)
    return await give_recovery_codes(shop.harness, account)


async def ticket(shop: Shop, platform: str = "pc") -> str:
    body = await shop.call("login.user.user", username="alice1", password=PASSWORD, platform=platform)
    return str(body["data"]["second"]["ticket"])


async def step(shop: Shop, named: str, code: str, **more: Any) -> dict[str, Any]:
    return await shop.call("second.user.user", ticket=named, code=code, **more)


def later(shop: Shop) -> str:
    """The code of a step that was not used yet."""
    shop.harness.clock.advance(60 * SECOND)
    return code_of(shop.harness)


@pytest.mark.usefixtures("codes")
async def test_the_step_answers_as_the_login_and_takes_the_platform_of_the_ticket(shop: Shop) -> None:
    h = shop.harness
    body = await step(shop, await ticket(shop, "iOS"), code_of(h))
    assert (body["status"], body["message"]) == (200, "success")
    assert [list(body["data"]), list(body["data"]["user"]), list(body["data"]["token"])] == [
        ["user", "token"], ACCOUNT_FIELDS, TOKEN_FIELDS,
    ]  # fmt: skip
    first = body["data"]["token"]["token"]
    (session,) = await h.store.read.sessions.list_of(1)
    assert (session.platform, session.level, session.methods) == ("ios", 2, "pwd otp")
    # A ticket alone ends nothing; the step that follows it ends the rival of its platform.
    named = await ticket(shop, "IOS ")
    assert await shop.is_live(first)
    again = await step(shop, named, later(shop))
    assert not await shop.is_live(first)
    assert await shop.is_live(again["data"]["token"]["token"])
    assert again["data"]["user"]["last_ip"] == "127.0.0.1"


async def test_a_recovery_code_is_good_once_however_it_is_typed(shop: Shop, codes: list[str]) -> None:
    typed = f"{codes[0][:4]}-{codes[0][4:8]} {codes[0][8:]}".upper()
    assert (await step(shop, await ticket(shop), typed, factor="recovery"))["status"] == 200
    named = await ticket(shop)
    for factor in ("recovery", "totp"):
        assert (await step(shop, named, typed, factor=factor))["message"] == WRONG
    assert (await step(shop, named, codes[1], factor="recovery"))["status"] == 200
    assert await shop.harness.store.read.recovery_codes.left(1) == len(codes) - 2


@pytest.mark.attack("RACE-2")
@pytest.mark.usefixtures("codes")
async def test_a_ticket_and_a_code_are_good_once(shop: Shop) -> None:
    one, other, code = await ticket(shop), await ticket(shop), code_of(shop.harness)
    assert (await step(shop, one, code))["status"] == 200
    assert (await step(shop, one, later(shop)))["message"] == OVER
    shop.harness.clock.advance(-60 * SECOND)
    assert (await step(shop, other, code))["message"] == WRONG
    assert len(await shop.harness.store.read.sessions.list_of(1)) == 1


@pytest.mark.usefixtures("codes")
async def test_five_wrong_steps_or_five_minutes_end_a_ticket(shop: Shop) -> None:
    named = await ticket(shop)
    for _ in range(5):
        assert (await step(shop, named, code_of(shop.harness, 50)))["message"] == WRONG
    assert (await step(shop, named, code_of(shop.harness)))["message"] == OVER
    shop.harness.clock.advance(3600 * SECOND)
    named = await ticket(shop)
    shop.harness.clock.advance(300 * SECOND)
    assert (await step(shop, named, code_of(shop.harness)))["message"] == OVER
    assert await shop.harness.store.read.sessions.list_of(1) == []


@pytest.mark.attack("MF-1")
@pytest.mark.usefixtures("codes")
async def test_a_ticket_belongs_to_its_app_dialect_and_network(shop: Shop) -> None:
    """Elsewhere it is as unknown as one that somebody made up, and none of that is a try of it."""
    h: Harness = shop.harness
    other = await h.add_app("other", appkey="22222222", secret="o" * 32)
    named, code = await ticket(shop), code_of(h)
    wanted = await step(shop, "0" * 32, code)
    assert wanted == {"status": 500, "message": OVER, "data": None}
    for _ in range(6):
        assert await step(shop, named, code, appkey=other.appkey, secret=other.secret) == wanted
        async with h.client_from("203.0.113.9") as client:
            assert await step(Shop(h, client), named, code) == wanted
        answer = await Client(h).post("/users/login/second", login_ticket=named, code=code)
        assert (answer.status_code, answer.json()["error"]) == (401, "ticket_invalid")
    assert await h.store.read.sessions.list_of(1) == []
    assert (await step(shop, named, code))["status"] == 200
