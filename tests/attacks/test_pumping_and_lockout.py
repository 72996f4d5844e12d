"""2B, second part: codes are not sold by the thousand, and limits shut nobody out of their own account."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Tag
from menshen.core.time import DAY, MINUTE, SECOND
from menshen.flows.admin.accounts import disable_account
from tests.attacks.looking import look
from tests.attacks.test_codes import try_code
from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import SECRET, Shop
from tests.wire.careyshop.signing import sign
from tests.wire.weidu.client import OTHER_PASSWORD, PASSWORD, Client, said

PHONE, OTHER_PHONE = "13544285663", "13800138000"


async def test_ot_11_codes_go_to_allowed_countries_only(harness: Harness) -> None:
    client = Client(harness)
    for number in ("+85291234567", "+12025550123", "+881612345678", "0085291234567", "+8610086", "+861012345678"):
        token = await client.captcha()
        answer = await client.post("/users/mobile/sms", mobile=number, captcha_token=token)
        assert answer.status_code == 400, number
    assert await harness.messages() == []


async def test_ot_11_a_network_a_day_an_app_and_a_country_have_their_budgets(tmp_path: Path) -> None:
    environ = {"MENSHEN_SMS__COUNTRIES": '["+86", "+852"]', "MENSHEN_SMS__COUNTRY_BUDGETS": '{"+852": 4}'}
    async with open_harness(tmp_path, environ, send_budget_per_day=12) as h:
        shop = await h.add_app("shop", host="shop.example", appkey="22222222", sms_per_day=2)

        async def send(number: str, ip: str, base_url: str = "http://127.0.0.1:8400") -> int:
            client = Client(h, ip=ip, base_url=base_url)
            token = await client.captcha()
            return (await client.post("/users/mobile/sms", mobile=number, captcha_token=token)).status_code

        app = [await send(f"1390013800{n}", f"192.0.{n}.1", "http://shop.example") for n in range(4)]
        assert app == [200, 200, 429, 429]
        country = [await send(f"+8529123456{n}", f"192.1.{n}.1") for n in range(6)]
        assert country == [200] * 4 + [429] * 2
        # What was refused for one budget was sent to nobody: a flood at one app does not empty the others' budgets.
        overall = [await send(f"1380013800{n}", f"192.2.{n}.1") for n in range(8)]
        assert overall == [200] * 6 + [429] * 2
        told = {(event.tag, event.reason) for event in await h.events()}
        for name in ("all", f"app:{shop.app_id}", "country:+852"):
            assert (Tag.CODE_BUDGET_HALF, name) in told
            assert (Tag.CODE_BUDGET_SPENT, name) in told
        h.clock.advance(DAY)
        assert await send("13800138009", "192.3.1.1") == 200


async def test_ot_11_one_network_gets_ten_codes_an_hour(harness: Harness) -> None:
    client = Client(harness)
    statuses = []
    for number in range(11):
        token = await client.captcha()
        mobile = f"1390{number:03}8000"
        statuses.append((await client.post("/users/mobile/sms", mobile=mobile, captcha_token=token)).status_code)
    assert statuses == [200] * 10 + [429]


async def test_ot_11_a_prefix_that_is_pumped_costs_more_and_raises_an_alarm(tmp_path: Path) -> None:
    async with open_harness(tmp_path, prefix_watch_from=5) as h:
        for number in range(5):
            await Client(h, ip=f"192.0.{number}.1").code(f"1390013800{number}")
        alarms = [event for event in await h.events() if event.tag is Tag.CODE_PREFIX_PUMPED]
        assert [event.reason for event in alarms] == ["+861390013:0/5"]
        client = Client(h, ip="192.0.9.1")
        easy = await client.captcha()
        answer = await client.post("/users/mobile/sms", mobile="13900138009", captcha_token=easy)
        assert said(answer) == (428, "captcha_invalid")
        hard = answer.json()["challenge"]
        solved = await client.post("/users/behavior/verification", captcha_id=h.solve(hard))
        token = solved.json()["captcha_token"]
        assert hard["parameters"]["cost"] == 8
        assert (await client.post("/users/mobile/sms", mobile="13900138009", captcha_token=token)).status_code == 200
        # Who shows no captcha gets none to that prefix, and gets them to others.
        shop = Shop(h)
        assert "操作过于频繁" in await shop.refused("send.verification.sms", mobile="13900138008")
        await shop.done("send.verification.sms", mobile="13900148008")
        # The easy pass was not spent by the refusal.
        assert (await client.post("/users/mobile/sms", mobile="13900148009", captcha_token=easy)).status_code == 200


async def test_ot_11_a_prefix_whose_codes_come_back_is_left_alone(tmp_path: Path) -> None:
    async with open_harness(tmp_path, prefix_watch_from=5) as h:
        for number in range(10):
            response = await Client(h, ip=f"192.0.{number}.1").log_in_by_code(f"1390013800{number}")
            assert response.status_code == 200
        assert [event for event in await h.events() if event.tag is Tag.CODE_PREFIX_PUMPED] == []


async def test_ot_12_nobody_bombs_a_number_from_many_networks_for_many_purposes(harness: Harness) -> None:
    await harness.add_app("shop", host="shop.example", appkey="22222222")
    sent = 0
    for number, purpose in enumerate(itertools.islice(itertools.cycle(("login", "signup", "reset", "bind")), 12)):
        base = "http://shop.example" if number % 2 else "http://127.0.0.1:8400"
        client = Client(harness, ip=f"192.0.{number}.1", base_url=base)
        token = await client.captcha()
        answer = await client.post("/users/mobile/sms", mobile=PHONE, captcha_token=token, purpose=purpose)
        sent += answer.status_code == 200
        async with harness.client_from(f"192.1.{number}.1") as other:
            sent += (await Shop(harness, other).call("send.verification.sms", mobile=f"+86 {PHONE}"))["status"] == 200
        harness.clock.advance(61 * SECOND)
    assert sent == len(await harness.messages()) == 5


@pytest.mark.parametrize("how", ["pause", "suspension"])
async def test_ot_13_who_shuts_a_name_out_does_not_shut_its_owner_out(tmp_path: Path, how: str) -> None:
    async with open_harness(tmp_path, suspend_after=100 if how == "pause" else 12) as h:
        await h.add_account("alice1", phone=PHONE, password=PASSWORD)
        owner = Client(h, ip="203.0.113.5")
        assert (await owner.log_in("alice1", device_id="my phone")).status_code == 200
        for number in range(14 if how == "suspension" else 11):
            stranger = Client(h, ip=f"192.0.{number if how == 'suspension' else 2}.1")
            await stranger.post(
                "/users/login", login_id="alice1", password="wrong", captcha_token=await stranger.captcha()
            )
        known = Client(h, ip="192.0.2.1" if how == "pause" else "203.0.113.5")
        assert (await known.log_in("alice1", device_id="my phone")).status_code == 200
        by_code = Client(h, ip="198.51.100.1")
        assert (await by_code.log_in_by_code(PHONE)).status_code == 200
        # The code lifted the suspension, too.
        assert (await Client(h, ip="198.51.100.1").log_in("alice1")).status_code == 200
        if how == "pause":
            stranger = Client(h, ip="192.0.2.1")
            assert (await stranger.log_in("alice1", device_id="another")).status_code == 429
            h.clock.advance(15 * MINUTE)
            assert (await stranger.log_in("alice1", device_id="another")).status_code == 200


SPELLINGS = (
    "alice1", "ALICE1", " Alice1 ", "ａｌｉｃｅ１", PHONE, f"+86{PHONE}", f"0086 {PHONE}", "+86 135-4428-5663",
    "alice@b.example", "Alice@B.EXAMPLE", "alice＠b.example",
)  # fmt: skip


async def test_ot_14_all_spellings_of_an_account_share_one_counter(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, email="alice@b.example", password=PASSWORD)
    client, judged = Client(harness), 0
    for login_id in SPELLINGS:
        token = await client.captcha()
        answer = await client.post("/users/login", login_id=login_id, password="wrong", captcha_token=token)
        judged += answer.status_code == 401
    assert judged == 10
    assert (await client.log_in("alice1")).status_code == 429
    # The shop's door is another one to the same room.
    assert "操作过于频繁" in await Shop(harness).refused(
        "login.user.user", username="alice1", password=PASSWORD, platform="pc"
    )


async def test_ot_14_names_that_nobody_has_are_folded_too(harness: Harness) -> None:
    client = Client(harness)
    statuses = [
        (await client.log_in(name, "wrong")).status_code for name in ("nobody1", "NOBODY1", " nobody1 ", "ｎobody1")
    ]
    assert statuses == [401, 401, 401, 428]


async def test_ot_15_a_disabled_account_is_entered_by_no_path(harness: Harness) -> None:
    account = await harness.add_account("alice1", phone=PHONE, email="alice@b.example", password=PASSWORD)
    client, shop = Client(harness), Shop(harness)
    held = (await shop.log_in("alice1", PASSWORD))["token"]
    await client.log_in("alice1")
    # Begun before, finished after.
    begun = {
        purpose: await client.code(to, purpose)
        for purpose, to in (("login", PHONE), ("reset", PHONE), ("bind", OTHER_PHONE))
    }
    mailed, mail_token = await client.code("alice@b.example")
    await disable_account("#1", store=harness.store, world=harness.clock)
    assert not await client.alive()
    outcomes = [
        await client.log_in("alice1"),
        await client.log_in(PHONE),
        await client.log_in("alice@b.example"),
        await try_code(client, *begun["login"]),
        await client.post(
            "/users/mobile/reset", mobile=PHONE, sms_code=begun["reset"][0], captcha_token=begun["reset"][1],
            password=OTHER_PASSWORD,
        ),
        await client.post("/users/mobile/bind", mobile=OTHER_PHONE, sms_code=begun["bind"][0]),
        await client.post(
            "/users/email/login", login_id="alice@b.example", email_code=mailed, captcha_token=mail_token
        ),
        await client.get("/users/info"),
        await client.post("/users/password", old_password=PASSWORD, password=OTHER_PASSWORD),
    ]  # fmt: skip
    assert {outcome.status_code for outcome in outcomes} <= {401, 403}
    for method, more in (
        ("login.user.user", {"username": "alice1", "password": PASSWORD, "platform": "pc"}),
        ("refresh.user.token", {"token": held["token"] if isinstance(held, dict) else "", "refresh": held["refresh"]}),
        ("get.user.info", {"client_id": "1", "token": held["token"]}),
    ):
        assert (await shop.call(method, **more))["status"] in {401, 500}
    after = await harness.store.read.accounts.find(account.number)
    assert isinstance(after, Account)
    assert after.password_version == account.password_version
    assert await harness.store.read.sessions.list_of(account.number) == []


async def test_ot_15_a_pause_holds_at_every_door_that_takes_the_password(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1")
    for _ in range(10):
        answer = await client.post("/users/password", old_password="wrong", password=OTHER_PASSWORD)
        assert said(answer) == (401, "wrong_credentials")
    doors = [
        await client.post("/users/password", old_password=PASSWORD, password=OTHER_PASSWORD),
        await client.post("/users/mobile/bind", mobile=OTHER_PHONE, sms_code="000000", password=PASSWORD),
        await Client(harness).log_in(PHONE),
    ]
    assert [door.status_code for door in doors] == [429, 429, 429]


async def test_ot_16_a_batch_is_no_way_to_try_often(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    shop = Shop(harness)
    held = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    item = {
        "version": "v1", "controller": "user", "method": "login.user.user", "username": "alice1",
        "password": "wrong-one", "platform": "p",
    }  # fmt: skip
    methods = {
        "user": ("login.user.user", "add.user.item", "find.user.password", "set.user.password"),
        "verification": (
            "send.verification.sms", "ver.verification.sms", "use.verification.item", "send.verification.email",
            "ver.verification.email",
        ),
        "app": ("image.app.captcha",),
    }  # fmt: skip
    batch = [{**item, "controller": place, "method": name} for place, names in methods.items() for name in names]
    asked = shop.asked("x", batch=batch, token=held)
    asked.pop("method")
    answer = (await harness.client.post("/api/batch", json=asked | {"sign": _signed(asked)})).json()
    assert [one["status"] for one in answer["data"]] == [500] * len(batch)
    assert len({one["message"] for one in answer["data"]}) == 1
    assert [event for event in await harness.events() if event.tag is Tag.LOGIN_FAILED] == []
    flood = shop.asked("x", batch=[item] * 100, token=held)
    flood.pop("method")
    answer = (await harness.client.post("/api/batch", json=flood | {"sign": _signed(flood)})).json()
    assert answer["status"] == 500


def _signed(asked: dict[str, Any]) -> str:
    return sign({name: value for name, value in asked.items() if name != "sign"}, SECRET)


async def test_ot_17_nobody_elsewhere_burns_a_code(harness: Harness) -> None:
    await harness.add_account("claimer1", phone=PHONE, password=PASSWORD, verified=False)
    async with harness.client_from("203.0.113.5") as elsewhere:
        attacker, victim = Shop(harness, elsewhere), Shop(harness)
        held = (await attacker.log_in("claimer1", PASSWORD))["token"]["token"]
        await victim.done("send.verification.sms", mobile=PHONE)
        code = (await harness.messages())[-1].code
        assert await attacker.refused("use.verification.item", number=PHONE) == "验证码已无效"
        await victim.done("ver.verification.sms", mobile=PHONE, code=code)
        # Neither consumed, nor made the proof of somebody else's claim.
        assert await attacker.refused("use.verification.item", number=PHONE) == "验证码已无效"
        told = await attacker.refused("use.verification.item", number=PHONE, is_check="1", token=held)
        assert told == "验证码已无效"
        await victim.done("use.verification.item", number=PHONE)
    account = await harness.store.read.accounts.find(1)
    assert account is not None
    assert not account.phone_verified


async def test_ot_18_a_captcha_serves_its_own_app_network_action_and_time_once(harness: Harness) -> None:
    await harness.add_app("shop", host="shop.example", appkey="22222222")
    client = Client(harness)

    async def send(who: Client, token: Any, number: str) -> int:
        return (await who.post("/users/mobile/sms", mobile=number, captcha_token=token)).status_code

    token = await client.captcha()
    assert await send(Client(harness, ip="192.0.2.1"), token, PHONE) == 428
    assert await send(Client(harness, base_url="http://shop.example"), token, PHONE) == 428
    assert await send(client, token, PHONE) == 200
    assert await send(client, token, OTHER_PHONE) == 428
    # Once to an action: the same pass still serves another one.
    wrong = await client.post(
        "/users/mobile/reset", mobile=OTHER_PHONE, sms_code="000000", captcha_token=token, password=PASSWORD
    )
    assert said(wrong) == (401, "wrong_code")
    late = await client.captcha()
    harness.clock.advance(300 * SECOND)
    assert await send(client, late, OTHER_PHONE) == 428
    for nothing in ("", " ", "0", "x" * 26, token.upper(), token[:-1], token + " ", token + "\n"):
        assert await send(client, nothing, OTHER_PHONE) in {400, 428}
    assert len(await harness.messages()) == 1


@pytest.mark.parametrize(
    "spoilt", ["twice", "late", "other app", "other network", "altered", "easier", "foreign", "empty"]
)
async def test_ot_18_a_test_is_solved_once_in_time_by_whom_it_was_given_to(harness: Harness, spoilt: str) -> None:
    await harness.add_app("shop", host="shop.example", appkey="22222222")
    client = Client(harness)
    challenge = (await client.get("/users/behavior/challenge")).json()
    solved = harness.solve(challenge)
    if spoilt == "twice":
        assert (await client.post("/users/behavior/verification", captcha_id=solved)).status_code == 200
    elif spoilt == "late":
        harness.clock.advance(5 * MINUTE)
    elif spoilt == "other app":
        client = Client(harness, base_url="http://shop.example")
    elif spoilt == "other network":
        client = Client(harness, ip="192.0.2.1")
    elif spoilt in {"altered", "easier"}:
        solved = _altered(solved, "cost" if spoilt == "easier" else "expiresAt")
    elif spoilt == "foreign":
        challenge["signature"] = "0" * 64
        solved = harness.solve(challenge)
    else:
        solved = " "
    answer = await client.post("/users/behavior/verification", captcha_id=solved)
    assert said(answer) == (428, "captcha_invalid")


def _altered(payload: str, name: str) -> str:
    whole = json.loads(base64.b64decode(payload))
    whole["challenge"]["parameters"][name] += -1 if name == "cost" else 1000
    return base64.b64encode(json.dumps(whole).encode()).decode()


async def test_ot_18_a_harder_test_is_asked_of_a_network_that_fails_much(harness: Harness) -> None:
    client = Client(harness)
    easy = await client.captcha()
    for number in range(20):
        await client.post(
            "/users/login", login_id=f"nobody{number}", password="wrong", captcha_token=await client.captcha()
        )
    answer = await client.log_in("nobody99", captcha_token=easy)
    assert said(answer) == (428, "captcha_invalid")
    asked = answer.json()["challenge"]["parameters"]["cost"]
    offered = (await client.get("/users/behavior/challenge")).json()["parameters"]["cost"]
    assert asked == offered > 1
    assert said(await client.log_in("nobody99", captcha_token=await client.captcha())) == (401, "wrong_credentials")
    assert look(await Client(harness, ip="192.0.2.1").log_in("nobody98"))[0] == 401
