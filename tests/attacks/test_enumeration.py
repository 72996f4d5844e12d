"""2A: nobody learns from answers, their form, their order or their cost who has an account."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from menshen.adapters.hashing import argon2id as hashing
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import DAY
from tests.attacks.looking import Look, look
from tests.harness import Harness, open_harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client, said

PHONE, NOBODYS_PHONE = "13544285663", "13544285664"
BCRYPT = "$2b$04$abcdefghijklmnopqrstuuA9o2rAHI1LaHHhGWvfx1GcNQVB3nIIq"
STATES = (
    "alice1",
    "disabled1",
    "codeonly1",
    "claimed1",
    "old1",
    "nobody1",
    "not a name!",
    "13544285699",
    "x@b.example",
)


async def crowd(h: Harness) -> None:
    """One account of each kind that a login can meet."""
    await h.add_account("alice1", phone=PHONE, email="alice@b.example", password=PASSWORD)
    await h.add_account("disabled1", password=PASSWORD)
    await h.disable("disabled1")
    await h.add_account("codeonly1", phone="13800138000")
    await h.add_account("claimed1", phone="13544285699", email="x@b.example", password=PASSWORD, verified=False)
    old = await h.add_account("old1")
    stored = "careyshop$56cfa86be43299fb5e25e1ec6160c7d1"
    await h.store.write(lambda tx: tx.accounts.set_password(old.number, stored, now=h.clock.now()))


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What argon2id was asked to judge or to make, in order."""
    asked: list[str] = []
    real: Any = vars(hashing)["argon2id"]

    class Counting:
        def __getattr__(self, name: str) -> Any:
            if name in {"verify", "str", "kdf"}:
                asked.append(name)
            return getattr(real, name)

    monkeypatch.setattr(hashing, "argon2id", Counting())
    return asked


@pytest.mark.parametrize("password", ["wrong", PASSWORD + "!", "", "x" * 2000, "ÿ", " " + PASSWORD])
async def test_en_1_every_login_that_fails_costs_one_hash(harness: Harness, hashes: list[str], password: str) -> None:
    await crowd(harness)
    hashes.clear()
    for number, login_id in enumerate(STATES):
        client = Client(harness, ip=f"192.0.{number}.1")
        response = await client.log_in(login_id, password or "-")
        assert said(response) == (401, "wrong_credentials"), login_id
        assert hashes == ["verify"], login_id
        hashes.clear()


async def test_en_1_whoever_is_shut_out_costs_no_hash_whoever_they_are(harness: Harness, hashes: list[str]) -> None:
    await crowd(harness)
    for login_id in ("alice1", "nobody1"):
        client = Client(harness, ip="198.51.100.7" if login_id == "alice1" else "192.0.2.7")
        for _ in range(10):
            await client.post("/users/login", login_id=login_id, password="wrong", captcha_token=await client.captcha())
        hashes.clear()
        assert said(await client.log_in(login_id))[0] == 429
        assert hashes == []


async def test_en_2_hashes_of_other_schemes_cost_as_much(harness: Harness, hashes: list[str]) -> None:
    lighter = hashing.Argon2idHasher(hashing.Parameters(16, 1), threads=1)
    stored = {
        "careyshop": "careyshop$56cfa86be43299fb5e25e1ec6160c7d1",
        "bcrypt": BCRYPT,
        "argon2": await lighter.hash(b"secret"),
        "broken": "$argon2id$v=19$broken",
        "giant": "$argon2id$v=19$m=9999999,t=99,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
    }
    lighter.close()
    for number, (name, text) in enumerate(stored.items()):
        account = await harness.add_account(f"old{name}"[:20])
        await harness.store.write(
            lambda tx, n=account.number, t=text: tx.accounts.set_password(n, t, now=harness.clock.now())
        )
        hashes.clear()
        response = await Client(harness, ip=f"192.0.{number}.1").log_in(f"old{name}"[:20], "wrong")
        assert said(response) == (401, "wrong_credentials")
        # What a lighter argon2id spares is added; the others are judged beside a dummy of today's.
        assert hashes == (["verify", "kdf"] if name == "argon2" else ["verify"])


Ask = Callable[[Client, str], Awaitable[httpx.Response]]


async def _send_sms(client: Client, who: str) -> httpx.Response:
    return await client.post("/users/mobile/sms", mobile=who, captcha_token=await client.captcha())


