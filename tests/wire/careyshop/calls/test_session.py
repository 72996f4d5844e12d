"""docs/contracts/careyshop.md sections 5.1, 5.2 and 3.1: refresh.user.token, logout.user.user, who may call what."""

import asyncio
from typing import Any

import pytest

from menshen.core.audit.events import Tag
from menshen.wire.careyshop.methods import METHODS, Who
from tests.wire.careyshop.shop import TOKEN_FIELDS, Shop

GONE = "未授权或授权已过期"
DAY = 86_400_000


async def test_logout_ends_this_token_alone(shop: Shop) -> None:
    one, other = [(await shop.log_in(platform=p))["token"]["token"] for p in ("pc", "ios")]
    assert await shop.done("logout.user.user", token=one) is True
    assert not await shop.is_live(one)
    assert await shop.is_live(other)
    assert await shop.refused("logout.user.user", token=one) == GONE


async def test_refresh_gives_a_new_pair(shop: Shop) -> None:
    old = (await shop.log_in())["token"]
    shop.harness.clock.advance(DAY)
    data = await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"])
    assert list(data) == ["token"]
    new = data["token"]
    assert list(new) == TOKEN_FIELDS
    assert new["token_expires"] == shop.harness.clock.now() // 1000 + 2592000
    assert new["refresh_expires"] == new["token_expires"] + 86400
    assert not {old["token"], old["refresh"]} & {new["token"], new["refresh"]}
    assert [await shop.is_live(pair["token"]) for pair in (old, new)] == [False, True]
    again = await shop.done("refresh.user.token", token=new["token"], refresh=new["refresh"])
    assert await shop.is_live(again["token"]["token"])


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"refresh": None}, 500, "refresh不能为空"),
        ({"refresh": ""}, 500, "refresh不能为空"),
        ({"refresh": "0" * 33}, 500, "refresh长度不能超过 32"),
        ({"refresh": "0" * 32}, 500, "refresh错误"),
        ({"refresh": "abc"}, 500, "refresh错误"),
        ({"token": None}, 403, "权限不足"),
        ({"token": "0"}, 403, "权限不足"),
        ({"token": "0" * 32}, 401, GONE),
        ({"token": "0" * 32, "refresh": ""}, 401, GONE),
        ({"token": "0" * 32, "sign": "0" * 32}, 401, GONE),
        ({"token": "0" * 32, "appkey": "99999999"}, 401, GONE),
        ({"sign": None}, 500, "sign不存在"),
        ({"sign": "0" * 32}, 500, "sign错误"),
        ({"appkey": None}, 500, "appkey已禁用或不存在"),
    ],
)
async def test_refusals_of_refresh(shop: Shop, changes: dict[str, Any], status: int, text: str) -> None:
    pair = (await shop.log_in())["token"]
    body = await shop.call("refresh.user.token", **({"token": pair["token"], "refresh": pair["refresh"]} | changes))
    assert body == {"status": status, "message": text, "data": None}
    assert await shop.is_live(pair["token"])


async def test_the_refresh_of_another_platform_does_not_fit(shop: Shop) -> None:
    one, other = [(await shop.log_in(platform=p))["token"] for p in ("pc", "ios")]
    assert await shop.refused("refresh.user.token", token=one["token"], refresh=other["refresh"]) == "refresh错误"


