"""A disabled app serves nobody, and its sessions open nothing until it is enabled. (TK-15; decision 0051.)"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from menshen.core.apps import App
from menshen.wire.careyshop.methods import METHODS, Who
from menshen.wire.weidu import ROUTES
from menshen.wire.weidu.routing import PREFIX
from tests.harness import Harness
from tests.wire.careyshop.shop import SECRET, Shop
from tests.wire.weidu.client import OTHER_PASSWORD, PASSWORD, Client, said

pytestmark = pytest.mark.attack("TK-15")

PHONE, FREE_PHONE = "13544285663", "13800138000"
APPKEY = "appkey已禁用或不存在"
GONE = "未授权或授权已过期"
FIELDS: dict[str, Any] = {
    "username": "stranger1", "password": "Secret/12", "password_confirm": "Secret/12", "platform": "pc",
    "mobile": FREE_PHONE, "email": "new@b.example", "nickname": "Newcomer", "code": "123456", "number": FREE_PHONE,
    "client_id": "1", "refresh": "0" * 32, "session_id": "0" * 32, "password_old": "Secret/12",
}  # fmt: skip
"""What makes every method pass its own rules."""


CONTROLLERS = {method.name: method.controller for method in METHODS}
NEED_TOKENS = {method.name for method in METHODS if method.who is Who.ACCOUNT}


async def send(shop: Shop, method: str, **parameters: Any) -> str:
    """Give the whole answer to a method, at its own controller."""
    answer = await shop.client.post(f"/api/v1/{CONTROLLERS[method]}", data=shop.asked(method, **parameters))
    return answer.text


async def verify(h: Harness, token: str) -> int:
    return (await h.client.get("/auth/verify", headers={"authorization": f"Bearer {token}"})).status_code


async def info(h: Harness, token: str) -> int:
    return (await h.client.get(f"{PREFIX}/users/info", headers={"authorization": f"Bearer {token}"})).status_code


@pytest.mark.parametrize("appkey", ["none", "its own", "unknown"])
@pytest.mark.parametrize("method", [method.name for method in METHODS])
async def test_no_method_of_the_shop_serves_a_disabled_default_app(site: Harness, method: str, appkey: str) -> None:
    """Also in JSONP, in XML, by a path, and beside a token of an app that is not disabled."""
    await site.add_account("alice1", phone=PHONE, password=PASSWORD)
    other = await site.add_app("other", appkey="44444444")
    shop = Shop(site)
    token = (await shop.done(
        "login.user.user", username="alice1", password=PASSWORD, platform="pc", appkey=other.appkey, secret=other.secret
    ))["token"]["token"]  # fmt: skip
    await site.change_app(disabled=True)
    before, messages = await site.events(), await site.messages()
    names: dict[str, dict[str, Any]] = {
        "none": {"appkey": None},
        "its own": {},
        "unknown": {"appkey": "99999999"},
    }
    named = names[appkey]
    if method in NEED_TOKENS:
        named |= {"token": token}
    for more in ({}, {"sign": None}, {"format": "jsonp"}, {"format": "xml"}):
        assert APPKEY in await send(shop, method, **FIELDS, **named, **more), more
    controller = CONTROLLERS[method]
    asked = {name: value for name, value in shop.asked(method, **FIELDS, **named).items() if "/" not in str(value)}
    pairs = "/".join(f"{name}/{value}" for name, value in asked.items())
    assert APPKEY in (await site.client.get(f"/api/v1/{controller}/{pairs}")).text
    batch = shop.asked("", batch=[{"version": "v1", "controller": controller, "method": method, **FIELDS}], **named)
    assert (await site.client.post("/api/batch", json=batch)).json()["message"] == APPKEY
    assert (await site.events(), await site.messages()) == (before, messages)
    # The app that is not disabled goes on beside it.
    going = await send(shop, "get.system.version", appkey=other.appkey, secret=other.secret)
    assert '"message":"success"' in going


@pytest.mark.parametrize("method", [method.name for method in METHODS])
async def test_the_appkey_of_a_disabled_app_counts_for_no_other(site: Harness, method: str) -> None:
    await site.add_account("alice1", phone=PHONE, password=PASSWORD)
    token = (await Shop(site).log_in("alice1", PASSWORD))["token"]["token"]
    off = await site.add_app("off", appkey="44444444", secret=SECRET, disabled=True)
    events = await site.events()
    more = {"token": token} if method in NEED_TOKENS else {}
    assert APPKEY in await send(Shop(site), method, **FIELDS, **more, appkey=off.appkey)
    assert await site.events() == events
    # It is refused where the contract says so: after the token and the permission.
    assert GONE in await send(Shop(site), method, **FIELDS, token="f" * 32, appkey=off.appkey)
    if method in NEED_TOKENS:
        assert "权限不足" in await send(Shop(site), method, **FIELDS, appkey=off.appkey)


async def test_no_call_of_weidu_serves_a_disabled_app(site: Harness) -> None:
    await site.add_account("alice1", password=PASSWORD)
    client = Client(site)
    await client.log_in("alice1")
    await site.add_app("off", host="127.0.0.1:8400", disabled=True)
    for route in ROUTES:
        path = route.path.replace("{id}", "x1")
        assert said(await client.call(route.verb, path, {"mobile": FREE_PHONE})) == (403, "forbidden"), path


async def open_both(h: Harness) -> tuple[App, list[str]]:
    """Open a session by each dialect at an app of its own, and one beside them at the default app."""
    await h.add_account("alice1", phone=PHONE, password=PASSWORD)
    shut = await h.add_app("shut", appkey="44444444", host="shut.example:8400", secret="t" * 32)
    login = {"username": "alice1", "password": PASSWORD, "platform": "pc", "appkey": shut.appkey, "secret": shut.secret}
    client = Client(h, base_url="http://shut.example:8400")
    assert said(await client.log_in("alice1"))[0] == 200
    pair = (await Shop(h).done("login.user.user", **login))["token"]
    return shut, [client.token, pair["token"], pair["refresh"]]


async def test_the_sessions_of_a_disabled_app_open_nothing_until_it_is_enabled(site: Harness) -> None:
    shut, (weidu, careyshop, refresh) = await open_both(site)
    stays = Client(site)
    await stays.log_in("alice1")
    tokens = (weidu, careyshop)

    async def seen() -> list[int]:
        return [await ask(site, token) for token in tokens for ask in (verify, info)]

    shop = Shop(site)
    assert await seen() == [204, 200] * 2
    await site.change_app(shut, disabled=True)
    assert await seen() == [401] * 4
    for token in tokens:
        # Other apps take it for none, and nothing can be done with it.
        assert await shop.refused("get.user.info", token=token, client_id="1") == GONE
        assert await shop.refused("refresh.user.token", token=token, refresh=refresh) == GONE
        assert await shop.refused("set.user.item", token=token, client_id="1", nickname="Mine") == GONE
        assert await shop.refused("logout.user.user", token=token) == GONE
        cookie = {"cookie": f"menshenAUTHTOKEN={token}"}
        assert (await site.client.get("/auth/verify", headers=cookie)).status_code == 401
    assert await verify(site, stays.token) == 204
    await site.change_app(shut, disabled=False)
    assert await seen() == [204, 200] * 2
    renewed = await shop.done("refresh.user.token", token=careyshop, refresh=refresh)
    assert await verify(site, renewed["token"]["token"]) == 204


async def test_what_ends_sessions_ends_those_of_a_disabled_app_too(site: Harness) -> None:
    shut, (weidu, careyshop, _) = await open_both(site)
    stays = Client(site)
    await stays.log_in("alice1")
    await site.change_app(shut, disabled=True)
    # The owner sees them, for they may come back, and ends one by its id and the rest by a new password.
    listed = (await stays.get("/users/sessions")).json()["sessions"]
    assert len(listed) == 3
    other = next(row["id"] for row in listed if not row["current"])
    assert (await stays.call("DELETE", f"/users/sessions/{other}")).status_code == 200
    answer = await stays.post("/users/password", old_password=PASSWORD, password=OTHER_PASSWORD)
    assert answer.status_code == 200
    await site.change_app(shut, disabled=False)
    assert [await verify(site, token) for token in (weidu, careyshop)] == [401, 401]
    assert await verify(site, stays.token) == 204


async def test_a_code_of_a_disabled_app_is_good_nowhere_meanwhile(site: Harness) -> None:
    await site.add_account("alice1", phone=PHONE)
    code, captcha = await Client(site).code(PHONE)
    elsewhere = await site.add_app("elsewhere", host="elsewhere.example:8400")
    asked = {"login_id": PHONE, "sms_code": code, "captcha_token": captcha}
    await site.change_app(disabled=True)
    assert said(await Client(site).post("/users/mobile/login", **asked)) == (403, "forbidden")
    at_other = Client(site, base_url=f"http://{elsewhere.host}")
    assert said(await at_other.post("/users/mobile/login", **asked)) == (428, "captcha_invalid")
    await site.change_app(disabled=False)
    assert said(await Client(site).post("/users/mobile/login", **asked))[0] == 200


async def test_preflights_say_nothing_of_the_app(site: Harness) -> None:
    await site.change_app(disabled=True)
    answer = await site.client.options("/api/v1/user?" + urlencode({"method": "add.user.item"}))
    assert (answer.status_code, answer.content) == (204, b"")
