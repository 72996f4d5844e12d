"""docs/contracts/careyshop.md section 5.7: set.user.password and find.user.password."""

from typing import Any

import pytest

from tests.wire.careyshop.calls.test_codes import sent
from tests.wire.careyshop.shop import Shop

CHANGE = {"client_id": "1", "password_old": "Passw0rd!", "password": "New-pass-1", "password_confirm": "New-pass-1"}
RESET = {"username": "alice1", "mobile": "13800000001", "password": "Found-123", "password_confirm": "Found-123"}


async def test_a_change_ends_every_token(shop: Shop) -> None:
    tokens = [(await shop.log_in(platform=p))["token"]["token"] for p in ("pc", "ios")]
    assert await shop.done("set.user.password", token=tokens[0], **CHANGE) is True
    assert [await shop.is_live(token) for token in tokens] == [False, False]
    old = {"username": "alice1", "password": "Passw0rd!", "platform": "pc"}
    assert await shop.refused("login.user.user", **old) == "账号或密码错误"
    await shop.log_in(password="New-pass-1")


async def test_the_same_password_again(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    same = {"password": "Passw0rd!", "password_confirm": "Passw0rd!"}
    assert await shop.done("set.user.password", token=token, **(CHANGE | same)) is True
    assert not await shop.is_live(token)


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"client_id": None}, 500, "账号编号不能为空"),
        ({"client_id": "2"}, 403, "权限不足"),
        ({"password": None}, 500, "密码不能为空"),
        ({"password": "123", "password_confirm": "123"}, 500, "密码长度不能小于 6"),
        ({"password_confirm": "new-pass-1"}, 500, "密码和确认字段不一致"),
        ({"password_old": None}, 500, "原始密码不能为空"),
        ({"password_old": "123"}, 500, "原始密码长度不能小于 6"),
        ({"password_old": "Passw0rd?"}, 500, "原始密码错误"),
        ({"password": "123456", "password_confirm": "123456"}, 500, "密码过于简单，请更换"),
    ],
)
async def test_refusals_of_a_change(shop: Shop, changes: dict[str, Any], status: int, text: str) -> None:
    token = (await shop.log_in())["token"]["token"]
    body = await shop.call("set.user.password", token=token, **(CHANGE | changes))
    assert body == {"status": status, "message": text, "data": None}
    assert await shop.is_live(token)


async def test_wrong_old_passwords_are_counted(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    told = [
        await shop.refused("set.user.password", token=token, **(CHANGE | {"password_old": f"guess-{n}"}))
        for n in range(12)
    ]
    assert told[:10] == ["原始密码错误"] * 10
    assert told[-1].startswith("操作过于频繁，请")


async def test_a_reset_by_a_code(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    code = await sent(shop)
    assert await shop.done("find.user.password", **RESET, code=code) is True
    assert not await shop.is_live(token)
    await shop.log_in(password="Found-123")
    assert await shop.refused("find.user.password", **RESET, code=code) == "验证码错误"


async def test_one_answer_for_all_that_does_not_fit(shop: Shop) -> None:
    await shop.harness.add_account(username="bob_B-2", phone="13800000002", password="Secret-12")
    await shop.harness.add_account(username="banned1", phone="13800000003", password="Secret-12")
    await shop.harness.add_account(username="claims1", phone="13800000004", password="Secret-12", verified=False)
    await shop.harness.disable("banned1")
    token = (await shop.log_in("bob_B-2", "Secret-12"))["token"]["token"]
    for username, mobile in (
        ("nobody1", "13800000001"),
        ("bob_B-2", "13800000001"),
        ("banned1", "13800000003"),
        ("claims1", "13800000004"),
        ("nobody1", "13800000009"),
    ):
        code = await sent(shop, mobile)
        told = await shop.refused("find.user.password", **(RESET | {"username": username, "mobile": mobile}), code=code)
        assert told == "验证码错误", (username, mobile)
        shop.harness.clock.advance(60_000)
    told = await shop.refused("find.user.password", **RESET, code="000000")
    assert told == "验证码错误"
    assert await shop.is_live(token)
    await shop.log_in("bob_B-2", "Secret-12")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"code": None, "username": None, "mobile": None, "password": None}, "手机验证码不能为空"),
        ({"code": "abc"}, "手机验证码必须是整数"),
        ({"code": "1234567"}, "手机验证码长度不能超过 6"),
        ({"username": None}, "账号不能为空"),
        ({"mobile": None}, "手机号不能为空"),
        ({"mobile": "123"}, "手机号长度不符合要求 7,15"),
        ({"password": None}, "密码不能为空"),
        ({"password_confirm": None}, "密码和确认字段不一致"),
        ({"password": "123456", "password_confirm": "123456"}, "密码过于简单，请更换"),
    ],
)
async def test_refusals_of_a_reset(shop: Shop, changes: dict[str, Any], text: str) -> None:
    assert await shop.refused("find.user.password", **(RESET | {"code": "123456"} | changes)) == text


async def test_an_imported_hash_logs_in_and_is_replaced(shop: Shop) -> None:
    legacy = "56cfa86be43299fb5e25e1ec6160c7d1"
    account = await shop.harness.add_account(username="imported1")
    work = shop.harness.store.write
    assert await work(lambda tx: tx.accounts.replace_hash(account.number, account.password_hash, f"careyshop${legacy}"))
    await shop.log_in("imported1", "Passw0rd!")
    wrong = {"username": "imported1", "platform": "pc"}
    assert await shop.refused("login.user.user", password=legacy, **wrong) == "账号或密码错误"
    await shop.log_in("imported1", "Passw0rd!")


async def test_a_reset_looks_at_all_that_the_account_is_called(shop: Shop) -> None:
    await shop.harness.add_account("fox_town", phone="13800000002", email="grey.wolf@den.example", password="Secret-12")
    asked = {"username": "fox_town", "mobile": "13800000002"}
    code = await sent(shop, "13800000002")
    for weak in ("fox_town1", "13800000002", "grey.wolf1", "grey.wolf@den.example"):
        chosen = {"password": weak, "password_confirm": weak}
        told = await shop.refused("find.user.password", **asked, **chosen, code=code)
        assert told == "密码不能由账号、手机号等组成，请更换"
    good = {"password": "Found-123", "password_confirm": "Found-123"}
    assert await shop.done("find.user.password", **asked, **good, code=code) is True
