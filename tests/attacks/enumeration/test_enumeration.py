"""Check that answers with a wrong code are the same for somebody and nobody, byte for byte. (EN-3.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.attacks.enumeration.accounts import NOBODYS_PHONE, PHONE, add_each_kind
from tests.attacks.fingerprint import Fingerprint, fingerprint
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

Ask = Callable[[Client, str], Awaitable[httpx.Response]]


async def _reset(client: Client, who: str) -> httpx.Response:
    return await client.post(
        "/users/mobile/reset", mobile=who, sms_code="000000", captcha_token=await client.captcha(), password=PASSWORD
    )


async def _sign_up(client: Client, who: str) -> httpx.Response:
    return await client.post(
        "/users/mobile/signup", mobile=who, sms_code="000000", captcha_token=await client.captcha(), passwd=PASSWORD
    )


async def _log_in_by_code(client: Client, who: str) -> httpx.Response:
    return await client.post(
        "/users/mobile/login", login_id=who, sms_code="000000", captcha_token=await client.captcha()
    )


ASKS: dict[str, Ask] = {"code login": _log_in_by_code, "reset": _reset, "signup": _sign_up}
"""What tests/wire/weidu/test_refusals.py does not compare byte for byte."""


@pytest.mark.attack("EN-3")
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_answers_are_the_same_byte_for_byte(harness: Harness, ask: Ask) -> None:
    await add_each_kind(harness)
    fingerprints = [
        fingerprint(await ask(Client(harness, ip=f"192.0.{number}.1"), who))
        for number, who in enumerate((PHONE, NOBODYS_PHONE, "13800138000", "13544285699"))
    ]
    assert fingerprints == [fingerprints[0]] * 4


CAREY_ASKS: dict[str, dict[str, Any]] = {
    "send.verification.sms": {"mobile": "PHONE"},
    "ver.verification.sms": {"mobile": "PHONE", "code": "000000"},
    "use.verification.item": {"number": "PHONE"},
    "find.user.password": {
        "username": "WHO", "mobile": "PHONE", "code": "000000", "password": PASSWORD, "password_confirm": PASSWORD,
    },
}  # fmt: skip


@pytest.mark.attack("EN-3")
@pytest.mark.parametrize("method", CAREY_ASKS)
async def test_answers_of_the_shop_too(harness: Harness, method: str) -> None:
    await add_each_kind(harness)
    fingerprints: list[Fingerprint] = []
    people = (("alice1", PHONE), ("nobody1", NOBODYS_PHONE), ("disabled1", "13544285699"), ("codeonly1", "13800138000"))
    for number, (who, phone) in enumerate(people):
        asked = {name: {"WHO": who, "PHONE": phone}.get(value, value) for name, value in CAREY_ASKS[method].items()}
        async with harness.client_from(f"192.0.{number}.1") as client:
            fingerprints.append(fingerprint(await Shop(harness, client).send(method, **asked)))
    assert fingerprints == [fingerprints[0]] * 4
