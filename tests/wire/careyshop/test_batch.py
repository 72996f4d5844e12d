"""docs/contracts/careyshop.md section 5.10: /api/batch."""

from typing import Any

import pytest

from tests.wire.careyshop.shop import Shop


def item(method: str, controller: str = "user", version: str = "v1", **parameters: Any) -> dict[str, Any]:
    return {"version": version, "controller": controller, "method": method, **parameters}


async def send(shop: Shop, batch: Any, **public: Any) -> dict[str, Any]:
    asked = shop.asked("", batch=batch, **public) | {"batch": batch}
    response = await shop.client.post("/api/batch", json=asked)
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


async def test_each_item_has_its_own_answer(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    body = await send(
        shop,
        [
            item("check.user.username", username="alice1"),
            item("check.user.username", username="x"),
            item("check.user.username", username="fresh1"),
            item("get.user.info", client_id="1", token="0" * 32),
            item("get.user.info"),
            item("no.such.method"),
            item("get.user.info", version="v9"),
            item("get.user.info", controller="nope"),
            item("set.user.item", client_id=1, nickname="A"),
            item("get.app.captcha", controller="app"),
        ],
        token=token,
    )
    assert (body["status"], body["message"]) == (200, "success")
    data = body["data"]
    assert [list(answer) for answer in data] == [["status", "message", "version", "controller", "method", "data"]] * 10
    assert [(answer["status"], answer["message"]) for answer in data] == [
        (500, "账号已存在"),
        (500, "账号长度不符合要求 4,20"),
        (200, "success"),
        (200, "success"),
        (500, "账号编号不能为空"),
        (500, "权限不足"),
        (500, "权限不足"),
        (500, "权限不足"),
        (200, "success"),
        (200, "success"),
    ]
    assert [answer["data"] for answer in data[:3]] == [False, False, True]
    assert data[3]["data"]["username"] == "alice1"
    assert data[6] == {
        "status": 500,
        "message": "权限不足",
        "version": "v9",
        "controller": "user",
        "method": "get.user.info",
        "data": False,
    }
    assert data[9]["data"] == {"captcha": False, "session_id": ""}


@pytest.mark.attack("OT-16")
@pytest.mark.parametrize(
    "method",
    [
        ("login.user.user", "user"),
        ("add.user.item", "user"),
        ("find.user.password", "user"),
        ("set.user.password", "user"),
        ("send.verification.sms", "verification"),
        ("send.verification.email", "verification"),
        ("ver.verification.sms", "verification"),
        ("ver.verification.email", "verification"),
        ("use.verification.item", "verification"),
        ("image.app.captcha", "app"),
    ],
)
async def test_what_a_batch_may_not_hold(shop: Shop, method: tuple[str, str]) -> None:
    token = (await shop.log_in())["token"]["token"]
    whole = {"username": "alice1", "password": "Passw0rd!", "platform": "pc", "mobile": "13800000001"}
    body = await send(shop, [item(*method, **whole)], token=token)
    assert [(answer["status"], answer["message"]) for answer in body["data"]] == [(500, "该接口不支持批量请求")]
    assert await shop.harness.messages() == []


async def test_guests(shop: Shop) -> None:
    body = await send(shop, [item("check.user.username", username="fresh1"), item("get.user.info", client_id="1")])
    assert [answer["message"] for answer in body["data"]] == ["success", "权限不足"]


@pytest.mark.attack("OT-16")
@pytest.mark.parametrize(
    ("batch", "text"),
    [
        ([], "请求结果为空"),
        ({}, "请求结果为空"),
        (None, "batch参数与规则不符"),
        ("x", "batch参数与规则不符"),
        (5, "batch参数与规则不符"),
        (True, "batch参数与规则不符"),
        ([item("get.user.info")] * 21, "batch不能超过 20 项"),
    ],
)
async def test_no_batch(shop: Shop, batch: Any, text: str) -> None:
    assert await send(shop, batch) == {"status": 500, "message": text, "data": None}


async def test_a_thousand_items_are_too_many_bytes(shop: Shop) -> None:
    body = await send(shop, [item("check.user.username", username="fresh1")] * 1000)
    assert body == {"status": 500, "message": "请求内容不能超过 16 KiB", "data": None}
    assert (await send(shop, [1] * 1000))["message"] == "batch不能超过 20 项"


@pytest.mark.parametrize(
    ("public", "status", "text"),
    [
        ({"sign": None}, 500, "sign不存在"),
        ({"sign": "0" * 32}, 500, "sign错误"),
        ({"appkey": None}, 500, "appkey已禁用或不存在"),
        ({"appkey": "99999999"}, 500, "appkey已禁用或不存在"),
        ({"token": "0" * 32}, 401, "未授权或授权已过期"),
        ({"token": "0" * 32, "appkey": None}, 401, "未授权或授权已过期"),
    ],
)
async def test_app_and_sign_are_always_needed(shop: Shop, public: dict[str, Any], status: int, text: str) -> None:
    body = await send(shop, [item("check.user.username", username="fresh1")], **public)
    assert body == {"status": status, "message": text, "data": None}


@pytest.mark.parametrize(
    ("broken", "text", "names"),
    [
        ("x", "batch参数与规则不符", ["", "", ""]),
        (None, "batch参数与规则不符", ["", "", ""]),
        ([], "batch参数与规则不符", ["", "", ""]),
        ({}, "version不能为空", ["", "", ""]),
        ({"version": "v1"}, "controller不能为空", ["v1", "", ""]),
        ({"controller": "user"}, "version不能为空", ["", "user", ""]),
        ({"version": "v1", "controller": "user"}, "method不能为空", ["v1", "user", ""]),
        ({"version": ["v1"], "controller": {}, "method": 5}, "权限不足", ["", "", ""]),
    ],
)
async def test_broken_items(shop: Shop, broken: Any, text: str, names: list[str]) -> None:
    (answer,) = (await send(shop, [broken]))["data"]
    assert [answer[name] for name in ("version", "controller", "method")] == names
    assert (answer["status"], answer["message"], answer["data"]) == (500, text, False)


async def test_an_item_after_the_logout_is_nobodys(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    edit = item("set.user.item", client_id="1", nickname="Ghost")
    body = await send(shop, [item("logout.user.user"), edit], token=token)
    assert [answer["message"] for answer in body["data"]] == ["success", "未授权或授权已过期"]
    assert body["data"][0]["data"] is True
    assert (await shop.log_in())["user"]["nickname"] == ""


async def test_refresh_inside_a_batch(shop: Shop) -> None:
    pair = (await shop.log_in())["token"]
    body = await send(shop, [item("refresh.user.token", refresh="0" * 32)], token=pair["token"])
    assert body["data"][0] == {
        "status": 500, "message": "refresh错误", "version": "v1", "controller": "user", "method": "refresh.user.token",
        "data": False,
    }  # fmt: skip
    body = await send(shop, [item("refresh.user.token", refresh=pair["refresh"])], token=pair["token"])
    assert await shop.is_live(body["data"][0]["data"]["token"]["token"])


async def test_names_of_items_and_forms(shop: Shop) -> None:
    body = await send(shop, {"first": item("check.user.username", username="fresh1"), "a><b": item("x")})
    assert list(body["data"]) == ["first", "a><b"]
    asked = shop.asked("x")
    form = {f"batch[0][{name}]": value for name, value in item("check.user.username", username="fresh1").items()}
    response = await shop.client.post("/api/batch", data=asked | form)
    assert response.json()["data"][0]["data"] is True
    assert (await shop.client.get("/api/batch", params=asked | form)).json() == response.json()


async def test_xml(shop: Shop) -> None:
    asked = shop.asked("x", format="xml")
    batch = {"a><b": item("check.user.username", username="fresh1", extra="<")}
    response = await shop.client.post("/api/batch", json=asked | {"batch": batch})
    assert response.text == (
        '<?xml version="1.0" encoding="utf-8"?><careyshop><status>200</status><message>success</message><data>'
        '<item id="a&gt;&lt;b"><status>200</status><message>success</message><version>v1</version>'
        "<controller>user</controller><method>check.user.username</method><data>1</data></item></data></careyshop>"
    )
