"""docs/contracts/careyshop.md section 5.8: codes to a mobile or an address, and what they are used for."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness import open_harness
from tests.wire.careyshop.shop import Shop

MOBILE = "13800000001"
SECOND = 1000


async def code_of(shop: Shop, to: str = "+86" + MOBILE) -> str:
    return [message.code for message in await shop.harness.messages() if message.to == to][-1]


async def sent(shop: Shop, mobile: str = MOBILE) -> str:
    assert await shop.done("send.verification.sms", mobile=mobile) is True
    return await code_of(shop, "+86" + mobile)


async def test_send_verify_use(shop: Shop) -> None:
    code = await sent(shop)
    assert await shop.done("ver.verification.sms", mobile=MOBILE, code=code) is True
    assert await shop.done("use.verification.item", number=MOBILE) is True
    assert await shop.refused("use.verification.item", number=MOBILE) == "验证码已无效"
    assert await shop.refused("ver.verification.sms", mobile=MOBILE, code=code) == "验证码已失效"


async def test_by_mail(shop: Shop) -> None:
    assert await shop.done("send.verification.email", email="Alice@Example.com") is True
    code = await code_of(shop, "alice@example.com")
    assert await shop.done("ver.verification.email", email="alice@example.com", code=code) is True
    assert await shop.done("use.verification.item", number="alice@example.com") is True


@pytest.mark.attack("OT-6")
async def test_a_code_must_be_verified_before_it_is_used(shop: Shop) -> None:
    await sent(shop)
    assert await shop.refused("use.verification.item", number=MOBILE) == "验证码已无效"


async def test_wrong_codes(shop: Shop) -> None:
    assert await shop.refused("ver.verification.sms", mobile=MOBILE, code="111111") == "验证码错误"
    code = await sent(shop)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert await shop.refused("ver.verification.sms", mobile=MOBILE, code=wrong) == "验证码错误"
    assert await shop.refused("ver.verification.sms", mobile=MOBILE, code=code) == "验证码已失效"


async def test_300_seconds(shop: Shop) -> None:
    code = await sent(shop)
    shop.harness.clock.advance(299 * SECOND)
    assert await shop.done("ver.verification.sms", mobile=MOBILE, code=code) is True
    shop.harness.clock.advance(SECOND)
    assert await shop.refused("use.verification.item", number=MOBILE) == "验证码已无效"
    code = await sent(shop)
    shop.harness.clock.advance(300 * SECOND)
    assert await shop.refused("ver.verification.sms", mobile=MOBILE, code=code) == "验证码已失效"


async def test_a_new_code_ends_the_older_one(shop: Shop) -> None:
    older = await sent(shop)
    response = await shop.send("send.verification.sms", mobile=MOBILE)
    assert response.json() == {"status": 500, "message": "操作过于频繁，请60秒后重试", "data": None}
    assert response.headers["retry-after"] == "60"
    shop.harness.clock.advance(60 * SECOND)
    newer = await sent(shop)
    assert older == newer or await shop.refused("ver.verification.sms", mobile=MOBILE, code=older) == "验证码错误"
    assert await shop.done("ver.verification.sms", mobile=MOBILE, code=newer) is True


@pytest.mark.attack("OT-3")
async def test_the_budget_of_tries_survives_new_codes(tmp_path: Path) -> None:
    told = []
    async with open_harness(tmp_path, send_share_per_hour=5, send_share_per_day=5) as harness:
        shop = Shop(harness)
        for _ in range(5):
            code = await sent(shop)
            wrong = f"{(int(code) + 1) % 1_000_000:06}"
            told += [await shop.refused("ver.verification.sms", mobile=MOBILE, code=wrong) for _ in range(5)]
            harness.clock.advance(60 * SECOND)
    assert told[:20] == ["验证码错误"] * 20
    assert all(text.startswith("操作过于频繁，请") for text in told[20:])


async def test_json_numbers(shop: Shop) -> None:
    code = await sent(shop)
    asked = shop.asked("ver.verification.sms", mobile=int(MOBILE), code=int(code))
    assert (await shop.client.post("/api/v1/verification", json=asked)).json()["data"] is True


async def test_codes_belong_to_an_app(shop: Shop) -> None:
    await shop.harness.add_app("second", appkey="22222222", secret="2" * 32)
    code = await sent(shop)
    other = {"appkey": "22222222", "secret": "2" * 32}
    assert await shop.refused("ver.verification.sms", mobile=MOBILE, code=code, **other) == "验证码错误"
    # Without a valid appkey a call is the default app's.
    assert await shop.done("ver.verification.sms", mobile=MOBILE, code=code, appkey=None, sign=None) is True
    assert await shop.done("use.verification.item", number=MOBILE, appkey="99999999", sign="0" * 32) is True


@pytest.mark.parametrize(
    ("method", "parameters", "text"),
    [
        ("send.verification.sms", {}, "手机号不能为空"),
        ("send.verification.sms", {"mobile": "123"}, "手机号长度不符合要求 7,15"),
        ("send.verification.sms", {"mobile": "1370000000a"}, "手机号必须是数字"),
        ("send.verification.sms", {"mobile": "85291234567"}, "暂不支持该手机号"),
        ("send.verification.sms", {"mobile": "1380000"}, "暂不支持该手机号"),
        ("send.verification.email", {}, "邮箱地址不能为空"),
        ("send.verification.email", {"email": "bad"}, "邮箱地址格式不符"),
        ("ver.verification.sms", {"code": "123456"}, "手机号不能为空"),
        ("ver.verification.sms", {"mobile": MOBILE}, "验证码不能为空"),
        ("ver.verification.sms", {"mobile": MOBILE, "code": "abc"}, "验证码必须是整数"),
        ("ver.verification.sms", {"mobile": MOBILE, "code": "1234567"}, "验证码长度不能超过 6"),
        ("ver.verification.email", {"code": "123456"}, "邮箱地址不能为空"),
        ("use.verification.item", {}, "手机号或邮箱地址不能为空"),
        ("use.verification.item", {"number": MOBILE, "is_check": "2"}, "是否验证通过必须在 0,1 范围内"),
        ("use.verification.sms", {"number": MOBILE}, "权限不足"),
    ],
)
async def test_field_rules(shop: Shop, method: str, parameters: dict[str, Any], text: str) -> None:
    assert await shop.refused(method, **parameters) == text


async def test_is_check_marks_the_callers_own_mobile(shop: Shop) -> None:
    new = {"username": "bob_B-2", "password": "Secret-12", "password_confirm": "Secret-12", "mobile": "13800000002"}
    await shop.done("add.user.item", **new)
    token = (await shop.log_in("bob_B-2", "Secret-12"))["token"]["token"]
    code = await sent(shop, "13800000002")
    await shop.done("ver.verification.sms", mobile="13800000002", code=code)
    # Not without a token, and not on somebody else's account.
    alice = (await shop.log_in())["token"]["token"]
    told = await shop.refused("use.verification.item", number="13800000002", is_check="1", token=alice)
    assert told == "权限不足"
    assert (await shop.done("get.user.info", client_id="2", token=token))["is_mobile"] == 0
    assert await shop.done("use.verification.item", number="13800000002", is_check="1", token=token) is True
    assert (await shop.done("get.user.info", client_id="2", token=token))["is_mobile"] == 1


@pytest.mark.attack("OT-6")
async def test_is_check_without_a_token_marks_nothing(shop: Shop) -> None:
    new = {"username": "bob_B-2", "password": "Secret-12", "password_confirm": "Secret-12", "mobile": "13800000002"}
    await shop.done("add.user.item", **new)
    code = await sent(shop, "13800000002")
    await shop.done("ver.verification.sms", mobile="13800000002", code=code)
    assert await shop.done("use.verification.item", number="13800000002", is_check="1") is True
    assert (await shop.log_in("bob_B-2", "Secret-12"))["user"]["is_mobile"] == 0
