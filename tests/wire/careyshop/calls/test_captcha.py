"""docs/contracts/careyshop.md section 5.9: the picture captcha of a login."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from menshen.core.gates.captcha import IMAGE_ALPHABET
from tests.harness import open_harness
from tests.wire.careyshop.shop import Shop

STRICT = {"appkey": "22222222", "secret": "2" * 32}
LOGIN = {"username": "alice1", "password": "Passw0rd!", "platform": "pc", **STRICT}
ANSWER = IMAGE_ALPHABET[:4]


@pytest.fixture
async def strict(shop: Shop) -> Shop:
    await shop.harness.add_app("strict", appkey="22222222", secret="2" * 32, captcha="always")
    return shop


async def opened(shop: Shop) -> str:
    data = await shop.done("get.app.captcha", **STRICT)
    assert data["captcha"] is True
    assert re.fullmatch(r"[0-9a-f]{32}", data["session_id"])
    return str(data["session_id"])


async def drawn(shop: Shop, session_id: str, **parameters: Any) -> Any:
    """Draw a picture that says ANSWER."""
    clock = shop.harness.clock
    clock.token_bytes = lambda count: bytes(range(count))  # type: ignore[method-assign]
    try:
        return await shop.send("image.app.captcha", session_id=session_id, **parameters)
    finally:
        del clock.token_bytes


async def test_none_is_asked_for_of_a_quiet_network(shop: Shop) -> None:
    assert await shop.done("get.app.captcha") == {"captcha": False, "session_id": ""}
    xml = await shop.send("get.app.captcha", format="xml")
    assert "<data><captcha></captcha><session_id></session_id></data>" in xml.text


async def test_unknown_and_disabled_apps(strict: Shop) -> None:
    await strict.harness.add_app("off", appkey="33333333", disabled=True)
    assert await strict.refused("get.app.captcha", appkey="33333333") == "appkey已禁用或不存在"
    assert (await strict.done("get.app.captcha", appkey=None, sign=None))["captcha"] is False
    unknown = await strict.done("get.app.captcha", appkey="99999999")
    assert unknown["captcha"] is True
    assert (await drawn(strict, unknown["session_id"], appkey="99999999")).headers["content-type"] == "image/png"


async def test_a_network_in_question_is_asked(shop: Shop) -> None:
    for n in range(3):
        await shop.refused("login.user.user", username=f"nobody{n}", password="guess-1", platform="pc")
    assert (await shop.done("get.app.captcha"))["captcha"] is True


async def test_a_login_with_a_picture(strict: Shop) -> None:
    assert await strict.refused("login.user.user", **LOGIN) == "验证码不能为空"
    session_id = await opened(strict)
    picture = await drawn(strict, session_id)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.content.startswith(b"\x89PNG")
    assert picture.headers["cache-control"] == "no-store"
    told = await strict.done("login.user.user", **LOGIN, session_id=session_id, login_code=ANSWER.upper())
    assert told["user"]["username"] == "alice1"
    again = await strict.refused("login.user.user", **LOGIN, session_id=session_id, login_code=ANSWER)
    assert again == "验证码不存在或已过期"


async def test_a_picture_by_its_address_alone(strict: Shop) -> None:
    session_id = await opened(strict)
    url = (await strict.done("get.app.captcha.callurl"))["call_url"]
    assert url == "http://127.0.0.1:8400/api/v1/app.html?method=image.app.captcha"
    assert (await strict.client.get(f"{url}&session_id={session_id}")).content.startswith(b"\x89PNG")


async def test_a_picture_inside_the_answer(strict: Shop) -> None:
    answer = await drawn(strict, await opened(strict), generate="base64")
    data = answer.json()["data"]
    assert list(data) == ["content_type", "base64"]
    assert data["content_type"] == "image/png"
    assert base64.b64decode(data["base64"]).startswith(b"\x89PNG")


async def test_one_try(strict: Shop) -> None:
    session_id = await opened(strict)
    await drawn(strict, session_id)
    whole = {**LOGIN, "session_id": session_id}
    assert await strict.refused("login.user.user", **whole, login_code="xxxx") == "验证码输入错误"
    assert await strict.refused("login.user.user", **whole, login_code=ANSWER) == "验证码不存在或已过期"


async def test_120_seconds(strict: Shop) -> None:
    session_id = await opened(strict)
    await drawn(strict, session_id)
    strict.harness.clock.advance(120_000)
    told = await strict.refused("login.user.user", **LOGIN, session_id=session_id, login_code=ANSWER)
    assert told == "验证码不存在或已过期"
    assert (await drawn(strict, session_id)).json()["message"] == "验证码不存在或已过期"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"login_code": ""}, "验证码不能为空"),
        ({"login_code": "0"}, "验证码不能为空"),
        ({"login_code": "1234", "session_id": None}, "验证码不存在或已过期"),
        ({"login_code": "1234", "session_id": "0" * 32}, "验证码不存在或已过期"),
        ({"login_code": "1234", "password": "123"}, "密码长度不能小于 6"),
    ],
)
async def test_refusals(strict: Shop, changes: dict[str, Any], text: str) -> None:
    assert await strict.refused("login.user.user", **({**LOGIN, "session_id": "1" * 32} | changes)) == text


async def test_field_rules_leave_the_picture_alone(strict: Shop) -> None:
    session_id = await opened(strict)
    await drawn(strict, session_id)
    short = {**LOGIN, "password": "123", "session_id": session_id, "login_code": ANSWER}
    assert await strict.refused("login.user.user", **short) == "密码长度不能小于 6"
    assert await strict.done("login.user.user", **LOGIN, session_id=session_id, login_code=ANSWER)


async def test_a_picture_of_another_app_does_not_fit(strict: Shop) -> None:
    await strict.harness.add_app("second", appkey="44444444", secret="4" * 32, captcha="always")
    session_id = await opened(strict)
    await drawn(strict, session_id)
    other = {**LOGIN, "appkey": "44444444", "secret": "4" * 32}
    told = await strict.refused("login.user.user", **other, session_id=session_id, login_code=ANSWER)
    assert told == "验证码不存在或已过期"


async def test_how_a_picture_is_asked_for(strict: Shop) -> None:
    told = await strict.refused("image.app.captcha", session_id="0" * 32)
    assert told == "验证码不存在或已过期"
    told = await strict.refused("image.app.captcha", session_id="0" * 32, generate="svg")
    assert told == "generate必须在 image,base64 范围内"
    assert await strict.refused("image.app.captcha") == "验证码不存在或已过期"


@pytest.mark.attack("HD-3")
@pytest.mark.parametrize("host", ["evil.example/x?", "a b", "<script>", "a\\b", "x" * 300])
async def test_a_strange_host_is_not_repeated(shop: Shop, host: str) -> None:
    response = await shop.client.post("/api/v1/app", data=shop.asked("get.app.captcha.callurl"), headers={"host": host})
    assert response.status_code == 400
    assert host not in response.text


@pytest.mark.attack("OT-21")
@pytest.mark.parametrize("rule", ["never", "risk"])
async def test_a_code_that_needs_a_picture_can_be_had_under_every_rule(tmp_path: Path, rule: str) -> None:
    """Under never, too, a crowded network solves one for each further code."""
    async with open_harness(tmp_path, {"MENSHEN_SERVER__TRUSTED_PROXIES": "1"}) as harness:
        shop = Shop(harness)
        await harness.add_app("calm", appkey="22222222", secret="2" * 32, captcha=rule)
        for n in range(10):
            shop.client.headers["x-forwarded-for"] = f"198.51.100.{n}"
            assert await shop.done("send.verification.sms", mobile=f"135442857{n:02}", **STRICT)
        shop.client.headers["x-forwarded-for"] = "198.51.100.77"
        further = {"mobile": "13544285799", **STRICT}
        assert await shop.refused("send.verification.sms", **further) == "验证码不能为空"
        session_id = await opened(shop)
        await drawn(shop, session_id, **STRICT)
        assert await shop.done("send.verification.sms", session_id=session_id, login_code=ANSWER, **further)
        # Logins to other apps from there are not in question.
        assert (await shop.done("get.app.captcha", appkey=None, sign=None))["captcha"] is False
