"""2D, second part: lifetimes to the second, and what nobody may set or keep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from menshen.core.time import DAY, MINUTE, SECOND
from menshen.ports.store.store import WriteTx
from tests.attacks.rows import tables
from tests.attacks.test_sessions import is_good
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OTHER_PASSWORD, PASSWORD, Client, said

PHONE, OTHER_PHONE = "13544285663", "13800138000"


async def _weidu_alive(h: Harness) -> Callable[[], Awaitable[bool]]:
    client = Client(h)
    await client.log_in("alice1")
    return lambda: is_good(h, client.token)


async def _shop_alive(h: Harness) -> Callable[[], Awaitable[bool]]:
    held = (await Shop(h).log_in("alice1", PASSWORD))["token"]
    return lambda: is_good(h, held["token"])


async def _shop_refreshable(h: Harness) -> Callable[[], Awaitable[bool]]:
    shop = Shop(h)
    held = (await shop.log_in("alice1", PASSWORD))["token"]

    async def works() -> bool:
        body = await shop.call("refresh.user.token", token=held["token"], refresh=held["refresh"])
        return bool(body["status"] == 200)

    return works


async def _fresh_enough(h: Harness) -> Callable[[], Awaitable[bool]]:
    client = Client(h)
    await client.log_in("alice1")

    async def works() -> bool:
        answer = await client.post("/users/mobile/bind", mobile=OTHER_PHONE, sms_code="000000")
        assert said(answer) in {(401, "wrong_code"), (403, "proof_required")}
        return answer.status_code == 401

    return works


async def _captcha_pass(h: Harness) -> Callable[[], Awaitable[bool]]:
    client = Client(h)
    token = await client.captcha()

    async def works() -> bool:
        answer = await client.post("/users/mobile/sms", mobile=OTHER_PHONE, captcha_token=token)
        return answer.status_code == 200

    return works


async def _challenge(h: Harness) -> Callable[[], Awaitable[bool]]:
    client = Client(h)
    solved = h.solve((await client.get("/users/behavior/challenge")).json())

    async def works() -> bool:
        return (await client.post("/users/behavior/verification", captcha_id=solved)).status_code == 200

    return works


LIFETIMES = {
    "weidu session, unused": (_weidu_alive, 30 * DAY),
    "shop session": (_shop_alive, 30 * DAY),
    "shop refresh": (_shop_refreshable, 31 * DAY),
    "fresh proof": (_fresh_enough, 10 * MINUTE),
    "captcha pass": (_captcha_pass, 300 * SECOND),
    "captcha challenge": (_challenge, 5 * MINUTE),
}


@pytest.mark.parametrize("what", LIFETIMES)
@pytest.mark.parametrize(("off", "good"), [(-SECOND, True), (0, False), (SECOND, False)])
async def test_tk_12_lifetimes_end_to_the_second(harness: Harness, what: str, off: int, good: bool) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    begin, lifetime = LIFETIMES[what]
    works = await begin(harness)
    harness.clock.advance(lifetime + off)
    assert await works() is good


@pytest.mark.parametrize(("day", "good"), [(179, True), (180, False)])
async def test_tk_12_no_use_carries_a_session_past_its_absolute_end(harness: Harness, day: int, good: bool) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1")
    (session,) = await harness.store.read.sessions.list_of(1)
    start = harness.clock.now()
    for at in range(25, day, 25):
        harness.clock.at = start + at * DAY
        expires = min(harness.clock.now() + 30 * DAY, session.ends_at)

        async def touch(tx: WriteTx, expires: int = expires) -> None:
            await tx.sessions.touch(session.session_id, harness.clock.now(), type(session.ends_at)(expires))

        await harness.store.write(touch)
    harness.clock.at = start + day * DAY
    assert await is_good(harness, client.token) is good
    assert tables(harness.data_dir)["sessions"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "x"), ("number", 7), ("status", "active"), ("roles", "admin"), ("role", "admin"), ("is_admin", True),
        ("mobile", OTHER_PHONE), ("mobile_verified", True), ("phone_verified", True), ("email", "x@b.example"),
        ("email_verified", True), ("real_name_verified", True), ("refund_rate", 1), ("dispute_rate", 1),
        ("serve_num", 9), ("work_num", 9), ("password", "x"), ("create_at", 0), ("update_at", 0),
        ("last_password_update", 1),
    ],
)  # fmt: skip
async def test_tk_13_nobody_sets_what_is_the_servers(harness: Harness, name: str, value: Any) -> None:
    account = await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1")
    before = await harness.store.read.accounts.find(account.number)
    answer = await client.call("PUT", "/users/update", {"nickname": "new", name: value})
    assert said(answer) == (400, "forbidden_field")
    assert await harness.store.read.accounts.find(account.number) == before


@pytest.mark.parametrize(
    "name", ["group_id", "status", "is_mobile", "user_level_id", "mobile", "email", "password", "username"]
)
async def test_tk_13_nor_by_the_shops_door(harness: Harness, name: str) -> None:
    account = await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    shop = Shop(harness)
    held = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    before = await harness.store.read.accounts.find(account.number)
    await shop.call("set.user.item", client_id="1", token=held, **{name: "9"})
    after = await harness.store.read.accounts.find(account.number)
    assert before is not None
    assert after is not None
    assert (after.roles, after.status, after.phone, after.phone_verified, after.email, after.username) == (
        before.roles, before.status, before.phone, before.phone_verified, before.email, before.username,
    )  # fmt: skip
    assert after.password_hash == before.password_hash


async def test_tk_14_who_claimed_a_number_first_has_nothing_when_its_owner_comes(harness: Harness) -> None:
    shop = Shop(harness)
    await shop.done(
        "add.user.item", username="squatter1", password=PASSWORD, password_confirm=PASSWORD, mobile=PHONE,
        email="victim@b.example",
    )  # fmt: skip
    squatter = (await shop.log_in("squatter1", PASSWORD))["token"]["token"]
    victim = Client(harness)
    answer = await victim.log_in_by_code(PHONE)
    assert answer.status_code == 200
    assert answer.json()["user_info"]["id"] != 1
    # The squatter's password opens the squatter's own account only, which has lost the number.
    by_phone = await Client(harness, ip="192.0.2.1").log_in(PHONE)
    assert said(by_phone) == (401, "wrong_credentials")
    data = await shop.done("get.user.info", client_id="1", token=squatter)
    assert (data["mobile"], data["is_mobile"]) == ("", 0)
    assert (await victim.get("/users/info")).json()["user_info"]["username"] != "squatter1"
    # Nor can the claim of the address read the victim's mail code for it.
    code, token = await victim.code("victim@b.example", "reset")
    reset = await victim.post(
        "/users/email/reset", email="victim@b.example", email_code=code, captcha_token=token, password=OTHER_PASSWORD
    )
    assert said(reset)[0] in {404, 401}
    assert (await Client(harness, ip="192.0.2.2").log_in("squatter1")).status_code == 200