async def _reset(client: Client, who: str) -> httpx.Response:
    return await client.post(
        "/users/mobile/reset", mobile=who, sms_code="000000", captcha_token=await client.captcha(), password=PASSWORD
    )


async def _sign_up(client: Client, who: str) -> httpx.Response:
    return await client.post(
        "/users/mobile/signup", mobile=who, sms_code="000000", captcha_token=await client.captcha(), passwd=PASSWORD
    )


async def _log_in_by_code(client: Client, who: str) -> httpx.Response:
    return await client.post(
        "/users/mobile/login", login_id=who, sms_code="000000", captcha_token=await client.captcha()
    )


async def _send_for(client: Client, who: str, purpose: str) -> httpx.Response:
    token = await client.captcha()
    return await client.post("/users/mobile/sms", mobile=who, captcha_token=token, purpose=purpose)


ASKS: dict[str, Ask] = {
    "password login": lambda client, who: client.log_in(who, "wrong"),
    "code login": _log_in_by_code,
    "send": _send_sms,
    "send for signup": lambda client, who: _send_for(client, who, "signup"),
    "send for reset": lambda client, who: _send_for(client, who, "reset"),
    "send for bind": lambda client, who: _send_for(client, who, "bind"),
    "reset": _reset,
    "signup": _sign_up,
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_en_3_answers_are_the_same_byte_for_byte(harness: Harness, ask: Ask) -> None:
    await crowd(harness)
    looks = [
        look(await ask(Client(harness, ip=f"192.0.{number}.1"), who))
        for number, who in enumerate((PHONE, NOBODYS_PHONE, "13800138000", "13544285699"))
    ]
    assert looks == [looks[0]] * 4


CAREY_ASKS: dict[str, dict[str, Any]] = {
    "login.user.user": {"username": "WHO", "password": "wrong-password", "platform": "pc"},
    "send.verification.sms": {"mobile": "PHONE"},
    "ver.verification.sms": {"mobile": "PHONE", "code": "000000"},
    "use.verification.item": {"number": "PHONE"},
    "find.user.password": {
        "username": "WHO", "mobile": "PHONE", "code": "000000", "password": PASSWORD, "password_confirm": PASSWORD,
    },
}  # fmt: skip


@pytest.mark.parametrize("method", CAREY_ASKS)
async def test_en_3_answers_of_the_shop_too(harness: Harness, method: str) -> None:
    await crowd(harness)
    looks: list[Look] = []
    people = (("alice1", PHONE), ("nobody1", NOBODYS_PHONE), ("disabled1", "13544285699"), ("codeonly1", "13800138000"))
    for number, (who, phone) in enumerate(people):
        asked = {name: {"WHO": who, "PHONE": phone}.get(value, value) for name, value in CAREY_ASKS[method].items()}
        async with harness.client_from(f"192.0.{number}.1") as client:
            looks.append(look(await Shop(harness, client).send(method, **asked)))
    assert looks == [looks[0]] * 4


async def test_en_4_a_disabled_account_is_told_by_a_right_sms_code_only(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    await harness.disable("alice1")
    client = Client(harness)
    assert said(await client.log_in("alice1")) == (401, "wrong_credentials")
    assert said(await _log_in_by_code(client, PHONE)) == (401, "wrong_code")
    assert said(await client.log_in_by_code(PHONE)) == (403, "account_disabled")
    shop = Shop(harness)
    texts = {
        await shop.refused("login.user.user", username=name, password=word, platform="pc")
        for name, word in (("alice1", PASSWORD), ("nobody1", PASSWORD))
    }
    assert texts == {"账号或密码错误"}


async def test_en_5_sending_says_and_does_the_same_for_everybody(harness: Harness) -> None:
    await crowd(harness)
    looks = []
    for number, phone in enumerate((PHONE, NOBODYS_PHONE)):
        client = Client(harness, ip=f"192.0.{number}.1")
        looks.append(look(await _send_for(client, phone, "signup")))
    assert looks[0] == looks[1]
    # The carrier hears of both after the answer, from the outbox: its time is in no answer.
    assert [message.to for message in await harness.messages()] == [f"+86{PHONE}", f"+86{NOBODYS_PHONE}"]
    stored = await harness.store.read.outbox.list_all()
    assert [message.sent_at for message in stored] == [0, 0]
    # That the phone is taken is told to whoever holds it.
    code = (await harness.messages())[0].code
    client = Client(harness)
    answer = await client.post(
        "/users/mobile/signup", mobile=PHONE, sms_code=code, captcha_token=await client.captcha(), passwd=PASSWORD
    )
    assert said(answer) == (409, "already_taken")


@pytest.mark.parametrize("dormant", [False, True])
async def test_en_6_limits_treat_nobody_like_somebody(harness: Harness, dormant: bool) -> None:
    await crowd(harness)
    if dormant:
        await Client(harness, ip="203.0.113.1").log_in("alice1")
        harness.clock.advance(200 * DAY)
    stories = []
    for number, who in enumerate(("alice1", "disabled1", "codeonly1", "nobody1", "nobody2", "not a name!")):
        client, story = Client(harness, ip=f"198.51.{number}.7"), []
        for _ in range(14):
            response = await client.log_in(who, "wrong")
            if response.status_code == 428:
                story.append(look(response))
                response = await client.log_in(who, "wrong", captcha_token=await client.captcha())
            story.append(look(response))
        stories.append(story)
    assert all(story == stories[0] for story in stories)
    assert {status for status, _, _ in stories[0]} == {401, 428, 429}


async def test_en_6_suspension_is_no_oracle_either(tmp_path: Path) -> None:
    async with open_harness(tmp_path, suspend_after=5) as h:
        await crowd(h)
        stories = []
        for first, who in enumerate(("alice1", "nobody1")):
            story = [look(await Client(h, ip=f"10.{first}.{n}.1").log_in(who, "wrong")) for n in range(7)]
            stories.append(story)
        assert stories[0] == stories[1]
        assert stories[0][-1][0] == 429
        # What was counted for nobody is forgotten sooner, which takes a month of silence to see.
        h.clock.advance(29 * DAY)
        for number, who in enumerate(("alice1", "nobody1")):
            assert (await Client(h, ip=f"10.9.{number}.1").log_in(who, "wrong")).status_code == 429


async def test_en_7_ids_tell_nothing_and_availability_is_counted(harness: Harness) -> None:
    await crowd(harness)
    client = Client(harness)
    info = (await client.log_in("alice1")).json()["user_info"]
    assert re.fullmatch(r"[a-z0-9]{26}", info["id"])
    assert str(info["id"]) != "1"
    statuses = []
    for number in range(61):
        response = await client.post("/users/mobile/exist", mobile=f"138001380{number:02}")
        statuses.append(response.status_code)
    assert statuses[:5] == [200] * 5
    assert set(statuses[5:60]) == {428}
    assert statuses[60] == 429
    async with harness.client_from("203.0.113.5") as elsewhere:
        shop = Shop(harness, elsewhere)
        told = [
            (await shop.call("check.user.mobile", mobile=f"138001380{number:02}"))["status"] for number in range(61)
        ]
    assert told[:60] == [200 if number else 500 for number in range(60)]
    assert told[60] == 500


async def test_en_8_conflicts_name_the_callers_own_field_and_nobody(harness: Harness) -> None:
    await crowd(harness)
    client = Client(harness)
    await harness.add_account("caller1", password=PASSWORD)
    await client.log_in("caller1")
    response = await client.call("PUT", "/users/update", {"username": "ALICE1"})
    assert said(response) == (409, "already_taken")
    assert response.json()["field"] == "username"
    assert not re.search(r"alice|unique|constraint|sql|135", response.text, re.IGNORECASE)
    # Another's phone is told to be another's only to whoever proves to hold it.
    wrong = await client.post("/users/mobile/bind", mobile=PHONE, sms_code="000000")
    free = await client.post("/users/mobile/bind", mobile=NOBODYS_PHONE, sms_code="000000")
    assert look(wrong) == look(free)
    code, _ = await client.code(PHONE, "bind")
    taken = await client.post("/users/mobile/bind", mobile=PHONE, sms_code=code)
    assert said(taken) == (409, "already_taken")
    assert "alice" not in taken.text
    owner = await harness.store.read.accounts.find_owner(Identifier(Kind.PHONE, f"+86{PHONE}"))
    assert owner is not None
    assert owner.username == "alice1"
