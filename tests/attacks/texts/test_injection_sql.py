"""2J, IN-1: no text is a piece of a statement, wherever it stands in a call, on either database."""

from __future__ import annotations

from itertools import product
from urllib.parse import quote

import pytest

from menshen.wire.careyshop.methods import METHODS, Who
from menshen.wire.dialect import Access
from menshen.wire.weidu import ROUTES
from tests.attacks.fingerprint import fingerprint
from tests.harness import Harness
from tests.wire.careyshop.shop import APPKEY, Shop
from tests.wire.weidu.client import OK, PASSWORD, Client, said

PREFIX = "/weidu/api/v1"
PHONE = "13544285663"
SQL = (
    "' OR '1'='1", "alice1'; DROP TABLE accounts; SELECT pg_sleep(60); --", "\\' OR \"\"=\" %_$1 ? :what %s {0}",
)  # fmt: skip
BODY = {
    "login_id": "alice1", "password": PASSWORD, "mobile": PHONE, "email": "alice@b.example", "sms_code": "123456",
    "email_code": "123456", "captcha_token": "x" * 26, "old_password": PASSWORD, "passwd": PASSWORD,
    "purpose": "login", "captcha_id": "x" * 30,
}  # fmt: skip
IN_SHOP = {
    "login.user.user": ("username", "password", "platform", "appkey", "login_code", "session_id"),
    "add.user.item": ("username", "password", "mobile", "email", "nickname"),
    "find.user.password": ("mobile", "username", "code", "password"),
    "check.user.username": ("username", "exclude_id"),
    "check.user.mobile": ("mobile", "exclude_id"),
    "check.user.nickname": ("nickname", "exclude_id"),
    "send.verification.sms": ("mobile",),
    "send.verification.email": ("email",),
    "ver.verification.sms": ("mobile", "code"),
    "use.verification.item": ("number",),
    "image.app.captcha": ("session_id",),
}
EVERYWHERE = sorted({field for fields in IN_SHOP.values() for field in fields} | {"token", "refresh", "client_id"})
HEADERS = (
    "authorization", "cookie", "token", "accept-language", "user-agent", "host", "origin", "x-csrf-token",
    "x-request-id", "x-forwarded-for", "content-type", "referer", "sec-fetch-site",
)  # fmt: skip
DOORS = (
    ("GET", "/auth/verify"), ("GET", f"{PREFIX}/users/info"), ("POST", f"{PREFIX}/users/login"),
    ("POST", "/api/v1/user"),
)  # fmt: skip


@pytest.fixture
async def people(site: Harness) -> Harness:
    """`site` with two people, one of them with a phone and an address."""
    await site.add_account("alice1", phone=PHONE, email="alice@b.example", password=PASSWORD)
    await site.add_account("bobby1", password=PASSWORD)
    return site


async def unharmed(site: Harness) -> None:
    """Both are there as they were, nobody is new, and the right password still logs in."""
    accounts = [await site.store.read.accounts.find(number) for number in (1, 2, 3)]
    assert [account.username for account in accounts if account] == ["alice1", "bobby1"]
    assert said(await Client(site, ip="203.0.113.9").log_in("alice1")) == OK


@pytest.mark.attack("IN-1")
@pytest.mark.parametrize("text", SQL, ids=range(len(SQL)))
async def test_no_text_is_a_piece_of_a_statement(people: Harness, text: str) -> None:
    """In each field of each call of one house, everything else of the call as it should be."""
    caller, turn = Client(people), 0
    await caller.log_in("bobby1")
    for route in ROUTES:
        fields = route.body.__struct_encode_fields__ if route.verb in {"POST", "PUT"} else ()
        # A password that is such a text may well become one's own.
        for field in ("", *(name for name in fields if route.path != "/users/password" or name != "password")):
            turn += 1
            body = {name: BODY[name] for name in fields if name in BODY} | ({field: text} if field else {})
            path = (
                PREFIX
                + route.path.replace("{id}", quote(text, safe=""))
                + (f"?user_id={quote(text)}" if not field else "")
            )
            bearer = {"authorization": f"Bearer {caller.token}"} if route.access is Access.PRIVATE else {}
            async with people.client_from(f"198.51.{turn % 250}.1") as client:
                answer = await client.request(route.verb, path, json=body or None, headers=bearer)
            assert answer.status_code < 500, (route.path, field, answer.text)
            assert field not in {"login_id", "password"} or answer.status_code != 200, (route.path, field)
            if route.path in {"/users/logout", "/users/password"} and not await caller.alive():
                await caller.log_in("bobby1")
    await unharmed(people)


