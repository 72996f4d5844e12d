"""2D: a token is one person's, of one kind, until it ends; and what has ended stays so."""

from __future__ import annotations

import pytest

from tests.attacks.rows import counts
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

PHONE, OTHER_PHONE = "13544285663", "13800138000"
LOGIN = "/weidu/api/v1/users/login"
BODY = {"login_id": "alice1", "password": PASSWORD}


async def is_good(h: Harness, token: str, how: str = "bearer") -> bool:
    line = f"Bearer {token}" if how == "bearer" else f"menshenAUTHTOKEN={token}"
    name = b"authorization" if how == "bearer" else b"cookie"
    return (await h.client.get("/auth/verify", headers=[(name, line.encode("latin-1"))])).status_code == 204


@pytest.mark.attack("TK-1")
@pytest.mark.parametrize("carried", ["cookie", "bearer"])
async def test_a_login_gives_a_new_token_and_ends_the_one_it_came_with(harness: Harness, carried: str) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    first = (await harness.client.post(LOGIN, json=BODY)).headers["token"]
    harness.client.cookies.clear()
    headers = {"cookie": f"menshenAUTHTOKEN={first}"} if carried == "cookie" else {"authorization": f"Bearer {first}"}
    second = (await harness.client.post(LOGIN, json=BODY, headers=headers)).headers["token"]
    harness.client.cookies.clear()
    assert second != first
    assert not await is_good(harness, first)
    assert await is_good(harness, second)
    assert len(await harness.store.read.sessions.list_of(1)) == 1


@pytest.mark.attack("TK-10")
async def test_strangers_leave_no_rows(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    before = counts(harness)
    client, shop, bare = Client(harness), Shop(harness), harness.client
    token = "ybndrfg8ejkmcpqxot1uwisza3"
    for _ in range(20):
        await client.get("/users/behavior/challenge")
        await client.post("/users/behavior/verification", captcha_id="x")
        await client.post("/users/mobile/sms", mobile=PHONE, captcha_token="x")
        await client.post("/users/mobile/login", login_id=PHONE, sms_code="000000", captcha_token="x")
        await client.post("/users/mobile/signup", mobile=PHONE, sms_code="1", captcha_token="x", passwd=PASSWORD)
        await client.call("GET", "/users/info", None, authorization=f"Bearer {token}")
        await bare.get("/auth/verify", headers={"authorization": f"Bearer {token}", "cookie": "menshenAUTHTOKEN=x"})
        await bare.get("/auth/verify")
        await bare.post("/weidu/api/v1/users/logout", headers={"cookie": f"menshenAUTHTOKEN={token}"})
        await bare.get("/nothing")
        await shop.call("get.user.info", client_id="1", token="0" * 32)
        await shop.call("refresh.user.token", token="0" * 32, refresh="1" * 32)
        await shop.call("use.verification.item", number=PHONE)
        await shop.call("image.app.captcha", session_id="0" * 32)
        await shop.call("get.app.captcha")
        await bare.get("/weidu/api/v1/users/behavior/challenge", headers={"cookie": "menshenAUTHTOKEN=" + "y" * 26})
    assert counts(harness) == before
