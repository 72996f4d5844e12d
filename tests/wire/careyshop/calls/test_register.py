"""docs/contracts/careyshop.md sections 5.5 and 5.6: add.user.item and check.user.*."""

import asyncio
from typing import Any

import pytest

from tests.wire.careyshop.shop import Shop

NEW = {"username": "bob_B-2", "password": "Secret-12", "password_confirm": "Secret-12", "mobile": "13800000002"}


async def test_registration(shop: Shop) -> None:
    extra = {"email": "Bob@Example.com", "nickname": "小明", "head_pic": "http://x/y.png", "sex": "1"}
    ignored = {"group_id": "1", "status": "0", "is_delete": "1", "user_level_id": "6", "is_mobile": "1"}
    assert await shop.done("add.user.item", **NEW, **extra, **ignored, birthday="1990-02-28") is True
    user = (await shop.log_in("BOB_b-2", "Secret-12"))["user"]
    assert user["username"] == "bob_B-2"
    assert (user["mobile"], user["is_mobile"]) == ("13800000002", 0)
    assert (user["email"], user["is_email"]) == ("bob@example.com", 0)
    assert (user["nickname"], user["head_pic"], user["sex"], user["birthday"]) == (
        "小明",
        "http://x/y.png",
        1,
        "1990-02-28",
    )
    assert (user["status"], user["group_id"], user["user_level_id"]) == (1, 3, 1)


@pytest.mark.attack("TY-3", "OT-6")
async def test_fields_of_the_server_change_nothing(shop: Shop) -> None:
    names = ("role", "roles", "group_id", "is_admin", "status", "is_mobile", "verified", "mobile_verified", "is_check")
    await shop.done("add.user.item", **NEW, **dict.fromkeys([*names, "user_id", "__proto__"], "9"))
    made = await shop.harness.store.read.accounts.find(2)
    assert made is not None
    assert (made.roles, made.status.value, made.phone_verified) == ("general_user", "active", False)


async def test_no_app_no_sign_no_token(shop: Shop) -> None:
    for n, public in enumerate(({}, {"appkey": "99999999", "sign": "0" * 32})):
        asked = {"method": "add.user.item", **NEW, "username": f"noapp{n}", "mobile": f"1380000001{n}", **public}
        assert (await shop.client.post("/api/v1/user", data=asked)).json()["data"] is True


async def test_six_characters_are_enough_and_none_too_common(shop: Shop) -> None:
    six = {"password": "密9码q密码", "password_confirm": "密9码q密码"}
    assert await shop.done("add.user.item", **(NEW | six)) is True
    for password, text in (
        ("123456", "密码过于简单，请更换"),
        ("bob_C-2x", "密码不能由账号、手机号等组成，请更换"),
        ("x" * 1025, "密码长度不能超过 1024 字节"),
        ("e\u0301" * 3, "密码长度不能小于 6"),
    ):
        other = {"username": "bob_C-2", "password": password, "password_confirm": password}
        assert await shop.refused("add.user.item", **(NEW | other)) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"username": None}, "账号不能为空"),
        ({"username": "a b c d"}, "账号只能是字母、数字和下划线_及破折号-"),
        ({"username": "abc"}, "账号长度不符合要求 4,20"),
        ({"username": "13800000009"}, "账号不能使用手机号或邮箱地址"),
        ({"username": "ALICE1"}, "账号已存在"),
        ({"password": None}, "密码不能为空"),
        ({"password": "12345", "password_confirm": "12345"}, "密码长度不能小于 6"),
        ({"password_confirm": None}, "密码和确认字段不一致"),
        ({"password_confirm": "secret-12"}, "密码和确认字段不一致"),
        ({"mobile": None}, "手机号不能为空"),
        ({"mobile": "1380000000a"}, "手机号必须是数字"),
        ({"mobile": "123456"}, "手机号长度不符合要求 7,15"),
        ({"mobile": "13800000001"}, "手机号已存在"),
        ({"mobile": "8613800000001"}, "手机号已存在"),
        ({"email": "bad"}, "邮箱地址格式不符"),
        ({"email": "a" * 49 + "@example.com"}, "邮箱地址长度不能超过 60"),
        ({"nickname": "n" * 51}, "昵称长度不能超过 50"),
        ({"head_pic": "h" * 513}, "头像长度不能超过 512"),
        ({"sex": "3"}, "性别必须在 0,1,2 范围内"),
        ({"birthday": "abc"}, "生日不是一个有效的日期或时间格式"),
        ({"birthday": "1990-02-30"}, "生日必须使用日期格式 Y-m-d"),
    ],
)
async def test_refusals(shop: Shop, changes: dict[str, Any], text: str) -> None:
    assert await shop.refused("add.user.item", **(NEW | changes)) == text


