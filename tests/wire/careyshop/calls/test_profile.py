"""docs/contracts/careyshop.md sections 5.3 and 5.4: get.user.item, get.user.info, set.user.item."""

from typing import Any

import pytest

from tests.wire.careyshop.shop import ACCOUNT_FIELDS, Shop, shown


@pytest.fixture
async def token(shop: Shop) -> str:
    return str((await shop.log_in())["token"]["token"])


async def test_info(shop: Shop, token: str) -> None:
    data = await shop.done("get.user.info", client_id="1", token=token)
    assert list(data) == [*ACCOUNT_FIELDS, "last_ip_region"]
    assert (data["username"], data["last_ip_region"]) == ("alice1", "")


async def test_item(shop: Shop, token: str) -> None:
    data = await shop.done("get.user.item", client_id="1", token=token)
    assert list(data) == [*ACCOUNT_FIELDS, "get_user_money", "get_user_level", "get_auth_group", "last_ip_region"]
    assert data["get_user_level"] == {"name": "普通会员", "icon": "", "discount": 100}
    assert data["get_auth_group"] == {"name": "普通顾客", "status": 1}
    assert data["get_user_money"] == {"total_money": 0, "balance": 0, "lock_balance": 0, "points": 0, "lock_points": 0}


@pytest.mark.parametrize("method", ["get.user.item", "get.user.info"])
async def test_an_account_sees_itself_alone(shop: Shop, token: str, method: str) -> None:
    await shop.harness.add_account(username="bob_B-2", password="secret1")
    assert (await shop.done(method, client_id="2", token=token))["user_id"] == 1
    for client_id, text in (
        (None, "账号编号不能为空"),
        ("a", "账号编号必须是整数"),
        ("0", "账号编号必须大于 0"),
        ("-1", "账号编号必须大于 0"),
    ):
        assert await shop.refused(method, client_id=client_id, token=token) == text


async def test_edit(shop: Shop, token: str) -> None:
    shop.harness.clock.advance(60_000)
    whole = {"nickname": "Alice 昵称", "head_pic": "http://h/p.png", "sex": "2", "birthday": "2000-12-31"}
    data = await shop.done("set.user.item", client_id="1", token=token, **whole)
    assert data == {
        "client_id": 1,
        "nickname": "Alice 昵称",
        "head_pic": "http://h/p.png",
        "sex": 2,
        "birthday": "2000-12-31",
        "update_time": shown(shop.harness.clock.now()),
    }
    assert next(iter(data)) == "client_id"
    assert list(data)[-1] == "update_time"
    info = await shop.done("get.user.info", client_id="1", token=token)
    assert {name: info[name] for name in whole} == {**whole, "sex": 2}
    cleared = await shop.done("set.user.item", client_id="1", token=token, nickname="", birthday="", head_pic="")
    assert list(cleared) == ["client_id", "nickname", "head_pic", "birthday", "update_time"]
    info = await shop.done("get.user.info", client_id="1", token=token)
    assert (info["nickname"], info["head_pic"], info["birthday"], info["sex"]) == ("", "", "", 2)


@pytest.mark.attack("TK-13", "OT-6")
async def test_what_is_the_servers_is_left_alone(shop: Shop, token: str) -> None:
    before = await shop.done("get.user.info", client_id="1", token=token)
    data = await shop.done(
        "set.user.item", client_id="1", token=token, status="0", group_id="1", password="newpass1", username="hacker1",
        mobile="1380000", is_mobile="0", email="x@y.zz", user_id="7", create_time="2000-01-01 00:00:00",
    )  # fmt: skip
    assert list(data) == ["client_id", "update_time"]
    after = await shop.done("get.user.info", client_id="1", token=token)
    assert {**after, "update_time": ""} == {**before, "update_time": ""}


@pytest.mark.attack("AD-5")
@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"client_id": None}, 500, "账号编号不能为空"),
        ({"client_id": "0"}, 500, "账号编号必须大于 0"),
        ({"client_id": "2"}, 403, "权限不足"),
        ({"client_id": "2", "nickname": "n" * 51}, 403, "权限不足"),
        ({"nickname": "小明"}, 500, "昵称已存在"),
        ({"nickname": "n" * 51}, 500, "昵称长度不能超过 50"),
        ({"head_pic": "h" * 513}, 500, "头像长度不能超过 512"),
        ({"sex": "3"}, 500, "性别必须在 0,1,2 范围内"),
        ({"birthday": "2000-1-1x"}, 500, "生日必须使用日期格式 Y-m-d"),
    ],
)
async def test_refusals_of_an_edit(shop: Shop, token: str, changes: dict[str, Any], status: int, text: str) -> None:
    await shop.done(
        "add.user.item", username="bob_B-2", password="Secret-12", password_confirm="Secret-12", mobile="13800000002",
        nickname="小明",
    )  # fmt: skip
    body = await shop.call("set.user.item", **({"client_id": "1", "token": token} | changes))
    assert body == {"status": status, "message": text, "data": None}


async def test_the_same_nickname_again(shop: Shop, token: str) -> None:
    for _ in range(2):
        assert (await shop.done("set.user.item", client_id="1", token=token, nickname="A"))["nickname"] == "A"


async def test_json_types_and_nulls(shop: Shop, token: str) -> None:
    asked = shop.asked("set.user.item", client_id=1, token=token, sex=1)
    response = await shop.client.post("/api/v1/user", json=asked | {"nickname": None, "birthday": None})
    assert list(response.json()["data"]) == ["client_id", "sex", "update_time"]
