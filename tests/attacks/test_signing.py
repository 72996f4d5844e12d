"""2L: signs, devices and clocks of clients are comfort and compatibility: nothing is granted because one fits."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from menshen.core.apps import App, DeviceSign
from menshen.core.problems import Denied
from menshen.core.sessions.devices import Device, DeviceFields, judge_device, sign_device
from menshen.core.time import HOUR, MINUTE, SECOND, Instant
from tests.attacks.rows import tables
from tests.harness import Harness
from tests.wire.careyshop.shop import APPKEY, SECRET, Shop
from tests.wire.careyshop.signing import sign
from tests.wire.weidu.client import OK, PASSWORD, Client, said

PHONE = "13544285663"


async def ask(h: Harness, **parameters: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await h.client.post("/api/v1/user", json=parameters)).json()
    return body


async def test_sg_1_a_sign_that_fits_grants_nothing(harness: Harness) -> None:
    """The old sign joins names and values without a mark between them: two calls can share one. It opens no door."""
    await harness.add_account("alice1", password=PASSWORD)
    await harness.add_account("bobby1", password=PASSWORD)
    shop = Shop(harness)
    token = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    whole = shop.asked("set.user.item", client_id="1", token=token, nickname="ab")
    # The same bytes under the sign, cut at another place.
    moved = {**{k: v for k, v in whole.items() if k != "nickname"}, "nicknamea": "b"}
    assert sign(moved, SECRET) == whole["sign"]
    body = await ask(harness, **moved)
    assert "nickname" not in (body["data"] or {})
    # What a sign leaves out: arrays and objects. Unsigned, they change nobody else and nothing of the server's.
    body = await ask(harness, **whole, group_id=["1"], client={"id": "2"}, extra={"status": 0})
    assert body["status"] == 200
    for number in ("2", ["2"], {"0": "2"}):
        body = await ask(harness, **{**whole, "client_id": number})
        assert body["status"] in {403, 500}, number
    bob = await harness.store.read.accounts.find(2)
    assert bob is not None
    assert bob.profile.nickname == ""
    # A right sign without a token is still nobody.
    assert (await shop.call("get.user.info", client_id="1"))["status"] == 403
    batch = shop.asked(
        "x", batch=[{"version": "v1", "controller": "user", "method": "get.user.info", "client_id": "1"}]
    )
    batch.pop("method")
    batch["sign"] = sign({name: value for name, value in batch.items() if name != "sign"}, SECRET)
    answer = (await harness.client.post("/api/batch", json=batch)).json()
    assert [item["status"] for item in answer["data"]] == [500]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (True, "1"),
        (False, ""),
        (1, "1"),
        (1.0, "1"),
        (1.50, "1.5"),
        (1e14, "1.0E+14"),
        (0.00001, "1.0E-5"),
        ("+ /%20é", "+ /%20é"),
    ],
)
async def test_sg_2_types_have_one_text_and_what_has_none_is_refused(harness: Harness, given: Any, text: str) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    shop = Shop(harness)
    token = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    asked = {"method": "get.user.info", "appkey": APPKEY, "client_id": 1, "token": token, "zzz": given}
    texts = {name: str(value) for name, value in asked.items()} | {"zzz": text}
    joined = "".join(name + value for name, value in sorted(texts.items()))
    fits = hashlib.md5(f"{SECRET}{joined}{SECRET}".encode()).hexdigest()
    assert (await ask(harness, **asked, sign=fits))["status"] == 200
    # As Python would say it, it is another text.
    if str(given) != text:
        joined = joined.replace(f"zzz{text}", f"zzz{given}")
        other = hashlib.md5(f"{SECRET}{joined}{SECRET}".encode()).hexdigest()
        assert (await ask(harness, **asked, sign=other))["message"] == "sign错误"


def test_sg_2_the_contracts_own_example() -> None:
    asked = {"appkey": "11111111", "client_id": 1, "method": "get.user.item", "timestamp": 1795219000, "token": SECRET}
    assert sign(asked, SECRET) == "4c1c994371171c502c275f8edb0aacb9"


@pytest.mark.parametrize(
    ("offset", "good"),
    [(0, True), (600, True), (-600, True), (601, False), (-601, False), (10**9, False), (-(10**9), False)],
)
async def test_sg_3_a_time_is_near_or_refused(harness: Harness, offset: int, good: bool) -> None:
    at = harness.clock.now() // SECOND + offset
    body = await ask(harness, method="get.app.captcha", timestamp=at)
    assert (body["message"] == "timestamp已过期") is not good


async def test_sg_3_what_is_replayed_brings_nothing_new(harness: Harness) -> None:
    """The old protocol has no nonce: whatever a replay could gain must be spent by itself."""
    await harness.add_account("alice1", password=PASSWORD)
    shop = Shop(harness)
    held = (await shop.log_in("alice1", PASSWORD))["token"]
    renewing = shop.asked("refresh.user.token", token=held["token"], refresh=held["refresh"])
    first = (await harness.client.post("/api/v1/user", data=renewing)).json()
    assert first["status"] == 200
    assert (await harness.client.post("/api/v1/user", data=renewing)).json()["status"] == 401
    token = first["data"]["token"]["token"]
    leaving = shop.asked("logout.user.user", token=token)
    assert (await harness.client.post("/api/v1/user", data=leaving)).json()["status"] == 200
    assert (await harness.client.post("/api/v1/user", data=leaving)).json()["status"] == 401
    await shop.done("send.verification.sms", mobile=PHONE)
    code = (await harness.messages())[-1].code
    proving = shop.asked("ver.verification.sms", mobile=PHONE, code=code)
    using = shop.asked("use.verification.item", number=PHONE)
    for asked in (proving, using):
        assert (await harness.client.post("/api/v1/verification", data=asked)).json()["status"] == 200
        assert (await harness.client.post("/api/v1/verification", data=asked)).json()["status"] == 500
    odds: list[Any] = [[], {}, "x", "1e3", 1.5, True, harness.clock.now()]
    for odd in odds:
        body = await ask(harness, method="get.app.captcha", timestamp=odd)
        assert body["message"] in {"无效的日期格式", "timestamp已过期"}, odd


async def test_sg_4_another_apps_secret_a_disabled_app_and_an_old_secret_sign_nothing(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    other = await harness.add_app("other", appkey="22222222", secret="f" * 32)
    shop = Shop(harness)
    token = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    right = shop.asked("get.user.info", client_id="1", token=token)["sign"]
    for text in ("", None, "0" * 32, right.upper(), right[:31], right + "0", right * 100, "é" * 32, "\0" * 32):
        told = await shop.call("get.user.info", client_id="1", token=token, sign=text)
        assert told["status"] in {403, 500}, text
    assert await shop.refused("get.user.info", client_id="1", token=token, secret="f" * 32) == "sign错误"
    assert await shop.refused("get.user.info", client_id="1", token=token, appkey="22222222") == "sign错误"
    assert (await shop.call("get.user.info", client_id="1", token=token, appkey="22222222", secret="f" * 32))[
        "status"
    ] == 200
    await harness.change_app(other, disabled=True)
    disabled = await shop.refused("get.user.info", client_id="1", token=token, appkey="22222222", secret="f" * 32)
    assert disabled == "appkey已禁用或不存在"
    await harness.change_app(secret="e" * 32)
    assert await shop.refused("get.user.info", client_id="1", token=token) == "sign错误"
    assert (await shop.call("get.user.info", client_id="1", token=token, secret="e" * 32))["status"] == 200


async def test_sg_5_the_secret_stands_on_both_ends(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    shop = Shop(harness)
    token = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    asked = shop.asked("get.user.info", client_id="1", token=token)
    asked.pop("sign")
    joined = "".join(name + str(value) for name, value in sorted(asked.items()))
    for text in (SECRET + joined, joined + SECRET, joined, f"{SECRET}{joined}{SECRET}x"):
        made = hashlib.md5(text.encode()).hexdigest()
        assert (await ask(harness, **asked, sign=made))["message"] == "sign错误"
    made = hashlib.md5(f"{SECRET}{joined}{SECRET}".encode()).hexdigest()
    assert (await ask(harness, **asked, sign=made))["status"] == 200


async def test_sg_6_a_device_is_a_comfort_that_grants_and_escapes_nothing(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    owner = Client(harness, ip="203.0.113.5")
    await owner.log_in("alice1", device_id="my phone")
    # The right device with a wrong password is a wrong password.
    assert said(await Client(harness).log_in("alice1", "wrong", device_id="my phone")) == (401, "wrong_credentials")
    # New ids each time are no way round the account's and network's own count.
    statuses = []
    for number in range(4):
        answer = await Client(harness, ip="192.0.2.1").log_in("alice1", "wrong", device_id=f"new {number}")
        statuses.append(answer.status_code)
    assert statuses == [401, 401, 401, 428]
    # A copied id has its own ten tries from everywhere together, and then pauses too.
    last = 0
    for number in range(12):
        client = Client(harness, ip=f"198.51.{number}.1")
        answer = await client.post(
            "/users/login",
            login_id="alice1",
            password="wrong",
            device_id="my phone",
            captcha_token=await client.captcha(),
        )
        last = answer.status_code
    assert last == 429
    for number in range(55):
        await Client(harness, ip="203.0.113.5").log_in("alice1", device_id=f"mine {number}")
        harness.clock.advance(1)
    assert len(tables(harness.data_dir)["known_devices"]) == 50


@pytest.mark.parametrize("scheme", list(DeviceSign))
def test_sg_6_a_sign_fits_its_own_device_app_and_time(scheme: DeviceSign) -> None:
    app, now = App(1, "a", "11111111", "s" * 32, device_sign=scheme), Instant(1_795_219_200_000)
    at = now // SECOND
    made = sign_device(app, "phone", at)
    fits = judge_device(app, DeviceFields("phone", sign=made, timestamp=at), now)
    assert isinstance(fits, Device)
    assert (fits.device_id, fits.signed, bool(fits.spends)) == ("phone", True, scheme is DeviceSign.HMAC)
    foreign = App(2, "b", "22222222", "t" * 32, app_name="other", device_sign=scheme)
    for given in (
        DeviceFields("other", sign=made, timestamp=at),
        DeviceFields("phone", sign=made.upper(), timestamp=at),
        DeviceFields("phone", sign=made[:-1], timestamp=at),
        DeviceFields("phone", sign="é", timestamp=at),
    ):
        assert isinstance(judge_device(app, given, now), Denied)
    assert isinstance(judge_device(foreign, DeviceFields("phone", sign=made, timestamp=at), now), Denied)
    late = judge_device(app, DeviceFields("phone", sign=made, timestamp=at), Instant(now + 601 * SECOND))
    assert isinstance(late, Denied)
    if scheme is DeviceSign.HMAC:
        assert isinstance(judge_device(app, DeviceFields("phone", sign=made, timestamp=at + 1), now), Denied)
        assert isinstance(judge_device(app, DeviceFields("phone", sign=made), now), Denied)


async def test_sg_7_a_clock_that_goes_back_brings_nothing_back(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client, shop = Client(harness), Shop(harness)
    code, token = await client.code(PHONE)
    assert (
        await client.post("/users/mobile/login", login_id=PHONE, sms_code=code, captcha_token=token)
    ).status_code == 200
    ended = client.token
    await client.post("/users/logout")
    old = (await shop.log_in("alice1", PASSWORD))["token"]
    await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"])
    solved = harness.solve((await client.get("/users/behavior/challenge")).json())
    assert said(await client.post("/users/behavior/verification", captcha_id=solved)) == OK
    for jump in (-HOUR, HOUR, -MINUTE, -10 * SECOND):
        harness.clock.advance(jump)
        answer = await client.post(
            "/users/mobile/login", login_id=PHONE, sms_code=code, captcha_token=await client.captcha()
        )
        assert said(answer)[0] == 401
        assert (
            await harness.client.get("/auth/verify", headers={"authorization": f"Bearer {ended}"})
        ).status_code == 401
        assert (await shop.call("refresh.user.token", token=old["token"], refresh=old["refresh"]))["status"] == 401
        assert said(await client.post("/users/behavior/verification", captcha_id=solved))[0] == 428
