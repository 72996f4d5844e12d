"""What nobody sees in a text opens nothing, escapes no limit and makes no second name. (IN-12, decision 0058.)"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from menshen.core.account.accounts import NewAccount
from menshen.core.identifiers import classify
from menshen.core.login.passwords import hashable
from menshen.core.moving_in import Fate, Reason, RecordKind
from menshen.core.problems import Denied
from menshen.core.tokens import digest
from menshen.flows.admin.accounts import AccountToAdd, add_account, find_account
from tests.adapters.importing import shop as dump
from tests.adapters.importing.moving import take_in, write_dump
from tests.core.text.test_typed import INVISIBLE
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import OK, OTHER_PASSWORD, PASSWORD, Client, said

PHONE, MAIL = "13544285663", "ken@example.com"
UNSEEN = "\u200b\u202d\u2068\ufeff\u00ad\u034f\u2060"
WRONG = (401, "wrong_credentials")


def spellings(text: str) -> list[str]:
    """How phones, pages and keyboards hand on a text."""
    wide = text.translate({ord(c): chr(ord(c) + 0xFEE0) for c in text if "!" <= c <= "~"})
    return [
        f"\u202d{text}\u202c",
        f"\u2068{text}\u2069",
        f"\ufeff{text}",
        f"{text[:3]}\u200b{text[3:]}",
        f" {text}\n",
        wide,
    ]


def unseen_in(answer: Any) -> set[str]:
    """What nobody sees in any text of an answer."""
    if isinstance(answer, dict):
        return set[str]().union(*map(unseen_in, answer.values()))
    if isinstance(answer, list):
        return set[str]().union(*map(unseen_in, answer))
    return set(answer) & INVISIBLE if isinstance(answer, str) else set()


@pytest.mark.attack("IN-12", "TY-6")
async def test_every_spelling_logs_the_one_account_in_and_no_password_is_folded(site: Harness) -> None:
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    client, shop = Client(site), Shop(site)
    for one in (PHONE, MAIL, "ken_88"):
        for typed in spellings(one):
            answer = await client.log_in(typed)
            assert (said(answer), answer.json()["user_info"]["username"]) == (OK, "ken_88"), ascii(typed)
    for typed in spellings("ken_88"):
        assert (await shop.log_in(typed, PASSWORD))["user"]["username"] == "ken_88"
    for typed in spellings(PASSWORD):
        assert said(await client.log_in("ken_88", typed)) == WRONG, ascii(typed)
        site.clock.advance(16 * 60_000)


@pytest.mark.attack("IN-12", "OT-14")
async def test_spellings_share_one_counter_with_the_name_and_with_nobodys(site: Harness) -> None:
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    for name in ("ken_88", "nobody_88"):
        client = Client(site, ip="203.0.113.9" if name == "ken_88" else "198.51.100.9")
        told = [said(await client.log_in(typed, "wrong")) for typed in spellings(name)]
        assert told == [WRONG] * 3 + [(428, "captcha_required")] * 3


@pytest.mark.attack("IN-12", "TY-8")
async def test_no_second_account_has_a_name_that_only_looks_new(site: Harness) -> None:
    """Registration, edits and commands keep one form of a name, without anything unseen in it."""
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    shop, ports = Shop(site), {"store": site.store, "world": site.clock, "hasher": site.assembled.hasher}
    new = {"password": "battery staple", "password_confirm": "battery staple"}
    for n, typed in enumerate(spellings("Ken_88")):
        asked = {"username": typed, "mobile": f"1370013000{n}", **new}
        assert await shop.refused("add.user.item", **asked) == "账号已存在"
        assert await shop.refused("check.user.username", username=typed) == "账号已存在"
    for n, typed in enumerate(spellings(PHONE)):
        assert await shop.refused("add.user.item", username=f"mallory{n}", mobile=typed, **new) == "手机号已存在"
    await shop.done("add.user.item", username="\u202d\uff22ob_88\u202c", mobile="13700130000", **new)
    bob = await site.store.read.accounts.find_owner(classify("bob_88"))
    assert (bob.username, bob.username_shown) == ("bob_88", "Bob_88")
    client = Client(site)
    assert said(await client.log_in("bob_88", "battery staple")) == OK
    taken = await client.call("PUT", "/users/update", {"username": "ken\u200b_88"})
    assert said(taken) == (409, "already_taken")
    changed = await client.call("PUT", "/users/update", {"username": "\u2068Bobby\u200b_88\u2069"})
    assert changed.json()["user_info"]["username"] == "Bobby_88"
    ask = AccountToAdd("\ufeffAnn_\u200b88", "\u202d13700130009\u202c", "\u200bann@example.com", None, verified=True)
    made = await add_account(
        ask, site.app, **ports, policy=site.assembled.ports.policy, blocklist=site.assembled.ports.blocklist
    )
    assert not isinstance(made, Denied)
    ann = made.account
    assert (ann.username, ann.username_shown, ann.phone, ann.email) == (
        "ann_88",
        "Ann_88",
        "+8613700130009",
        "ann@example.com",
    )
    for typed in (*spellings("ann_88"), f"\u202d#{ann.number}\u202c", f"{ann.public_id}\u200b"):
        found = await find_account(typed, store=site.store)
        assert not isinstance(found, Denied)
        assert found.number == ann.number


async def store_as_it_is(site: Harness, username: str, phone: str, email: str, password: str) -> int:
    """An account past every flow, as another program or a hand in the database may have left it."""
    raw = hashable(password)
    assert raw
    new = NewAccount(
        public_id=os.urandom(13).hex(), username=username, username_shown=username, phone=phone, phone_verified=True,
        email=email, email_verified=True, password_hash=await site.assembled.hasher.hash(raw),
        created_at=site.clock.now(),
    )  # fmt: skip
    for secret in (password, new.password_hash):
        site.canary.learn("password", secret)
    account = await site.store.write(lambda tx: tx.accounts.add(new))
    return int(account.number)


@pytest.mark.attack("IN-12")
async def test_rows_that_would_fold_to_anothers_name_neither_open_it_nor_lose_their_way_in(site: Harness) -> None:
    """A name with something unseen in it logged nobody in before either. Its account keeps its phone and email."""
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    odd = await store_as_it_is(
        site, "ken\u200b_88", "+8613700130001", "kenny@xn--mgba3gch31f060k.example", OTHER_PASSWORD
    )
    client = Client(site)
    for typed in ("ken\u200b_88", "ken_88"):
        assert said(await client.log_in(typed, OTHER_PASSWORD)) == WRONG
        assert (await client.log_in(typed, PASSWORD)).json()["user_info"]["username"] == "ken_88"
    # A domain with a joiner in it is another one than that without.
    for typed in ("13700130001", "kenny@نامه\u200cای.example", "\u200bkenny@نامه\u200cای.example"):
        answer = await client.log_in(typed, OTHER_PASSWORD)
        assert said(answer) == OK
        session = await site.flows.sessions.authenticate(client.token)
        assert not isinstance(session, Denied)
        assert session.account.number == odd
    assert classify("kenny@نامهای.example") != classify("kenny@نامه\u200cای.example")
    assert said(await client.log_in("kenny@نامهای.example", OTHER_PASSWORD)) == WRONG
    # It can take a name that is its own.
    await client.log_in("13700130001", OTHER_PASSWORD)
    assert said(await client.call("PUT", "/users/update", {"username": "ken_88"})) == (409, "already_taken")
    assert said(await client.call("PUT", "/users/update", {"username": "kenny_88"})) == OK
    assert said(await client.log_in("kenny_88", OTHER_PASSWORD)) == OK


@pytest.mark.attack("IN-12", "OT-8")
async def test_codes_as_people_type_them_are_good_once_in_every_call(site: Harness) -> None:
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    client, shop = Client(site), Shop(site)
    for n, spelling in enumerate(spellings("482913")):
        code, token = await client.code(PHONE)
        typed = spelling.translate({ord(a): b for a, b in zip("482913", code, strict=True)})
        if n == 5:
            typed = f"{code[:3]} {code[3:]}"
        body = {"login_id": f"\u202d{PHONE}\u202c", "sms_code": typed, "captcha_token": token}
        assert said(await client.post("/users/mobile/login", **body)) == OK, ascii(typed)
        assert said(await client.post("/users/mobile/login", **{**body, "sms_code": code})) == (401, "wrong_code")
        site.clock.advance(24 * 3_600_000)
    code, token = await client.code(MAIL, "reset")
    wide = code.translate({ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789"})
    body = {"email": f"\u2068{MAIL}\u2069", "email_code": wide, "captcha_token": token, "password": OTHER_PASSWORD}
    assert said(await client.post("/users/email/reset", **body)) == OK
    site.clock.advance(120_000)
    await shop.done("send.verification.sms", mobile=f"{PHONE}\u200b")
    code = (await site.messages())[-1].code
    assert (
        await shop.done("ver.verification.sms", mobile=f"\u202d{PHONE}\u202c", code=f"{code[:3]} {code[3:]}\n") is True
    )
    assert await shop.done("use.verification.item", number=f" {PHONE}\u200b") is True


@pytest.mark.attack("IN-12")
async def test_nicknames_and_devices_are_kept_without_what_nobody_sees(site: Harness) -> None:
    """Emoji and letters keep the joiners that they are drawn by."""
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    await site.add_account("bob_88", "13700130001", password=PASSWORD)
    ken, shop = Client(site), Shop(site)
    device = {"device_id": "d-\u200b1", "device_name": "Ken’s\u200b 📱❤️\ufeff", "device_model": "P\u206040"}
    await ken.log_in("ken_88", **device)
    listed = (await ken.get("/users/sessions")).json()["sessions"]
    assert [(one["device_id"], one["device_name"], one["device_model"]) for one in listed] == [
        ("d-1", "Ken’s 📱❤️", "P40")
    ]
    second = Client(site)
    await second.log_in("ken_88", device_id="d-1")
    assert [await ken.alive(), await second.alive()] == [False, True]
    sent = {"nickname": "小\u200b明 👩‍👩‍👧", "city": "深\u200d圳", "desc": "一\ufeff\n二 🏴󠁧󠁢󠁥󠁮󠁧󠁿"}
    kept = {"nickname": "小明 👩‍👩‍👧", "city": "深圳", "desc": "一\n二 🏴󠁧󠁢󠁥󠁮󠁧󠁿"}
    answer = (await second.call("PUT", "/users/update", sent)).json()["user_info"]
    assert {name: answer[name] for name in kept} == kept
    stored = (await site.store.read.accounts.find(1)).profile
    assert (stored.nickname, stored.city, stored.description) == tuple(kept.values())
    token = (await shop.log_in("bob_88", PASSWORD, platform="p\u200bc"))["token"]["token"]
    again = (await shop.log_in("bob_88", PASSWORD, platform="pc"))["token"]["token"]
    assert (await shop.call("get.user.info", client_id="2", token=token))["status"] == 401
    for typed in (kept["nickname"], sent["nickname"], f"{kept['nickname']}{UNSEEN[0]}"):
        asked = {"client_id": "2", "token": again, "nickname": typed}
        assert await shop.refused("set.user.item", **asked) == "昵称已存在"
    told = await shop.done("set.user.item", client_id="2", token=again, nickname="Bob\u200b\u2060")
    assert told["nickname"] == "Bob"


@pytest.mark.attack("IN-12", "IN-11")
async def test_rows_of_older_releases_are_shown_without_it(site: Harness) -> None:
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    older = {"nickname": "小\u200b明\u200d❤️", "city": "\u3164", "description": "a\u00ad\nb"}
    await site.store.write(lambda tx: tx.accounts.set_profile(1, older, now=site.clock.now()))
    client, shop = Client(site), Shop(site)
    answers = [(await client.log_in("ken_88")).json(), (await client.get("/users/info")).json()]
    token = (await shop.log_in("ken_88", PASSWORD))["token"]["token"]
    answers.append(await shop.done("get.user.item", client_id="1", token=token))
    assert [unseen_in(answer) for answer in answers] == [{"\ufe0f"}] * 3
    assert (answers[1]["user_info"]["nickname"], answers[1]["user_info"]["city"]) == ("小明❤️", "")


@pytest.mark.attack("IN-12")
async def test_an_import_gives_nobody_a_name_or_a_proof_by_folding(harness: Harness, tmp_path: Path) -> None:
    """The impostor stands first in the dump. Who has the exact name, phone and email gets them, proved."""
    theirs = {"mobile": PHONE, "is_mobile": 1, "email": MAIL, "is_email": 1}
    unseen = {"mobile": f"{PHONE}\u200b", "is_mobile": 1, "email": "k\u200ben@example.com", "is_email": 1}
    rows = [dump.user(1, "ken\u200b_88", **unseen), dump.user(2, "ken_88", **theirs)]
    report = await take_in(harness, write_dump(tmp_path, rows))
    one, two = [await harness.store.read.accounts.find(number) for number in (1, 2)]
    assert (two.username, two.phone, two.phone_verified, two.email, two.email_verified) == (
        "ken_88",
        f"+86{PHONE}",
        True,
        MAIL,
        True,
    )
    assert one.username.isdigit()
    assert (one.phone_verified, one.email_verified) == (False, False)
    assert report.reasons[RecordKind.ACCOUNT, Fate.TAKEN, Reason.IDENTIFIER_FOLDED] == 1
    assert report.reasons[RecordKind.ACCOUNT, Fate.TAKEN, Reason.USERNAME_UNUSABLE] == 1


NOBODYS = ["00000000-0000-0000-0000-000000000000", "unknown", "9774d56d682e549c", "02:00:00:00:00:00"]


@pytest.mark.attack("SG-6", "OT-13")
@pytest.mark.parametrize("device_id", NOBODYS)
async def test_an_id_that_many_devices_send_is_none(site: Harness, device_id: str) -> None:
    """Two phones do not end each other's login, and no stranger is a known device by it."""
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    first, second = Client(site), Client(site)
    for phone in (first, second):
        assert said(await phone.log_in("ken_88", device_id=device_id, device_name="P40")) == OK
    assert [await first.alive(), await second.alive()] == [True, True]
    listed = (await first.get("/users/sessions")).json()["sessions"]
    assert [(one["device_id"], one["device_name"]) for one in listed] == [("", "P40")] * 2
    stranger = Client(site, ip="203.0.113.9")
    told = [said(await stranger.log_in("ken_88", "wrong", device_id=device_id)) for _ in range(4)]
    bare = Client(site, ip="198.51.100.9")
    assert told == [said(await bare.log_in("ken_88", "wrong")) for _ in range(4)]
    assert told[-1] == (428, "captcha_required")


