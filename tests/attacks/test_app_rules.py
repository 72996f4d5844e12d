"""What an app forbids holds at each call of each dialect. (HD-9; docs/contracts/core.md section 5.7; decision 0050.)"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from menshen.core.apps import CaptchaRule, DeviceSign, RegisterRule
from menshen.core.audit.events import Tag
from menshen.core.gates.captcha import IMAGE_ALPHABET
from menshen.core.sessions.devices import sign_device
from menshen.core.time import DAY, HOUR, SECOND
from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OK, PASSWORD, Client, said

pytestmark = pytest.mark.attack("HD-9")

PHONE, FREE_PHONE = "13544285663", "13800138000"
NEW = {"username": "stranger1", "password": "Secret/12", "password_confirm": "Secret/12", "mobile": FREE_PHONE}
BARE = {"appkey": None, "sign": None, "timestamp": None}
"""A call that names no app: it counts for the app of the Host header."""
FORBIDDEN, NO_CAPTCHA, NO_DEVICE = "权限不足", "验证码不能为空", "设备信息不符合要求"
ANSWER = IMAGE_ALPHABET[:4]


async def accounts(h: Harness) -> int:
    return [event.tag for event in await h.events()].count(Tag.ACCOUNT_REGISTERED)


async def picture(shop: Shop) -> dict[str, str]:
    """Open an image captcha that says ANSWER, and solve it."""
    session_id = (await shop.done("get.app.captcha"))["session_id"]
    clock = shop.harness.clock
    clock.token_bytes = lambda count: bytes(range(count))  # type: ignore[method-assign]
    try:
        drawn = await shop.send("image.app.captcha", session_id=session_id)
    finally:
        del clock.token_bytes
    assert drawn.headers["content-type"] == "image/png"
    return {"session_id": session_id, "login_code": ANSWER}


async def sign_up(h: Harness, phone: str = FREE_PHONE) -> httpx.Response:
    client = Client(h)
    code, captcha = await client.code(phone, "signup")
    return await client.post(
        "/users/mobile/signup", mobile=phone, sms_code=code, captcha_token=captcha, passwd=PASSWORD
    )


# --- registration -----------------------------------------------------------------------------------------------------


async def test_the_strictest_app_makes_no_account_by_the_other_dialect(site: Harness) -> None:
    """The attack as it was made: one GET, and the newcomer passed /auth/verify."""
    await site.change_app(auto_register=False, captcha=CaptchaRule.ALWAYS, hardened=True)
    shop = Shop(site)
    for prefix in ("/api", "//api", "/index.php/api"):
        for given in (NEW, NEW | {"appkey": site.app.appkey}, NEW | {"appkey": "99999999"}):
            query = given | {"method": "add.user.item"}
            answer = await site.client.get(f"http://127.0.0.1:8400{prefix}/v1/user", params=query)
            assert answer.json()["status"] != 200, answer.text
    item = {"version": "v1", "controller": "user", **NEW, "method": "add.user.item"}
    batch = await site.client.post("/api/batch", json=shop.asked("", batch=[item]))
    assert batch.json()["data"][0]["status"] == 500
    assert await accounts(site) == 0


@pytest.mark.parametrize(
    ("rule", "auto", "bare", "at_login", "by_code"),
    [
        (RegisterRule.BARE, True, True, True, True),
        (RegisterRule.PHONE, True, False, True, True),
        (RegisterRule.OFF, True, False, False, False),
        # What installations of before say with `--no-auto-register`: a sign-up with a code is all that is left.
        (RegisterRule.BARE, False, False, False, True),
        (RegisterRule.PHONE, False, False, False, True),
        (RegisterRule.OFF, False, False, False, False),
    ],
)
async def test_registration_is_as_the_app_says_whoever_asks(
    site: Harness, rule: RegisterRule, auto: bool, bare: bool, at_login: bool, by_code: bool
) -> None:
    await site.change_app(register=rule, auto_register=auto)
    for parameters in (BARE, {}, {"format": "jsonp"}):
        name = f"stranger{len(parameters)}"
        phone = f"1380013800{len(parameters)}"
        answer = await Shop(site).send("add.user.item", **NEW | {"username": name, "mobile": phone}, **parameters)
        assert ('"status":200' in answer.text) is bare, answer.text
        assert (f'"status":403,"message":"{FORBIDDEN}"' in answer.text) is not bare
    answer = await Client(site).log_in_by_code("13900139001")
    assert said(answer) == (OK if at_login else (404, "not_registered"))
    if by_code:
        assert said(await sign_up(site, "13900139002")) == OK
    else:
        client = Client(site)
        messages = len(await site.messages())
        captcha = await client.captcha()
        asked = {"mobile": "13900139002", "captcha_token": captcha}
        assert said(await client.post("/users/mobile/sms", **asked, purpose="signup")) == (403, "forbidden")
        told = await client.post("/users/mobile/signup", **asked, sms_code="123456", passwd=PASSWORD)
        assert said(told) == (403, "forbidden")
        assert len(await site.messages()) == messages
    assert await accounts(site) == 3 * bare + at_login + by_code


async def test_a_default_installation_registers_a_client_of_the_shop(site: Harness) -> None:
    assert await Shop(site).done("add.user.item", **NEW, **BARE) is True
    assert await accounts(site) == 1


# --- calls that tell who is there -------------------------------------------------------------------------------------

LOOKUPS: dict[str, dict[str, Any]] = {
    "check.user.username": {"username": "alice1"},
    "check.user.mobile": {"mobile": PHONE},
    "check.user.nickname": {"nickname": "Alice"},
}


async def test_exist_calls_that_are_off_are_off_in_each_dialect(site: Harness) -> None:
    await site.add_account("alice1", phone=PHONE, password=PASSWORD)
    await site.change_app(exist_calls=False)
    shop = Shop(site)
    for method, asked in LOOKUPS.items():
        taken = (await shop.send(method, **asked)).content
        free = {name: "13800138009" if name == "mobile" else "nobody1" for name in asked}
        assert taken == (await shop.send(method, **free)).content
        assert f'"status":403,"message":"{FORBIDDEN}"'.encode() in taken
        item = {"version": "v1", "controller": "user", "method": method, **asked}
        batch = await site.client.post("/api/batch", json=shop.asked("", batch=[item]))
        assert batch.json()["data"][0]["message"] == FORBIDDEN
    assert said(await Client(site).post("/users/mobile/exist", mobile=PHONE)) == (404, "not_found")


# --- captchas ---------------------------------------------------------------------------------------------------------

CAPTCHAS: dict[str, dict[str, Any]] = {
    "login.user.user": {"username": "alice1", "password": PASSWORD, "platform": "pc"},
    "add.user.item": NEW,
    "send.verification.sms": {"mobile": FREE_PHONE},
    "send.verification.email": {"email": "new@b.example"},
    **LOOKUPS,
}


@pytest.mark.parametrize("method", CAPTCHAS)
async def test_an_app_that_always_asks_for_a_captcha_does_so_at_the_shops_calls(site: Harness, method: str) -> None:
    await site.add_account("alice1", phone=PHONE, password=PASSWORD)
    await site.change_app(captcha=CaptchaRule.ALWAYS)
    shop, asked = Shop(site), CAPTCHAS[method]
    messages = len(await site.messages())
    assert await shop.refused(method, **asked) == NO_CAPTCHA
    wrong = await picture(shop) | {"login_code": "zzzz"}
    assert await shop.refused(method, **asked, **wrong) == "验证码输入错误"
    assert await shop.refused(method, **asked, **wrong) == "验证码不存在或已过期"
    assert (len(await site.messages()), await accounts(site)) == (messages, 0)
    solved = await picture(shop)
    answer = await shop.call(method, **asked, **solved)
    assert answer["message"] in {"success", "账号已存在", "手机号已存在"}
    assert await shop.refused(method, **asked, **solved) == "验证码不存在或已过期"


@pytest.mark.parametrize("method", [method for method in CAPTCHAS if method != "login.user.user"])
async def test_the_usual_rule_asks_clients_of_the_shop_for_none(site: Harness, method: str) -> None:
    assert await Shop(site).done(method, **CAPTCHAS[method]) is True


async def test_an_app_that_always_asks_for_a_captcha_has_no_free_exist_calls(site: Harness) -> None:
    await site.change_app(captcha=CaptchaRule.ALWAYS)
    client = Client(site)
    for path, asked in (("/users/mobile/exist", {"mobile": PHONE}), ("/users/email/exist", {"email": "a@b.example"})):
        assert said(await client.post(path, **asked)) == (428, "captcha_required")
        assert said(await client.post(path, **asked, captcha_token=await client.captcha())) == OK


# --- hardening --------------------------------------------------------------------------------------------------------

UNSIGNED: dict[str, dict[str, Any]] = {
    **{name: asked for name, asked in CAPTCHAS.items() if name not in LOOKUPS},
    "find.user.password": {**NEW, "username": "alice1", "mobile": PHONE, "code": "123456"},
    "ver.verification.sms": {"mobile": PHONE, "code": "123456"},
    "ver.verification.email": {"email": "a@b.example", "code": "123456"},
    "use.verification.item": {"number": PHONE},
}


@pytest.mark.parametrize("method", UNSIGNED)
async def test_a_hardened_app_refuses_calls_that_carry_no_device(site: Harness, method: str) -> None:
    await site.add_account("alice1", phone=PHONE, password=PASSWORD)
    await site.change_app(hardened=True, device_sign=DeviceSign.HMAC)
    events = await site.events()
    sign = sign_device(site.app, "phone", site.clock.now() // SECOND)
    for more in ({}, BARE if method != "login.user.user" else {}, {"device_id": "phone", "device_sign": sign}):
        assert await Shop(site).refused(method, **UNSIGNED[method], **more) == NO_DEVICE
    assert await site.events() == events
    assert await site.messages() == []


async def test_a_hardened_app_serves_its_own_devices(site: Harness) -> None:
    await site.change_app(hardened=True)
    await site.add_account("alice1", password=PASSWORD)
    at = site.clock.now() // SECOND
    device: dict[str, Any] = {"device_id": "phone", "device_model": "P40", "device_name": "p", "timestamp": at}
    assert said(await Client(site).log_in("alice1", **device)) == (400, "device_required")
    signed = device | {"device_sign": sign_device(site.app, "phone", at)}
    assert said(await Client(site).log_in("alice1", **signed)) == OK


# --- which app's rules a caller gets ----------------------------------------------------------------------------------


async def test_a_port_in_the_host_header_chooses_no_laxer_app(tmp_path: Path) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__HOSTS": '["strict.example"]'}) as h:
        await h.add_app("strict", host="strict.example", register=RegisterRule.OFF)
        await h.add_app("exact", host="strict.example:9443", appkey="44444444", register=RegisterRule.PHONE)
        asked = {"mobile": FREE_PHONE, "captcha_token": "x", "purpose": "signup"}
        for host in ("strict.example", "strict.example:443", "strict.example:80", "STRICT.example:65535"):
            async with h.client_from("192.0.2.1", f"https://{host}") as client:
                answer = await client.post(
                    "/api/v1/user", data=NEW | {"method": "add.user.item"}, headers={"host": host}
                )
                assert answer.json()["message"] == FORBIDDEN, host
                answer = await client.post("/weidu/api/v1/users/mobile/sms", json=asked, headers={"host": host})
                assert said(answer) == (403, "forbidden"), host
        # A port that an app names is that app's.
        headers = {"host": "strict.example:9443"}
        answer = await h.client.post("/weidu/api/v1/users/mobile/sms", json=asked, headers=headers)
        assert said(answer) == (428, "captcha_invalid")
        assert await accounts(h) == 0


async def test_one_appkey_decides_wherever_it_stands(site: Harness) -> None:
    """The later place wins, for the app and for its sign alike; no place lets a call count for two apps."""
    await site.change_app(register=RegisterRule.OFF)
    await site.add_app("lax", appkey="44444444")
    strict, lax = site.app.appkey, "44444444"
    asked = NEW | {"method": "add.user.item"}
    send = site.client.post
    refused = [
        await send("/api/v1/user", params={"appkey": lax}, data=asked | {"appkey": strict}),
        await send(f"/api/v1/user/appkey/{strict}", params={"appkey": lax}, data=asked | {"appkey": lax}),
        await send("/api/v1/user", data=asked | {"appkey": strict}, headers={"appkey": lax, "x-appkey": lax}),
        await send("/api/v1/user", data=asked, headers={"appkey": lax, "x-forwarded-host": "lax.example"}),
    ]
    assert [answer.json()["message"] for answer in refused] == [FORBIDDEN] * 4
    assert await accounts(site) == 0
    # An app that registers is open to whoever knows its appkey, which is in each of its clients.
    served = await send(f"/api/v1/user/appkey/{lax}", params={"appkey": strict}, data=asked | {"appkey": strict})
    assert served.json()["data"] is True


# --- a dialect that is left out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("served", ["weidu", "careyshop"])
async def test_a_dialect_that_is_left_out_answers_at_none_of_its_paths(tmp_path: Path, served: str) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__DIALECTS": f'["{served}"]'}) as h:
        gone = {
            "weidu": ("/api", "//api", "/index.php/api", "//index.php/api", "/API", "/%61pi", "/./api", "/x/../api"),
            "careyshop": ("/weidu/api/v1", "//weidu/api/v1", "/index.php/weidu/api/v1", "/WEIDU/api/v1"),
        }
        for prefix in gone[served]:
            for path in (f"{prefix}/v1/user", f"{prefix}/batch", f"{prefix}/users/login", prefix, f"{prefix}/"):
                answer = await h.client.post(f"http://127.0.0.1:8400{path}", params=NEW | {"method": "add.user.item"})
                assert (answer.status_code, answer.json()) == (404, {"error": "not_found"}), path
        assert await accounts(h) == 0


# --- what a service can ask for ---------------------------------------------------------------------------------------


async def test_an_account_that_proved_nothing_does_not_pass_a_service_that_asks(site: Harness) -> None:
    shop = Shop(site)
    await shop.done("add.user.item", **NEW)
    stranger = (await shop.log_in("stranger1", NEW["password"]))["token"]["token"]

    async def ask(path: str, token: str) -> int:
        answer = await site.client.get(f"/auth/verify{path}", headers={"authorization": f"Bearer {token}"})
        if answer.status_code != 204:
            assert not [name for name in answer.headers if name.startswith(("x-account", "x-roles", "x-auth"))]
        return answer.status_code

    assert [await ask(path, stranger) for path in ("", "/proved-phone", "/proved-email")] == [204, 403, 403]
    assert await ask("/role-general_user", stranger) == 204
    for role in ("admin", "general", "general_user2", "General_user"):
        assert await ask(f"/role-{role}", stranger) == 403, role
    assert await ask("/proved-phone/role-general_user", stranger) == 403
    assert await ask("/role-general_user/proved-phone", stranger) == 403
    assert await ask("/proved-phone", "0" * 32) == 401
    client = Client(site)
    await client.log_in_by_code("13900139000")
    for path in ("/proved-phone", "/role-general_user/proved-phone", "/proved-phone/proved-phone"):
        assert await ask(path, client.token) == 204
    assert await ask("/proved-email/proved-phone", client.token) == 403
    # A word that is none asks for nothing that could be met: nobody passes it, whoever they are.
    wrong = (
        "x",
        "-proved-phone",
        "/",
        "/phone",
        "/proved-fax",
        "/proved-phone/",
        "//proved-phone",
        "/role-",
        "/Proved-phone",
        "/role-a b",
        "/level-1",
        "/level-3",
        "/level-02",
        "/Level-2",
    )
    for path in (*wrong, "/proved-phone" * 9):
        assert await ask(path, client.token) == await ask(path, "0" * 32) == 404, path
    # What a client adds to its own address loosens and tightens nothing.
    assert await ask("/proved-phone?proved-phone=0&role=", stranger) == 403
    assert await ask("?role=admin&proved=phone", stranger) == 204


async def test_who_proves_a_phone_passes_at_once(site: Harness) -> None:
    shop = Shop(site)
    await shop.done("add.user.item", **NEW)
    token = (await shop.log_in("stranger1", NEW["password"]))["token"]["token"]
    headers = {"authorization": f"Bearer {token}"}
    assert (await site.client.get("/auth/verify/proved-phone", headers=headers)).status_code == 403
    site.clock.advance(HOUR)
    await shop.done("send.verification.sms", mobile=FREE_PHONE)
    code = (await site.messages())[-1].code
    await shop.done("ver.verification.sms", mobile=FREE_PHONE, code=code)
    await shop.done("use.verification.item", number=FREE_PHONE, is_check=1, token=token)
    assert (await site.client.get("/auth/verify/proved-phone", headers=headers)).status_code == 204
    site.clock.advance(31 * DAY)
    assert (await site.client.get("/auth/verify/proved-phone", headers=headers)).status_code == 401