async def test_the_order_of_the_rules(shop: Shop) -> None:
    wrong: dict[str, Any] = {
        "birthday": "abc", "sex": "3", "head_pic": "h" * 513, "nickname": "n" * 51, "email": "bad", "mobile": "1",
        "password": "1", "username": "a",
    }  # fmt: skip
    told = []
    for name in ("username", "password", "mobile", "email", "nickname", "head_pic", "sex", "birthday"):
        told.append(await shop.refused("add.user.item", **wrong))
        wrong[name] = NEW.get(name)
        if name == "password":
            wrong["password_confirm"] = NEW["password"]
    assert [text[:2] for text in told] == ["账号", "密码", "手机", "邮箱", "昵称", "头像", "性别", "生日"]


async def test_nicknames_are_unique_and_emails_are_not(shop: Shop) -> None:
    await shop.done("add.user.item", **NEW, nickname="小明", email="bob@example.com")
    other = NEW | {"username": "carol1", "mobile": "13800000003"}
    assert await shop.refused("add.user.item", **other, nickname="小明") == "昵称已存在"
    assert await shop.done("add.user.item", **other, email="bob@example.com") is True


async def test_fifty_registrations_of_one_name(shop: Shop) -> None:
    clients = [Shop(shop.harness, shop.harness.client_from(f"10.0.{n}.1")) for n in range(50)]
    calls = [c.call("add.user.item", **(NEW | {"mobile": f"138000001{n:02}"})) for n, c in enumerate(clients)]
    answers = await asyncio.gather(*calls)
    assert sorted(answer["message"] for answer in answers) == ["success"] + ["账号已存在"] * 49


async def test_an_identifier_of_a_closed_account_is_free(shop: Shop) -> None:
    await shop.harness.close_account("alice1")
    again = NEW | {"username": "alice1", "mobile": "13800000001"}
    assert await shop.done("check.user.username", username="alice1") is True
    assert await shop.done("add.user.item", **again) is True


@pytest.mark.parametrize(
    ("what", "free", "taken", "text"),
    [
        ("username", "fresh-1", "ALICE1", "账号已存在"),
        ("mobile", "13811112222", "13800000001", "手机号已存在"),
        ("nickname", "新昵称", "小明", "昵称已存在"),
    ],
)
async def test_checks(shop: Shop, what: str, free: str, taken: str, text: str) -> None:
    token = (await shop.log_in())["token"]["token"]
    await shop.done("set.user.item", client_id="1", token=token, nickname="小明")
    method = f"check.user.{what}"
    assert await shop.done(method, **{what: free}) is True
    assert await shop.done(method, **{what: free}, appkey=None, sign=None) is True
    assert await shop.refused(method, **{what: taken}) == text
    assert await shop.done(method, **{what: taken}, exclude_id="1") is True
    assert await shop.refused(method, **{what: taken}, exclude_id="2") == text
    assert await shop.refused(method, **{what: taken}, exclude_id="abc") == text
    assert await shop.refused(method, **{what: ""}) == text[:-3] + "不能为空"


@pytest.mark.attack("EN-7")
async def test_checks_are_counted(shop: Shop) -> None:
    for n in range(60):
        assert await shop.done("check.user.username", username=f"fresh-{n}") is True
    told = await shop.refused("check.user.username", username="fresh-x")
    assert told.startswith("操作过于频繁，请")
    assert await shop.refused("check.user.mobile", mobile="13811112222") == told