@pytest.mark.attack("IN-1")
@pytest.mark.parametrize("text", SQL, ids=range(len(SQL)))
async def test_nor_in_the_shops_house_its_batches_and_any_header(people: Harness, text: str) -> None:
    token = (await Shop(people).log_in("bobby1", PASSWORD))["token"]["token"]
    usual = {"username": "alice1", "password": "secret1", "platform": "p", "mobile": PHONE, "code": "123456"}
    for turn, method in enumerate(METHODS):
        async with people.client_from(f"198.51.{turn}.1") as client:
            shop = Shop(people, client)
            given = usual if method.who is Who.ANYONE else {"token": token, "client_id": "2"}
            for fields in (*((field,) for field in IN_SHOP.get(method.name, ())), EVERYWHERE):
                changed = given | dict.fromkeys(fields, text)
                answer = await shop.send(method.name, **changed)
                assert answer.status_code == 200, (method.name, fields)
                assert (
                    "check" in method.name
                    or method.flow in {"-", "captcha.image", "captcha.draw"}
                    or answer.json()["status"] != 200
                )
            item = {"version": "v1", "controller": method.controller, "method": method.name}
            for batch in (
                [item | dict.fromkeys(EVERYWHERE, text)],
                {text: item},
                [dict.fromkeys(item, text)],
                text,
            ):
                told = await client.post("/api/batch", json={"appkey": APPKEY, "batch": batch})
                assert told.status_code == 200
            told = await client.get(f"/api/v1/user/method/{method.name}/username/{quote(text, safe='')}")
            assert told.status_code == 200
    carried = [(name, text) for name in HEADERS]
    carried += [
        ("authorization", f"Bearer {text}"),
        ("cookie", f"menshenAUTHTOKEN={quote(text)}"),
        ("cookie", f"t={text}"),
    ]
    for name, value in carried:
        for verb, path in DOORS:
            answer = await people.client.request(verb, path, headers={name: value})
            assert answer.status_code < 500, (name, path)
            assert answer.status_code != 204, (name, path)
    await unharmed(people)


TRUE_AND_FALSE = (
    ("nobody' OR '1'='1", "nobody' OR '1'='2"), ("alice1' AND 1=1--", "alice1' AND 1=2--"),
    ('alice1" AND "1"="1', 'alice1" AND "1"="2'), ("alice1%' --", "zzzzz1%' --"), ("alice_", "zzzzz_"),
    ("alice1'||'", "zzzzz1'||'"), ("alice1\\", "zzzzz1\\"),
)  # fmt: skip
ASKS: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "login": ("POST", f"{PREFIX}/users/login", {"login_id": "*", "password": PASSWORD}),
    "exist": ("POST", f"{PREFIX}/users/mobile/exist", {"mobile": "*"}),
    "account": ("GET", f"{PREFIX}/users/info?user_id=*", None),
    "session": ("DELETE", f"{PREFIX}/users/sessions/*", None),
    "name": ("GET", "/api/v1/user?method=check.user.username&username=*", None),
    "nickname": ("GET", "/api/v1/user?method=check.user.nickname&nickname=*", None),
    "shop": ("GET", f"/api/v1/user?method=login.user.user&appkey={APPKEY}&platform=p&password=x&username=*", None),
}  # fmt: skip


@pytest.mark.attack("IN-1")
async def test_what_would_be_true_and_what_would_not_look_the_same(people: Harness) -> None:
    caller = Client(people)
    await caller.log_in("bobby1")
    bearer = {"authorization": f"Bearer {caller.token}"}
    for turn, (pair, what) in enumerate(product(TRUE_AND_FALSE, ASKS)):
        verb, path, body = ASKS[what]
        seen = []
        for place, text in enumerate(pair):
            filled = {name: value.replace("*", text) for name, value in body.items()} if body else None
            address = path.replace("*", quote(text, safe=""))
            async with people.client_from(f"10.{place}.{turn}.1") as client:
                seen.append(fingerprint(await client.request(verb, address, json=filled, headers=bearer)))
        assert seen[0] == seen[1], (what, pair)
        assert seen[0][0] < 500, (what, pair)