async def test_the_extra_day(shop: Shop) -> None:
    pair = (await shop.log_in())["token"]
    shop.harness.clock.advance(30 * DAY - 1000)
    assert await shop.is_live(pair["token"])
    shop.harness.clock.advance(1000)
    body = await shop.call("get.user.info", client_id="1", token=pair["token"])
    assert body == {"status": 401, "message": "token已过期", "data": None}
    assert await shop.refused("check.user.username", username="fresh1", token=pair["token"]) == "token已过期"
    assert await shop.refused("refresh.user.token", token=pair["token"], refresh=pair["refresh"], sign="0" * 32) == (
        "sign错误"
    )
    shop.harness.clock.advance(DAY - 1000)
    new = await shop.done("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
    assert await shop.is_live(new["token"]["token"])


async def test_after_the_extra_day(shop: Shop) -> None:
    pair = (await shop.log_in())["token"]
    shop.harness.clock.advance(31 * DAY)
    told = await shop.refused("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
    assert told == "refresh已过期"


async def test_fifty_refreshes_at_once_give_one_pair(shop: Shop) -> None:
    """Two tabs that refresh at once are both logged in afterwards."""
    pair = (await shop.log_in())["token"]
    calls = [shop.send("refresh.user.token", token=pair["token"], refresh=pair["refresh"]) for _ in range(50)]
    answers = await asyncio.gather(*calls)
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["status"] == 200
    assert await shop.is_live(answers[0].json()["data"]["token"]["token"])
    assert not await shop.is_live(pair["token"])


async def test_a_lost_answer_is_given_again_to_the_byte(shop: Shop) -> None:
    old = (await shop.log_in())["token"]
    shop.harness.clock.advance(DAY)
    lost = await shop.send("refresh.user.token", token=old["token"], refresh=old["refresh"])
    new = lost.json()["data"]["token"]
    for seconds in (0, 1, 29):
        shop.harness.clock.advance(seconds * 1000)
        again = await shop.send("refresh.user.token", token=old["token"], refresh=old["refresh"])
        assert (again.status_code, again.content) == (lost.status_code, lost.content)
    # As its other calls: the old token is dead, and app and sign are checked before.
    assert await shop.refused("get.user.info", client_id="1", token=old["token"]) == GONE
    for changes in ({"sign": "0" * 32}, {"sign": None}, {"appkey": "99999999"}):
        body = await shop.call("refresh.user.token", **({"token": old["token"], "refresh": old["refresh"]} | changes))
        assert body == {"status": 401, "message": GONE, "data": None}
    assert await shop.is_live(new["token"])


async def test_within_the_grace_the_old_refresh_with_the_new_token_is_only_refused(shop: Shop) -> None:
    old = (await shop.log_in())["token"]
    new = (await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"]))["token"]
    shop.harness.clock.advance(30_000)
    assert await shop.refused("refresh.user.token", token=new["token"], refresh=old["refresh"]) == "refresh错误"
    assert await shop.refused("refresh.user.token", token="0" * 32, refresh=old["refresh"]) == GONE
    assert await shop.is_live(new["token"])


@pytest.mark.parametrize("with_token", ["old", "new", "none"])
async def test_a_spent_refresh_that_comes_late_ends_the_session(shop: Shop, with_token: str) -> None:
    old = (await shop.log_in())["token"]
    new = (await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"]))["token"]
    shop.harness.clock.advance(30_001)
    token = {"old": old["token"], "new": new["token"], "none": "0" * 32}[with_token]
    await shop.refused("refresh.user.token", token=token, refresh=old["refresh"])
    assert not await shop.is_live(new["token"])
    assert await shop.refused("refresh.user.token", token=new["token"], refresh=new["refresh"]) == GONE
    assert [event.tag for event in await shop.harness.events()].count(Tag.REFRESH_REUSED) == 1


@pytest.mark.attack("AD-5", "SG-4")
@pytest.mark.parametrize("method", [method.name for method in METHODS if method.who is Who.ACCOUNT])
async def test_with_a_token_app_and_sign_are_enforced(shop: Shop, method: str) -> None:
    await shop.harness.add_app("off", appkey="33333333", disabled=True)
    token = (await shop.log_in())["token"]["token"]
    for changes, status, text in (
        ({"token": None}, 403, "权限不足"),
        ({"token": ""}, 403, "权限不足"),
        ({"token": "0"}, 403, "权限不足"),
        ({"token": "x"}, 401, GONE),
        ({"token": token.upper()}, 401, GONE),
        ({"token": token[:-1]}, 401, GONE),
        ({"token": token + " "}, 401, GONE),
        ({"appkey": None}, 500, "appkey已禁用或不存在"),
        ({"appkey": "99999999", "sign": "0" * 32}, 500, "appkey已禁用或不存在"),
        ({"appkey": "33333333"}, 500, "appkey已禁用或不存在"),
        ({"sign": None}, 500, "sign不存在"),
        ({"sign": ""}, 500, "sign不存在"),
        ({"sign": "0" * 32}, 500, "sign错误"),
    ):
        body = await shop.call(method, **({"token": token} | changes))
        assert body == {"status": status, "message": text, "data": None}, changes
    assert await shop.is_live(token)


async def test_a_token_is_good_under_another_app(shop: Shop) -> None:
    await shop.harness.add_app("second", appkey="22222222", secret="2" * 32)
    token = (await shop.log_in())["token"]["token"]
    data = await shop.done("get.user.info", client_id="1", token=token, appkey="22222222", secret="2" * 32)
    assert data["username"] == "alice1"


@pytest.mark.attack("SG-4")
async def test_a_secret_that_was_replaced_signs_nothing(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    await shop.harness.change_app(secret="e" * 32)
    assert await shop.refused("get.user.info", client_id="1", token=token) == "sign错误"
    await shop.done("get.user.info", client_id="1", token=token, secret="e" * 32)


async def test_a_token_may_come_in_a_header(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    asked = shop.asked("get.user.info", client_id="1")
    for headers, status in (
        ({"authorization": f"Bearer {token}"}, 200),
        ({"authorization": f"bearer {token}"}, 200),
        ({"authorization": "Bearer nonsense"}, 401),
        ({"authorization": f"Basic {token}"}, 403),
        ({"authorization": "Bearer"}, 403),
        ({"cookie": f"token={token}"}, 403),
    ):
        response = await shop.client.post("/api/v1/user", data=asked, headers=headers)
        assert response.json()["status"] == status, headers


@pytest.mark.parametrize(
    "method", ["no.such.method", "LOGIN.USER.USER", " login.user.user", "get.user.list", "set.user.status", None]
)
async def test_unknown_methods_are_forbidden(shop: Shop, method: str | None) -> None:
    token = (await shop.log_in())["token"]["token"]
    for given, status in ((None, 403), (token, 403), ("0" * 32, 401)):
        asked = shop.asked(method or "x", token=given)
        if method is None:
            del asked["method"]
        response = await shop.client.post("/api/v1/user", data=asked)
        assert response.json()["status"] == status


async def test_a_method_belongs_to_its_controller(shop: Shop) -> None:
    asked = shop.asked("login.user.user", username="alice1", password="Passw0rd!", platform="pc")
    for path, status in (("/api/v1/user", 200), ("/api/v1/app", 403), ("/api/v1/userLevel", 403), ("/api/v1/x", 404)):
        assert (await shop.client.post(path, data=asked)).json()["status"] == status


async def test_a_session_is_good_at_the_token_check(shop: Shop) -> None:
    token = (await shop.log_in())["token"]["token"]
    checked = await shop.client.get("/auth/verify", headers={"authorization": f"Bearer {token}"})
    assert (checked.status_code, checked.headers["x-account-number"]) == (204, "1")
    await shop.done("logout.user.user", token=token)
    checked = await shop.client.get("/auth/verify", headers={"authorization": f"Bearer {token}"})
    assert checked.status_code == 401


@pytest.mark.attack("TK-4")
async def test_a_disabled_account_holds_no_session(shop: Shop) -> None:
    pair = (await shop.log_in())["token"]
    await shop.harness.disable("alice1")
    assert not await shop.is_live(pair["token"])
    assert await shop.refused("refresh.user.token", token=pair["token"], refresh=pair["refresh"]) == GONE
