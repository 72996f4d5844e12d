"""docs/contracts/careyshop.md section 4: login.user.user."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from menshen.core.audit.events import Tag
from tests.harness import START, Harness
from tests.wire.careyshop.shop import ACCOUNT_FIELDS, TOKEN_FIELDS, Shop, shown

WRONG = "账号或密码错误"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


async def test_the_seeds_answer_field_by_field(shop: Shop) -> None:
    first = await shop.log_in()
    assert list(first) == ["user", "token"]
    assert list(first["user"]) == ACCOUNT_FIELDS
    assert list(first["token"]) == TOKEN_FIELDS
    now = shop.harness.clock.now() // 1000
    user, token = first["user"], first["token"]
    assert user == {
        "user_id": 1,
        "username": "alice1",
        "mobile": "13800000001",
        "is_mobile": 1,
        "email": "",
        "is_email": 0,
        "nickname": "",
        "head_pic": "",
        "sex": 0,
        "birthday": "",
        "user_level_id": 1,
        "user_address_id": 0,
        "group_id": 3,
        "last_login": "",
        "last_ip": "",
        "status": 1,
        "create_time": shown(START),
        "update_time": user["update_time"],
    }
    assert MOMENT.fullmatch(user["update_time"])
    assert token["group_id"] == 3
    assert re.fullmatch(r"[0-9a-f]{32}", token["token"])
    assert re.fullmatch(r"[0-9a-f]{32}", token["refresh"])
    assert token["token"] != token["refresh"]
    assert token["token_expires"] == now + 2592000
    assert token["refresh_expires"] == token["token_expires"] + 86400
    for field, value in {**user, **token}.items():
        whole = {"user_id", "is_mobile", "is_email", "sex", "user_level_id", "user_address_id", "group_id", "status"}
        assert type(value) is (int if field in whole or field.endswith("_expires") else str), field


async def test_the_login_before_is_told(shop: Shop) -> None:
    await shop.log_in()
    shop.harness.clock.advance(3_600_000)
    second = (await shop.log_in())["user"]
    assert (second["last_login"], second["last_ip"]) == (shown(START), "127.0.0.1")


async def test_nothing_of_the_request_is_echoed(shop: Shop) -> None:
    plain = await shop.log_in()
    injected = await shop.done(
        "login.user.user",
        username="ALICE1",
        password="Passw0rd!",
        platform="pc",
        nickname="Evil",
        user_id="7",
        group_id="1",
        status="0",
        last_ip="9.9.9.9",
        foo="bar",
    )
    ours = {**injected["user"], "last_login": "", "last_ip": "", "update_time": ""}
    assert ours == {**plain["user"], "last_login": "", "last_ip": "", "update_time": ""}
    assert injected["token"]["group_id"] == 3


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"username": ""}, "账号不能为空"),
        ({"username": "a.b.c"}, "账号只能是字母、数字和下划线_及破折号-"),
        ({"username": "abc"}, "账号长度不符合要求 4,20"),
        ({"password": ""}, "密码不能为空"),
        ({"password": "12345"}, "密码长度不能小于 6"),
        ({"platform": ""}, "来源终端不能为空"),
        ({"platform": "平" * 51}, "来源终端长度不能超过 50"),
        ({"platform": "pc\x1b[2J"}, "来源终端格式不符"),
        ({"platform": "pc\r\nroot"}, "来源终端格式不符"),
        ({"platform": "\u202ecp"}, "来源终端格式不符"),
        ({"username": "", "password": "", "platform": ""}, "账号不能为空"),
        ({"password": "1", "platform": ""}, "密码长度不能小于 6"),
        ({"appkey": "99999999"}, "appkey已禁用或不存在"),
        ({"appkey": None}, "appkey已禁用或不存在"),
        ({"appkey": "99999999", "username": ""}, "appkey已禁用或不存在"),
        ({"token": "0" * 32, "appkey": "99999999"}, "未授权或授权已过期"),
    ],
)
async def test_field_rules_and_their_order(shop: Shop, changes: dict[str, Any], text: str) -> None:
    whole = {"username": "alice1", "password": "Passw0rd!", "platform": "pc"} | changes
    assert await shop.refused("login.user.user", **whole) == text


async def test_a_disabled_app_logs_nobody_in(shop: Shop) -> None:
    await shop.harness.add_app("off", appkey="33333333", disabled=True)
    whole = {"username": "alice1", "password": "Passw0rd!", "platform": "pc", "appkey": "33333333"}
    assert await shop.refused("login.user.user", **whole) == "appkey已禁用或不存在"


@pytest.mark.attack("EN-3", "PW-5")
async def test_every_failure_is_the_same_answer(shop: Shop) -> None:
    for name in ("gone01", "banned1"):
        await shop.harness.add_account(username=name, password="Passw0rd!")
    await shop.harness.add_account(username="nopass1")
    await shop.harness.close_account("gone01")
    await shop.harness.disable("banned1")
    answers = {
        (
            (response := await Shop(shop.harness, shop.harness.client_from(f"10.0.{n}.1")).send(
                "login.user.user", username=name, password=password, platform="pc"
            )).status_code,
            response.content,
            # The name of the request is drawn for each: it is there in all, with as many characters.
            tuple(sorted((k, len(v) if k == "x-request-id" else v) for k, v in response.headers.items())),
        )
        for n, (name, password) in enumerate(
            [
                ("alice1", "Wrong-1!"),
                ("nobody1", "Passw0rd!"),
                ("gone01", "Passw0rd!"),
                ("banned1", "Passw0rd!"),
                ("banned1", "Wrong-1!"),
                ("nopass1", "Passw0rd!"),
                ("13800000009", "Passw0rd!"),
                ("alice1", "x" * 1100),
            ]
        )
    }  # fmt: skip
    assert len(answers) == 1
    assert WRONG.encode() in answers.pop()[1]


async def test_a_verified_phone_logs_in_too(shop: Shop) -> None:
    assert (await shop.log_in(username="13800000001"))["user"]["username"] == "alice1"
    await shop.harness.add_account(username="claims1", phone="13800000002", password="Passw0rd!", verified=False)
    whole = {"username": "13800000002", "password": "Passw0rd!", "platform": "pc"}
    assert await shop.refused("login.user.user", **whole) == WRONG


async def test_json_integers(shop: Shop) -> None:
    await shop.harness.add_account(username="123456", password="12345678")
    body = shop.asked("login.user.user", username=123456, password=12345678, platform=5)
    response = await shop.client.post("/api/v1/user", json=body)
    assert response.json()["data"]["user"]["username"] == "123456"


STYLES = ["get", "form", "multipart", "json", "text", "path", "mixed"]


@pytest.mark.parametrize("style", STYLES)
async def test_every_way_of_calling(shop: Shop, style: str) -> None:
    asked = shop.asked("login.user.user", username="alice1", password="Passw0rd!", platform="pc")
    client = shop.client
    response: httpx.Response
    match style:
        case "get":
            response = await client.get("/api/v1/user", params=asked)
        case "form":
            response = await client.post("/api/v1/user", data=asked)
        case "multipart":
            response = await client.post("/api/v1/user", files={name: (None, value) for name, value in asked.items()})
        case "json":
            response = await client.post("/api/v1/user", json=asked)
        case "text":
            text = httpx.Request("POST", "http://x", json=asked).content
            response = await client.post("/api/v1/user", content=text, headers={"content-type": "text/plain"})
        case "path":
            pairs = "/".join(
                f"{name}/{httpx.URL('http://x', path='/' + value).raw_path.decode()[1:]}"
                for name, value in asked.items()
            )
            response = await client.get(f"/api/v1/user/{pairs}/")
        case _:
            query = {name: asked.pop(name) for name in ("method", "appkey", "sign")}
            response = await client.post("/api/v1/user", params=query, json=asked)
    assert response.json()["status"] == 200, response.text


async def test_one_live_token_a_platform(shop: Shop) -> None:
    first = (await shop.log_in(platform="iOS"))["token"]["token"]
    other = (await shop.log_in(platform="Web"))["token"]["token"]
    second = (await shop.log_in(platform="ios  "))["token"]["token"]
    assert [await shop.is_live(token) for token in (first, other, second)] == [False, True, True]
    dead = await shop.send("get.user.info", client_id="1", token=first)
    assert dead.json() == {"status": 401, "message": "未授权或授权已过期", "data": None}


@pytest.mark.attack("RACE-4")
async def test_fifty_logins_at_once_leave_one_token(shop: Shop) -> None:
    logins = await asyncio.gather(*(shop.log_in() for _ in range(50)))
    tokens = [login["token"]["token"] for login in logins]
    assert len(set(tokens)) == 50
    assert sum([await shop.is_live(token) for token in tokens]) == 1


@pytest.mark.attack("PW-7")
@pytest.mark.sqlite_file
async def test_no_secret_is_stored(shop: Shop) -> None:
    token = (await shop.log_in())["token"]
    stored = b"".join(file.read_bytes() for file in shop.harness.data_dir.rglob("*") if file.is_file())
    assert b"alice1" in stored
    for secret in (token["token"], token["refresh"], "Passw0rd!"):
        assert secret.encode() not in stored
        assert secret.encode("ascii").hex().encode() not in stored


async def test_guessing_asks_for_a_picture_then_pauses(shop: Shop) -> None:
    told = [
        await shop.refused("login.user.user", username="alice1", password=f"guess-{n}", platform="pc") for n in range(6)
    ]
    assert told == [WRONG] * 3 + ["验证码不能为空"] * 3


async def test_pauses_under_never(harness: Harness) -> None:
    await harness.add_account(username="alice1", password="Passw0rd!")
    await harness.add_app("calm", appkey="22222222", secret="c" * 32, captcha="never")
    shop = Shop(harness)
    whole = {"username": "alice1", "platform": "pc", "appkey": "22222222"}
    for n in range(10):
        assert await shop.refused("login.user.user", password=f"guess-{n}", **whole) == WRONG
    response = await shop.send("login.user.user", password="Passw0rd!", **whole)
    told = re.fullmatch(r"操作过于频繁，请(\d+)秒后重试", response.json()["message"])
    assert told
    assert response.headers["retry-after"] == told[1] == "900"
    assert (response.status_code, response.json()["status"]) == (200, 500)
    harness.clock.advance(900_000)
    assert (await shop.call("login.user.user", password="Passw0rd!", **whole))["status"] == 200


async def test_every_decision_is_audited_once(shop: Shop) -> None:
    await shop.log_in()
    await shop.refused("login.user.user", username="alice1", password="Wrong-1!", platform="pc")
    tags = [event.tag for event in await shop.harness.events()]
    assert tags.count(Tag.LOGIN_SUCCEEDED) == 1
    assert tags.count(Tag.LOGIN_FAILED) == 1


async def test_a_valid_appkey_needs_no_sign(shop: Shop) -> None:
    whole = {"username": "alice1", "password": "Passw0rd!", "platform": "pc"}
    for sign in (None, "", "0" * 32, "0" * 64):
        assert (await shop.call("login.user.user", sign=sign, **whole))["status"] == 200
    await shop.harness.change_app(sign_required=True)
    assert await shop.refused("login.user.user", sign=None, **whole) == "sign不存在"
    assert await shop.refused("login.user.user", sign="0" * 32, **whole) == "sign错误"
    assert (await shop.call("login.user.user", **whole))["status"] == 200
