"""Every login flow of the catalogue × every state of the second step: no way in has a rule of its own. (MF-2.)

(docs/contracts/factors.md section 1. What must come stands in tests/attacks/second_step_rows.py.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from menshen.app.discovery import dialect_names
from menshen.core.audit.events import Tag
from tests.attacks.login_ways import LOGINS, PASSKEY_SITE, PHONE, login_endpoints
from tests.attacks.second_step_rows import (
    DRIVERS,
    ROWS,
    Alice,
    Asks,
    Driver,
    Opens,
    Refuses,
    State,
    prepare,
    read,
    word_of,
)
from tests.harness import Harness, open_harness
from tests.two_steps import code_of
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

CASES = [(flow, path, state) for flow, path in DRIVERS for state in State]


@pytest.fixture
async def everything(tmp_path: Path) -> AsyncIterator[Harness]:
    """An installation that serves every dialect that there is."""
    names = "[" + ", ".join(f'"{name}"' for name in sorted(dialect_names())) + "]"
    async with open_harness(tmp_path, PASSKEY_SITE | {"MENSHEN_SERVER__DIALECTS": names}) as h:
        yield h


# --- the matrix is whole ----------------------------------------------------------------------------------------------


def test_each_login_flow_has_a_row_for_each_state() -> None:
    assert set(ROWS) == LOGINS
    for flow, row in ROWS.items():
        assert set(row) == set(State), flow


def test_each_endpoint_of_a_login_flow_is_driven() -> None:
    served = {(flow, path) for flow, _, path in login_endpoints(dialect_names())}
    assert served == set(DRIVERS)
    assert {flow for flow, _ in DRIVERS} == LOGINS


def test_a_first_proof_alone_opens_nothing_in_any_row() -> None:
    """What opens says why: two proofs, or a session that was there."""
    for flow, row in ROWS.items():
        for state, wanted in row.items():
            if isinstance(wanted, Opens) and wanted.level == 1:
                assert flow == "login.refresh", state
            if isinstance(wanted, Asks):
                assert (wanted.methods == ()) is (state is State.REQUIRED), (flow, state)
                assert not (flow == "login.code" and "sms" in wanted.methods)


# --- and it holds -----------------------------------------------------------------------------------------------------


async def _sessions(h: Harness) -> list[str]:
    """The sessions of everybody: alice, and who signs up."""
    found = [each for number in (1, 2) for each in await h.store.read.sessions.list_of(number)]
    return [session.session_id for session in found]


async def _level(h: Harness, token: str) -> str:
    """What the token check tells of a token, "" for one that opens nothing."""
    checks = [
        await h.client.get("/auth/verify", headers=headers)
        for headers in ({"authorization": f"Bearer {token}"}, {"token": token}, {"cookie": f"menshenAUTHTOKEN={token}"})
    ]
    told = {check.headers.get("x-auth-level", "") for check in checks}
    assert {check.status_code for check in checks} == ({401} if told == {""} else {204})
    (level,) = told
    return str(level)


@pytest.mark.attack("MF-2", "MF-12", "MF-13", "TK-8")
@pytest.mark.parametrize(("flow", "path", "state"), CASES, ids=[f"{path}-{state}" for _, path, state in CASES])
async def test_each_way_in(everything: Harness, flow: str, path: str, state: State) -> None:
    h, driver = everything, DRIVERS[flow, path]
    wanted = (driver.rows or ROWS[flow])[state]
    alice = await prepare(h, state, driver)
    before, known = await _sessions(h), await h.store.read.accounts.find(alice.account.number)
    seen = read(await driver.act(alice))
    events = [event for event in await h.events() if event.tag is Tag.LOGIN_SUCCEEDED]
    match wanted:
        case Opens(level):
            assert await _level(h, seen.token) == str(level)
            open_now = await h.store.read.sessions.list_of(alice.account.number)
            # A refresh opens none: it goes on with the one that was there.
            (session,) = [each for each in open_now if each.session_id not in before] or open_now
            assert (session.level, session.second_at > 0) == (level, level == 2)
            return
        case Asks(methods):
            assert seen.asked
            assert seen.methods in {None, methods}
            assert seen.enroll is (not methods and seen.methods is not None)
            if seen.ticket:
                assert await _level(h, seen.ticket) == ""
        case Refuses(code):
            assert not seen.asked
            assert seen.refused == word_of(code, path)
    assert seen.token == ""
    # Neither a session nor a trace of a login: who logged in before is not told otherwise.
    assert await _sessions(h) == before
    after = await h.store.read.accounts.find(alice.account.number)
    assert (after.login_at, after.previous_login_at) == (known.login_at, known.previous_login_at)
    assert len(events) == len(before)


@pytest.mark.parametrize("state", [State.ON, State.ENROLLED])
@pytest.mark.parametrize("dialect", ["weidu", "careyshop", "by SMS"])
async def test_a_code_that_comes_along_is_the_second_proof(everything: Harness, dialect: str, state: State) -> None:
    """A wrong one is answered with a ticket, and counts as a step."""
    h = everything
    await prepare(h, state, Driver(_never))
    client, shop = Client(h), Shop(h)
    for right in (False, True):
        if dialect == "weidu":
            answer = await client.log_in("alice1", second_code=code_of(h, 0 if right else 9))
        elif dialect == "by SMS":
            code, token = await client.code(PHONE)
            more = {"captcha_token": token, "second_code": code_of(h, 0 if right else 9)}
            answer = await client.post("/users/mobile/login", login_id=PHONE, sms_code=code, **more)
        else:
            more = {"platform": "pc", "second_code": code_of(h, 0 if right else 9)}
            answer = await shop.send("login.user.user", username="alice1", password=PASSWORD, **more)
        if right:
            assert await _level(h, read(answer).token) == "2"
            continue
        assert await _sessions(h) == []
        body = answer.json()
        if dialect == "careyshop":
            assert (body["status"], body["message"]) == (500, "验证码错误")
            ticket = body["data"]["second"]["ticket"]
        else:
            assert (answer.status_code, body["error"], body["tries_left"]) == (401, "wrong_second_factor", 4)
            ticket = body["login_ticket"]
        assert await _level(h, ticket) == ""


async def _never(_: Alice) -> httpx.Response:
    raise AssertionError
