"""Before a right first proof nothing tells whether an account has a second step.

(docs/security/attacks.md EN-1 and EN-3, docs/contracts/factors.md section 2.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from menshen.core.apps import SecondFactorRule
from tests.attacks.fingerprint import Fingerprint, fingerprint
from tests.costs.counting import Cost, Meter, ask
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.two_steps import code_of, enrol_app, give_recovery_codes
from tests.wire.weidu.client import PASSWORD, Client

# One account without a second step, one with it, and nobody. Texts of one length: the bytes are compared.
PEOPLE = (("plain01", "13544285663"), ("steps01", "13544285664"), ("nobody1", "13544285665"))
WRONG = "not-this-one-1"


@pytest.fixture
async def people(harness: Harness) -> Harness:
    for name, phone in PEOPLE[:2]:
        account = await harness.add_account(name, phone=phone, password=PASSWORD)
        if name == "steps01":
            await enrol_app(harness, account)
            await give_recovery_codes(harness, account)
    return harness


Ask = Callable[[Harness, str, str, str], Awaitable[httpx.Response]]


async def _weidu(h: Harness, ip: str, name: str, _: str, **more: Any) -> httpx.Response:
    return await Client(h, ip=ip).log_in(name, WRONG, **more)


async def _weidu_browser(h: Harness, ip: str, name: str, _: str) -> httpx.Response:
    return await Client(h, ip=ip, browser=True).log_in(name, WRONG)


async def _weidu_with_code(h: Harness, ip: str, name: str, _: str) -> httpx.Response:
    """With the right code of its owner's app: a code alone opens and tells nothing."""
    return await _weidu(h, ip, name, "", second_code=code_of(h))


async def _weidu_sms(h: Harness, ip: str, _: str, phone: str) -> httpx.Response:
    client = Client(h, ip=ip)
    return await client.post(
        "/users/mobile/login", login_id=phone, sms_code="000000", captcha_token=await client.captcha()
    )


async def _shop(h: Harness, ip: str, name: str, _: str, **more: str) -> httpx.Response:
    async with h.client_from(ip) as client:
        asked = {"username": name, "password": WRONG, "platform": "pc"}
        return await Shop(h, client).send("login.user.user", **asked, **more)


async def _shop_with_code(h: Harness, ip: str, name: str, _: str) -> httpx.Response:
    return await _shop(h, ip, name, "", second_code=code_of(h))


async def _shop_xml(h: Harness, ip: str, name: str, _: str) -> httpx.Response:
    return await _shop(h, ip, name, "", format="xml")


ASKS: dict[str, Ask] = {
    "weidu": _weidu,
    "weidu, browser": _weidu_browser,
    "weidu, with a right code": _weidu_with_code,
    "weidu, wrong SMS code": _weidu_sms,
    "shop": _shop,
    "shop, with a right code": _shop_with_code,
    "shop, XML": _shop_xml,
}


@pytest.mark.attack("EN-3")
@pytest.mark.parametrize("rule", [SecondFactorRule.OPTIONAL, SecondFactorRule.REQUIRED])
@pytest.mark.parametrize("name", ASKS)
async def test_a_wrong_first_proof_is_answered_alike_byte_for_byte(
    people: Harness, name: str, rule: SecondFactorRule
) -> None:
    """Each of a run of tries, until the limits ask for a captcha and for patience."""
    await people.change_app(second_factor=rule)
    answers: list[list[Fingerprint]] = []
    for number, (who, phone) in enumerate(PEOPLE):
        # The clock stands still, so that no second differs.
        tries = [await ASKS[name](people, f"192.0.{number}.1", who, phone) for _ in range(6)]
        answers.append([fingerprint(answer) for answer in tries])
        assert not {"totp", "second_factor_required", "两步"} & {word for answer in tries for word in [answer.text]}
        assert "ticket" not in "".join(answer.text for answer in tries)
    assert answers[1] == answers[0]
    assert answers[2] == answers[0]
    assert not [1 for number in (1, 2) if await people.store.read.sessions.list_of(number)]


@pytest.mark.attack("EN-1")
@pytest.mark.parametrize("dialect", ["weidu", "careyshop"])
async def test_a_wrong_password_costs_the_same_work(
    people: Harness, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of statements, commits, hashes and waits. Times follow from them, and are no test (decision 0032)."""
    if dialect == "weidu":
        path, named, body = "/weidu/api/v1/users/login", "login_id", {"password": WRONG}
    else:
        path, named = "/api/v1/user", "username"
        body = {"method": "login.user.user", "appkey": people.app.appkey, "password": WRONG, "platform": "pc"}
    # Once before: statements are prepared the second time, and the apps are known.
    for who, _ in PEOPLE[:2]:
        await ask(people, "POST", path, body | {named: who})
    meter = Meter(people, monkeypatch)
    await meter.stand_still()
    costs: list[list[Cost]] = []
    for who, _ in PEOPLE[:2]:
        costs.append([(await meter.cost(ask(people, "POST", path, body | {named: who})))[0] for _ in range(2)])
    assert costs[0] == costs[1]
    assert {cost.hashes for cost in costs[0]} == {1}


@pytest.mark.attack("EN-3", "EN-6")
async def test_calls_that_tell_who_has_an_account_tell_no_more(people: Harness) -> None:
    """Also those of a form of registration, and the sending of codes."""
    told: list[list[Fingerprint]] = []
    for number, (who, phone) in enumerate(PEOPLE[:2]):
        async with people.client_from(f"192.0.{number}.1") as client:
            shop = Shop(people, client)
            asked = (
                ("check.user.username", {"username": who}),
                ("check.user.mobile", {"mobile": phone}),
                ("send.verification.sms", {"mobile": phone}),
            )
            answers = [await shop.send(method, **more) for method, more in asked]
        told.append([fingerprint(answer) for answer in answers])
    assert told[0] == told[1]
