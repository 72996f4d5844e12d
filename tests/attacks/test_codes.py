"""2B, first part: codes are not guessed, not another's, and not what a caller says they are."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OTHER_PASSWORD, PASSWORD, Client, said

PHONE, OTHER_PHONE = "13544285663", "13800138000"


async def try_code(client: Client, code: str, token: str, phone: str = PHONE) -> httpx.Response:
    return await client.post("/users/mobile/login", login_id=phone, sms_code=code, captcha_token=token)


def wrong_ones(code: str) -> list[str]:
    return [f"{number:06}" for number in range(900_000, 900_100) if f"{number:06}" != code]


def forwarding(number: int) -> dict[str, str]:
    """Every header by which programs have let callers choose who they are."""
    ip = f"203.0.113.{number}"
    names = ("x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip")
    return {
        **dict.fromkeys(names, ip),
        "forwarded": f"for={ip}",
        "user-agent": f"agent {number}",
        "x-appkey": str(number),
    }


async def test_ot_1_five_wrong_tries_kill_a_code_from_wherever_they_come(harness: Harness) -> None:
    owner = Client(harness)
    code, token = await owner.code(PHONE)
    for number, guess in zip(range(5), wrong_ones(code), strict=False):
        stranger = Client(harness, ip=f"192.0.{number}.1")
        answer = await try_code(stranger, guess, await stranger.captcha())
        assert said(answer) == (401, "wrong_code")
    assert said(await try_code(owner, code, token)) == (401, "wrong_code")


@pytest.mark.parametrize(("after", "good"), [(300 * SECOND - 1, True), (300 * SECOND, False)])
async def test_ot_2_a_code_ends_to_the_second(harness: Harness, after: int, good: bool) -> None:
    client = Client(harness)
    code, token = await client.code(PHONE)
    harness.clock.advance(after)
    assert (await try_code(client, code, token)).status_code == (200 if good else 401)
    shop = Shop(harness)
    harness.clock.advance(MINUTE)
    await shop.done("send.verification.sms", mobile=OTHER_PHONE)
    code = (await harness.messages())[-1].code
    harness.clock.advance(after)
    assert ((await shop.call("ver.verification.sms", mobile=OTHER_PHONE, code=code))["status"] == 200) is good


async def test_ot_2_looking_at_codes_is_limited_by_network_as_well(tmp_path: Path) -> None:
    async with open_harness(tmp_path, verify_per_network=6) as h:
        shop = Shop(h)
        texts = [await shop.refused("ver.verification.sms", mobile=f"1380013800{n}", code="000000") for n in range(7)]
        assert texts[:6] == ["验证码错误"] * 6
        assert "操作过于频繁" in texts[6]
        async with h.client_from("192.0.2.1") as elsewhere:
            told = await Shop(h, elsewhere).refused("ver.verification.sms", mobile="13800138009", code="000000")
            assert told == "验证码错误"


async def test_ot_3_a_new_code_brings_no_new_tries(harness: Harness) -> None:
    refused = 0
    for resent in range(5):
        client = Client(harness, ip=f"192.0.{resent}.1")
        code, token = await client.code(PHONE)
        for guess in wrong_ones(code)[:5]:
            refused += (await try_code(client, guess, token)).status_code == 401
    assert refused == 20
    # The number has had its twenty: not even the right code of a sixth message is looked at.
    client = Client(harness, ip="192.0.9.1")
    harness.clock.advance(30 * MINUTE)
    code, token = await client.code(OTHER_PHONE)
    assert (await try_code(client, code, token, OTHER_PHONE)).status_code == 200
    answer = await try_code(client, "123456", await client.captcha())
    assert said(answer) == (429, "too_many_requests")
    harness.clock.advance(HOUR)
    code, token = await client.code(PHONE)
    assert (await try_code(client, code, token)).status_code == 200


async def test_ot_4_of_two_codes_the_first_is_dead(harness: Harness) -> None:
    client = Client(harness)
    first, first_token = await client.code(PHONE)
    second, token = await client.code(PHONE)
    assert first != second
    assert said(await try_code(client, first, first_token)) == (401, "wrong_code")
    assert said(await try_code(client, first, token)) == (401, "wrong_code")
    assert (await try_code(client, second, token)).status_code == 200


async def test_ot_5_a_code_is_good_for_one_phone_purpose_app_and_nothing_else(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    await harness.add_account("bobby1", phone=OTHER_PHONE, password=PASSWORD)
    await harness.add_app("shop", host="shop.example", appkey="22222222")
    caller = Client(harness)
    await caller.log_in("bobby1")
    uses: dict[str, Callable[[Client, str, str, str], Awaitable[httpx.Response]]] = {
        "login": lambda c, phone, code, token: try_code(c, code, token, phone),
        "signup": lambda c, phone, code, token: c.post(
            "/users/mobile/signup", mobile=phone, sms_code=code, captcha_token=token, passwd=OTHER_PASSWORD
        ),
        "reset": lambda c, phone, code, token: c.post(
            "/users/mobile/reset", mobile=phone, sms_code=code, captcha_token=token, password=OTHER_PASSWORD
        ),
        "bind": lambda _, phone, code, __: caller.post(
            "/users/mobile/bind", mobile=phone, sms_code=code, password=PASSWORD
        ),
    }
    for sent_for, used_for in itertools.product(uses, uses):
        client = Client(harness, ip=f"198.51.{len(sent_for)}.{len(used_for)}")
        harness.clock.advance(DAY)
        code, token = await client.code(PHONE, sent_for)
        # Another's phone with this code, whatever for.
        other = await uses[used_for](client, OTHER_PHONE, code, await client.captcha())
        assert said(other)[0] in {401, 409}, (sent_for, used_for)
        if sent_for != used_for:
            assert said(await uses[used_for](client, PHONE, code, token)) == (401, "wrong_code")
            shop = Shop(harness)
            assert await shop.refused("ver.verification.sms", mobile=PHONE, code=code) == "验证码错误"
    client = Client(harness)
    harness.clock.advance(DAY)
    code, _ = await client.code(PHONE)
    foreign = Client(harness, base_url="http://shop.example")
    assert said(await try_code(foreign, code, await foreign.captcha())) == (401, "wrong_code")
    assert (await try_code(client, code, await client.captcha())).status_code == 200


@pytest.mark.parametrize("name", ["verified", "is_mobile", "mobile_verified", "phone_verified", "is_check", "code_ok"])
async def test_ot_6_nobody_becomes_verified_by_saying_so(harness: Harness, name: str) -> None:
    shop = Shop(harness)
    await shop.done(
        "add.user.item", username="claimer1", password=PASSWORD, password_confirm=PASSWORD, mobile=PHONE, **{name: "1"}
    )
    held = (await shop.log_in("claimer1", PASSWORD))["token"]["token"]
    await shop.call("set.user.item", client_id="1", token=held, nickname="x", **{name: "1"})
    await shop.call(
        "use.verification.item", number=PHONE, is_check="1", token=held, **({} if name == "is_check" else {name: "1"})
    )
    account = await harness.store.read.accounts.find(1)
    assert account is not None
    assert not account.phone_verified
    client = Client(harness)
    answer = await client.post(
        "/users/mobile/login", login_id=PHONE, sms_code="000000", captcha_token=await client.captcha(), **{name: True}
    )
    assert said(answer) == (401, "wrong_code")


async def test_ot_7_no_header_and_no_device_brings_new_tries(harness: Harness) -> None:
    client = Client(harness)
    code, token = await client.code(PHONE)
    for number, guess in zip(range(5), wrong_ones(code), strict=False):
        body = {"login_id": PHONE, "sms_code": guess, "captcha_token": token, "device_id": f"device {number}"}
        answer = await client.call("POST", "/users/mobile/login", body, **forwarding(number))
        assert said(answer) == (401, "wrong_code")
    answer = await client.call(
        "POST", "/users/mobile/login", {"login_id": PHONE, "sms_code": code, "captcha_token": token}, **forwarding(99)
    )
    assert said(answer) == (401, "wrong_code")
    statuses = []
    await harness.add_account("alice1", password=PASSWORD)
    for number in range(4):
        body = {"login_id": "alice1", "password": "wrong", "device_id": f"device {number}"}
        statuses.append((await client.call("POST", "/users/login", body, **forwarding(number))).status_code)
    assert statuses == [401, 401, 401, 428]


def spellings(code: str) -> list[Any]:
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    arabic = "".join(chr(0x660 + int(digit)) for digit in code)
    spaced = f"{code[:3]} {code[3:]}"
    return [
        full_width, arabic, spaced, f" {code}", f"{code} ", f"{code}\n", f"+{code}", f"{code}\u200b", f"0{code}",
        code[1:], f"{code[:3]}_{code[3:]}", int(code), float(code), [code], {"code": code}, True, None, f"{code}\u0000",
    ]  # fmt: skip


async def test_ot_8_no_other_spelling_of_a_code_is_the_code(harness: Harness) -> None:
    client = Client(harness)
    for start in range(0, 18, 4):
        harness.clock.advance(HOUR)
        code, token = await client.code(PHONE)
        for variant in spellings(code)[start : start + 4]:
            answer = await client.call(
                "POST", "/users/mobile/login", {"login_id": PHONE, "sms_code": variant, "captcha_token": token}
            )
            assert answer.status_code in {400, 401}, variant
        assert (await try_code(client, code, token)).status_code == 200
        assert (await try_code(client, code, token)).status_code == 401
