"""2D: a token is one person's, of one kind, until it ends; and what has ended stays so."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from menshen.core.sessions.sessions import MAX_SESSIONS
from menshen.core.time import HOUR
from menshen.flows.admin.accounts import (
    close_account,
    disable_account,
    enable_account,
    end_account_sessions,
    set_account_password,
)
from tests.attacks.rows import counts
from tests.harness import Clock, Harness, open_harness
from tests.wire.careyshop.shop import APPKEY, SECRET, Shop
from tests.wire.weidu.client import OK, OTHER_PASSWORD, PASSWORD, Client, said

PHONE, OTHER_PHONE = "13544285663", "13800138000"
LOGIN = "/weidu/api/v1/users/login"
BODY = {"login_id": "alice1", "password": PASSWORD}


async def is_good(h: Harness, token: str, how: str = "bearer") -> bool:
    line = f"Bearer {token}" if how == "bearer" else f"weichuangAUTHTOKEN={token}"
    name = b"authorization" if how == "bearer" else b"cookie"
    return (await h.client.get("/auth/verify", headers=[(name, line.encode("latin-1"))])).status_code == 204


@pytest.mark.parametrize("carried", ["cookie", "bearer"])
async def test_tk_1_a_login_gives_a_new_token_and_ends_the_one_it_came_with(harness: Harness, carried: str) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    first = (await harness.client.post(LOGIN, json=BODY)).headers["token"]
    harness.client.cookies.clear()
    headers = {"cookie": f"weichuangAUTHTOKEN={first}"} if carried == "cookie" else {"authorization": f"Bearer {first}"}
    second = (await harness.client.post(LOGIN, json=BODY, headers=headers)).headers["token"]
    harness.client.cookies.clear()
    assert second != first
    assert not await is_good(harness, first)
    assert await is_good(harness, second)
    assert len(await harness.store.read.sessions.list_of(1)) == 1


async def test_tk_1_a_token_that_somebody_planted_is_never_adopted(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    planted = "ybndrfg8ejkmcpqxot1uwisza3"
    for headers in (
        {"cookie": f"weichuangAUTHTOKEN={planted}; session={planted}"},
        {"authorization": f"Bearer {planted}"},
        {"token": planted, "x-session-id": planted},
    ):
        answer = await harness.client.post(f"{LOGIN}?token={planted}", json={**BODY, "token": planted}, headers=headers)
        harness.client.cookies.clear()
        assert answer.headers["token"] != planted
        assert planted not in answer.text
    assert not await is_good(harness, planted)


async def test_tk_1_another_account_keeps_its_own_session(harness: Harness) -> None:
    """A bearer token of somebody else, sent along, ends nothing of theirs."""
    await harness.add_account("alice1", password=PASSWORD)
    await harness.add_account("bobby1", password=PASSWORD)
    alice, bob = Client(harness), Client(harness)
    await alice.log_in("alice1")
    bob.token = alice.token
    await bob.log_in("bobby1")
    assert await alice.alive()
    assert await bob.alive()


async def test_tk_2_what_was_spent_or_ended_is_so_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    async with open_harness(tmp_path, clock=clock) as h:
        await h.add_account("alice1", password=PASSWORD)
        shop, client = Shop(h), Client(h)
        old = (await shop.log_in("alice1", PASSWORD))["token"]
        new = (await shop.done("refresh.user.token", token=old["token"], refresh=old["refresh"]))["token"]
        await client.log_in("alice1")
        ended = client.token
        await client.post("/users/logout")
    clock.advance(HOUR)
    async with open_harness(tmp_path, clock=clock) as h:
        shop = Shop(h)
        assert not await is_good(h, ended)
        assert not await is_good(h, old["token"])
        assert await is_good(h, new["token"])
        # Long after its rotation a spent refresh is a thief's: the whole session ends, also across a restart.
        assert (await shop.call("refresh.user.token", token=new["token"], refresh=old["refresh"]))["status"] != 200
        assert not await is_good(h, new["token"])


async def _end(how: str, h: Harness, client: Client) -> None:
    """Let it happen to alice1, whose `client` it is."""
    store, world = h.store, h.clock
    match how:
        case "logout":
            await client.post("/users/logout")
        case "password change":
            await client.post("/users/password", old_password=PASSWORD, password=OTHER_PASSWORD)
        case "admin's new password":
            parts = h.assembled
            await set_account_password(
                "alice1", OTHER_PASSWORD, h.app, store=store, hasher=parts.hasher, world=world, keyring=parts.keyring,
                policy=parts.policy, blocklist=frozenset(),
            )  # fmt: skip
        case "disabled":
            await disable_account("alice1", store=store, world=world)
        case "closed":
            await close_account("alice1", store=store, world=world)
        case "ended by admin":
            await end_account_sessions("alice1", store=store, world=world)
        case "all others":
            await client.call("DELETE", "/users/sessions")
        case _:
            await store.write(lambda tx: tx.upkeep.raise_epoch())


ENDS = (
    "logout", "password change", "admin's new password", "disabled", "closed", "ended by admin", "all others", "epoch",
)  # fmt: skip
SPARES_CALLER = {"password change", "all others"}


@pytest.mark.parametrize("how", ENDS)
async def test_tk_3_what_ends_sessions_ends_every_kind(harness: Harness, how: str) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client, other, shop = Client(harness), Client(harness), Shop(harness)
    await client.log_in("alice1")
    await other.log_in("alice1")
    held = (await shop.log_in("alice1", PASSWORD))["token"]
    await _end(how, harness, client)
    assert await is_good(harness, client.token) is (how in SPARES_CALLER)
    if how == "logout":
        # One's own and no other.
        assert await is_good(harness, other.token)
        return
    assert not await is_good(harness, other.token)
    assert not await is_good(harness, other.token, "cookie")
    assert not await is_good(harness, held["token"])
    assert (await shop.call("refresh.user.token", token=held["token"], refresh=held["refresh"]))["status"] == 401


@pytest.mark.parametrize("how", ["reset", "change", "close"])
async def test_tk_3_codes_that_were_under_way_die_with_the_password(harness: Harness, how: str) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1")
    begun = {purpose: await client.code(PHONE, purpose) for purpose in ("login", "proof")}
    reset_code, token = await client.code(PHONE, "reset")
    if how == "reset":
        answer = await client.post(
            "/users/mobile/reset", mobile=PHONE, sms_code=reset_code, captcha_token=token, password=OTHER_PASSWORD
        )
        assert said(answer) == OK
    elif how == "change":
        assert said(await client.post("/users/password", old_password=PASSWORD, password=OTHER_PASSWORD)) == OK
    else:
        await close_account("alice1", store=harness.store, world=harness.clock)
    code, captcha_token = begun["login"]
    answer = await client.post("/users/mobile/login", login_id=PHONE, sms_code=code, captcha_token=captcha_token)
    assert said(answer) == (401, "wrong_code")
    answer = await client.post(
        "/users/mobile/reset", mobile=PHONE, sms_code=reset_code, captcha_token=await client.captcha(),
        password="yet another secret",
    )  # fmt: skip
    assert said(answer) == (401, "wrong_code")


async def test_tk_4_of_a_disabled_account_every_token_dies_and_none_is_made(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client, shop = Client(harness), Shop(harness)
    await client.log_in("alice1")
    held = (await shop.log_in("alice1", PASSWORD))["token"]
    await disable_account("alice1", store=harness.store, world=harness.clock)
    assert not await is_good(harness, client.token)
    assert not await is_good(harness, client.token, "cookie")
    assert not await is_good(harness, held["token"])
    assert (await shop.call("refresh.user.token", token=held["token"], refresh=held["refresh"]))["status"] == 401
    assert (await client.log_in("alice1")).status_code == 401
    assert (await client.log_in_by_code(PHONE)).status_code == 403
    assert counts(harness)["sessions"] == 0
    await enable_account("alice1", store=harness.store, world=harness.clock)
    assert not await is_good(harness, held["token"])
    assert (await Client(harness).log_in("alice1")).status_code == 200


def spellings(token: str) -> list[str]:
    """As latin-1 text, which is how headers come; blanks around a value belong to HTTP."""
    cut = [token[:-n] for n in range(1, 17)] + [token[n:] for n in range(1, 17)]
    longer = [token + more for more in ("a", "=", "\0", "%00", token, "\xa0", "\x85", "\u00ad", ",")]
    before = [more + token for more in ("a", "\0", "\xa0")]
    changed = [token.upper(), token.swapcase(), token[::-1], token[:5] + "\0" + token[5:], token[0] + " " + token[1:]]
    coded = ["".join(f"%{ord(char):02x}" for char in token), quote(token[:-1]) + "%" + f"{ord(token[-1]):x}"]
    return [made for made in cut + longer + before + changed + coded if made != token]


@pytest.mark.parametrize("dialect", ["weidu", "careyshop"])
async def test_tk_5_nothing_but_the_very_token_is_the_token(harness: Harness, dialect: str) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    if dialect == "weidu":
        client = Client(harness)
        await client.log_in("alice1")
        token = client.token
    else:
        token = (await Shop(harness).log_in("alice1", PASSWORD))["token"]["token"]
    assert await is_good(harness, token)
    for other in spellings(token):
        for how in ("bearer", "cookie"):
            assert not await is_good(harness, other, how), (other, how)
    assert await is_good(harness, token)


async def test_tk_6_nothing_else_that_was_handed_out_is_a_token(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    browser, shop = Client(harness, browser=True), Shop(harness)
    answer = await browser.log_in("alice1")
    held = (await shop.log_in("alice1", PASSWORD))["token"]
    listed = (await browser.get("/users/sessions")).json()["sessions"]
    ticket = (await shop.call("get.app.captcha"))["data"]["session_id"]
    _, captcha_token = await Client(harness).code(PHONE)
    handed = {
        "csrf": next(value for name, value in browser.cookies.items() if name.endswith("CSRF")),
        "user id": answer.json()["user_info"]["id"],
        "session id": listed[0]["id"],
        "refresh": held["refresh"],
        "captcha": captcha_token,
        "request id": answer.headers["x-request-id"],
        "ticket": ticket,
        "appkey": APPKEY,
        "secret": SECRET,
        "number": "1",
    }
    for what, text in handed.items():
        assert not await is_good(harness, text), what
        assert not await is_good(harness, text, "cookie"), what
        assert (await shop.call("get.user.info", client_id="1", token=text or "x"))["status"] in {401, 403}, what
    # Nor is an access token a refresh token, of its own session or another's.
    for pair in ((held["token"], held["token"]), (held["refresh"], held["token"]), (held["refresh"], held["refresh"])):
        assert (await shop.call("refresh.user.token", token=pair[0], refresh=pair[1]))["status"] != 200


async def test_tk_7_the_next_person_at_a_browser_sees_nothing_of_the_last(harness: Harness) -> None:
    await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    await harness.add_account("bobby1", phone=OTHER_PHONE, password=PASSWORD)
    browser = Client(harness, browser=True)
    await browser.log_in("alice1")
    alices = dict(browser.cookies)
    answer = await browser.log_in("bobby1")
    seen = [answer.text, (await browser.get("/users/info")).text, (await browser.get("/users/sessions")).text]
    seen += [str(browser.cookies)]
    for text in seen:
        assert "alice1" not in text
        assert not any(value in text for value in alices.values())
    assert '"bobby1"' in seen[1]
    token = next(value for name, value in alices.items() if name.endswith("AUTHTOKEN"))
    assert not await is_good(harness, token)


STEPS: dict[str, list[Any]] = {
    "mobile": [PHONE, OTHER_PHONE, "", None, 0, [], {}],
    "sms_code": ["000000", "", None, 0, True, ["000000"]],
    "captcha_token": ["", None, "x" * 26, {}],
    "password": [OTHER_PASSWORD, "", None],
}


async def test_tk_9_a_reset_sets_no_password_before_its_proof(harness: Harness) -> None:
    """Every step again, in odd orders, empty, odd, or left out."""
    account = await harness.add_account("alice1", phone=PHONE, password=PASSWORD)
    client = Client(harness)
    await client.code(PHONE, "reset")
    missing = object()
    steps: list[list[Any]] = [[*values, missing] for values in STEPS.values()]
    for values in itertools.product(*steps):
        body = {name: value for name, value in zip(STEPS, values, strict=True) if value is not missing}
        answer = await client.call("POST", "/users/mobile/reset", body)
        assert answer.status_code in {400, 428, 401, 429}, body
    for raw in (b"", b"{}", b"[]", b"null", b"\0", b'{"mobile":"13544285663"}'):
        assert (await harness.client.post("/weidu/api/v1/users/mobile/reset", content=raw)).status_code == 400
    after = await harness.store.read.accounts.find(account.number)
    assert after is not None
    assert after.password_hash == account.password_hash
    assert (await Client(harness, ip="192.0.2.1").log_in("alice1")).status_code == 200


async def test_tk_10_strangers_leave_no_rows(harness: Harness) -> None:
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
        await bare.get("/auth/verify", headers={"authorization": f"Bearer {token}", "cookie": "weichuangAUTHTOKEN=x"})
        await bare.get("/auth/verify")
        await bare.post("/weidu/api/v1/users/logout", headers={"cookie": f"weichuangAUTHTOKEN={token}"})
        await bare.get("/nothing")
        await shop.call("get.user.info", client_id="1", token="0" * 32)
        await shop.call("refresh.user.token", token="0" * 32, refresh="1" * 32)
        await shop.call("use.verification.item", number=PHONE)
        await shop.call("image.app.captcha", session_id="0" * 32)
        await shop.call("get.app.captcha")
        await bare.get("/weidu/api/v1/users/behavior/challenge", headers={"cookie": "weichuangAUTHTOKEN=" + "y" * 26})
    assert counts(harness) == before


async def test_tk_10_the_oldest_login_goes_when_there_are_too_many(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    clients = []
    for number in range(MAX_SESSIONS + 3):
        client = Client(harness)
        await client.log_in("alice1", device_id=f"d{number}")
        clients.append(client)
        harness.clock.advance(1)
    assert [await is_good(harness, client.token) for client in clients] == [False] * 3 + [True] * MAX_SESSIONS


async def test_tk_11_a_listed_session_is_a_name_not_a_key(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    await harness.add_account("bobby1", password=PASSWORD)
    client, bob = Client(harness), Client(harness)
    await client.log_in("alice1")
    await bob.log_in("bobby1")
    text = (await client.get("/users/sessions")).text
    assert client.token not in text
    (session,) = (await client.get("/users/sessions")).json()["sessions"]
    assert not await is_good(harness, session["id"])
    # And nobody ends another's by its name.
    assert said(await bob.call("DELETE", f"/users/sessions/{session['id']}")) == (404, "not_found")
    assert await client.alive()
    assert re.fullmatch(r"[a-z0-9]{26}", session["id"])