@pytest.mark.attack("SG-6")
async def test_a_device_of_a_release_before_is_forgotten_with_its_id_and_locks_nobody_out(site: Harness) -> None:
    """Its row and its session stay; the row counts for nothing, and nothing ends the session but its owner."""
    nil = NOBODYS[0]
    account = await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    old = Client(site)
    await old.log_in("ken_88", device_id="d-1")
    (session,) = await site.store.read.sessions.list_of(account.number)
    await site.store.write(lambda tx: tx.devices.remember(account.number, digest(nil), site.clock.now()))
    earlier = replace(session, session_id="a" * 26, slot=f"device:{nil}", device_id=nil)
    await site.store.write(lambda tx: tx.sessions.open(earlier, b"t" * 32, None, most=20, replaces=b""))
    new = Client(site)
    assert said(await new.log_in("ken_88", device_id=nil)) == OK
    assert await old.alive()
    assert len(await site.store.read.sessions.list_of(account.number)) == 3
    assert said(await new.call("DELETE", "/users/sessions")) == OK
    assert len(await site.store.read.sessions.list_of(account.number)) == 1


@pytest.mark.attack("HD-6")
async def test_slashes_open_no_path_outside_of_the_dialects(site: Harness) -> None:
    """Both dialects read doubled slashes alike; what a proxy closes by its path has that one spelling."""
    await site.add_account("ken_88", PHONE, MAIL, PASSWORD)
    base, login = "http://127.0.0.1:8400", {"login_id": "ken_88", "password": PASSWORD}
    for path in ("//weidu/api/v1/users/login", "/weidu//api/v1/users/login/", "///weidu/api/v1//users/login//"):
        assert (await site.client.post(base + path, json=login)).status_code == 200, path
    asked = Shop(site).asked("check.user.username", username="fresh_1")
    for path in ("//api/v1/user/", "///api//v1///user//", "//index.php//api/v1/user/"):
        assert (await site.client.post(base + path, data=asked)).json()["data"] is True, path
    for path in ("/metrics", "/readyz", "/livez", "/openapi.json", "/docs", "/auth/verify"):
        assert (await site.client.get(base + path)).status_code in {200, 204}
        for other in (f"/{path}", f"{path}/", f"//{path}", f"/{path}/", path.replace("/", "//")):
            answer = await site.client.get(base + other)
            assert (answer.status_code, answer.json()["error"] if answer.content else "") in {
                (404, "not_found"),
                (404, ""),
            }, other
