"""All ways in, held to the same rules: whatever proves who somebody is, everything else about the login is one.

The list is compared with the routes of the program, so that no way in can be forgotten here. (ASVS 5.0 6.1.3 and
6.3.4; `make docs` writes the list into docs/security/threat-model.md.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from structlog.testing import capture_logs

from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Event, Tag
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.time import DAY, HOUR, MINUTE
from menshen.flows.admin.accounts import close_account, disable_account
from menshen.flows.catalog import Flows
from menshen.wire.careyshop import methods
from tests.attacks.login_ways import (
    ASKS,
    BY_CODE,
    BY_PAIR,
    BY_PASSWORD,
    ELSEWHERE,
    EMAIL,
    LOGINS,
    PASSKEY_SITE,
    PHONE,
    WAYS,
    Held,
    login_endpoints,
    newcomer,
)
from tests.attacks.rows import counts
from tests.harness import Harness, open_harness
from tests.wire.weidu.client import PASSWORD

BESIDE = frozenset({Tag.ACCOUNT_REGISTERED, Tag.FACTOR_ADDED, Tag.RECOVERY_MADE, Tag.SECOND_STEP_ON, Tag.SESSION_ENDED})
"""What a sign-up and an enrolment tell beside the login."""


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    """An installation whose passkeys are for login.example."""
    async with open_harness(tmp_path, PASSKEY_SITE) as h:
        yield h


async def alice(h: Harness) -> int:
    account = await h.add_account("alice1", phone=PHONE, email=EMAIL, password=PASSWORD)
    return account.number


def token_in(answer: httpx.Response) -> str:
    """The token of a login, "" of a refusal."""
    if "token" in answer.headers:
        return answer.headers["token"]
    data: Any = answer.json().get("data")
    if isinstance(data, list):
        data = data[0]["data"]
    return str(data["token"]["token"]) if isinstance(data, dict) and "token" in data else ""


def said_to_wait(answer: httpx.Response) -> bool:
    return "retry-after" in answer.headers and "操作过于频繁" in answer.text


async def news(h: Harness, before: Iterable[Event]) -> list[Event]:
    """The events since `before`, oldest first."""
    known = len(list(before))
    events = sorted(await h.events(), key=lambda event: event.at)
    return events[known:]


# --- the list is whole ------------------------------------------------------------------------------------------------


def test_these_are_all_the_ways_in() -> None:
    """A session is granted by the flows that may answer so, and by them alone; each endpoint over them is here."""
    answer = {
        f"{subject}.{name}"
        for subject, kind in get_type_hints(Flows).items()
        if isinstance(kind, type) and is_dataclass(kind)
        for name, called in get_type_hints(kind).items()
        if get_args(called)[1:] == (Awaitable[LoginOutcome],)
    }
    assert answer == LOGINS
    routes = {f"{verb} {path}" for _, verb, path in login_endpoints()}
    assert routes == {way.endpoint for way in WAYS.values()} - {"GET POST /api/batch"}
    in_batch = {method.name for method in methods.METHODS if method.flow in LOGINS and method.in_batch}
    assert in_batch == {"refresh.user.token"}


# --- what is the same on all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WAYS)
async def test_a_right_proof_opens_one_session_and_one_event_says_how(harness: Harness, name: str) -> None:
    await alice(harness)
    way = newcomer(name)
    held = await way.get_ready(harness, way.who)
    before = await harness.events()
    answer = await way.enter(harness, held, ELSEWHERE, True)
    token = token_in(answer)
    check = await harness.client.get("/auth/verify", headers={"authorization": f"Bearer {token}"})
    assert check.status_code == 204
    number = int(check.headers["x-account-number"])
    sessions = await harness.store.read.sessions.list_of(number)
    (session,) = sessions
    told = [event for event in await news(harness, before) if event.tag not in BESIDE]
    tag = Tag.SESSION_REFRESHED if way.proof == "pair" else Tag.LOGIN_SUCCEEDED
    assert [(event.tag, event.account_number, event.source, event.ip, event.reason) for event in told] == [
        (tag, number, way.dialect, ELSEWHERE, way.method)
    ]
    assert told[0].session_id == session.session_id
    assert token not in str(told[0])


@pytest.mark.parametrize("name", WAYS)
async def test_a_wrong_proof_opens_nothing_and_is_told(harness: Harness, name: str) -> None:
    await alice(harness)
    way = WAYS[name]
    held = await way.get_ready(harness, way.who)
    before, sessions = await harness.events(), counts(harness)["sessions"]
    with capture_logs() as lines:
        answer = await way.enter(harness, held, ELSEWHERE, False)
    assert token_in(answer) == ""
    assert counts(harness)["sessions"] == sessions
    refusals = [line for line in lines if line["event"] == "request.refused"]
    assert [(line["dialect"], line["ip"]) for line in refusals] == [(way.dialect, ELSEWHERE)]
    told = await news(harness, before)
    # 128 random bits are not guessed: a wrong pair is told in the log, and moves no counter of the account. Nor is a
    # passkey that somebody may register: one that cannot be read is no guess at anything.
    wanted = {"password": [Tag.LOGIN_FAILED], "code": [Tag.CODE_REFUSED], "pair": [], "step": [Tag.STEP_FAILED]}
    wanted |= {"passkey": [Tag.LOGIN_REFUSED], "enrolment": [Tag.STEP_FAILED], "key": []}
    assert [event.tag for event in told] == wanted[way.proof]
    for event in told:
        assert (event.source, event.ip) == (way.dialect, ELSEWHERE)
        # Masked: neither phone nor address nor name is whole. Behind a ticket nothing is typed: the account is known.
        assert bool(event.subject) is (way.proof in {"password", "code"})
        assert event.subject or event.account_number == 1
        assert event.subject not in {PHONE, f"+86{PHONE}", EMAIL, "alice1"}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("how", ["disabled", "closed"])
async def test_an_account_that_is_shut_lets_nobody_in(harness: Harness, name: str, how: str) -> None:
    """Whatever was begun before. Nothing of the account is there after it, and no session."""
    await alice(harness)
    way = WAYS[name]
    held = await way.get_ready(harness, way.who)
    end = disable_account if how == "disabled" else close_account
    await end("alice1", store=harness.store, world=harness.clock)
    answer = await way.enter(harness, held, ELSEWHERE, True)
    assert token_in(answer) == ""
    assert counts(harness)["sessions"] == 0


@pytest.mark.parametrize("name", [name for name in WAYS if name not in BY_PAIR])
async def test_a_network_that_the_settings_deny_gets_in_nowhere(tmp_path: Path, name: str) -> None:
    """Refreshing needs a session, which is left to who has it: the gate stands before what strangers may ask."""
    async with open_harness(tmp_path, PASSKEY_SITE) as before:
        await alice(before)
        way = WAYS[name]
        held = await way.get_ready(before, way.who)
    denied = {"MENSHEN_RISK__DENY": '["203.0.113.0/24"]'}
    async with open_harness(tmp_path, PASSKEY_SITE | denied, clock=before.clock) as h:
        held.beside = held.beside or "x" * 26
        answer = await way.enter(h, held, ELSEWHERE, True)
        assert token_in(answer) == ""
        assert answer.json().get("error", answer.json().get("message")) in {"forbidden", "权限不足"}


@pytest.mark.parametrize("name", BY_PASSWORD)
async def test_a_password_does_not_grow_old(harness: Harness, name: str) -> None:
    """Nobody is made to change it by the calendar. (ASVS 5.0 6.2.10.)"""
    await alice(harness)
    await harness.change_app(captcha=CaptchaRule.NEVER)
    harness.clock.advance(20 * 365 * DAY)
    assert token_in(await WAYS[name].enter(harness, Held(), ELSEWHERE, True))


# --- guessing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", BY_PASSWORD)
@pytest.mark.parametrize("first", BY_PASSWORD)
async def test_ten_wrong_passwords_by_one_way_pause_every_way(harness: Harness, first: str, last: str) -> None:
    await alice(harness)
    # Under `never` only the pauses apply, so that the shop needs no pictures here.
    await harness.change_app(captcha=CaptchaRule.NEVER)
    for _ in range(10):
        assert not said_to_wait(await WAYS[first].enter(harness, Held(), ELSEWHERE, False))
    answer = await WAYS[last].enter(harness, Held(), ELSEWHERE, True)
    assert said_to_wait(answer)
    harness.clock.advance(15 * MINUTE)
    assert token_in(await WAYS[last].enter(harness, Held(), ELSEWHERE, True))


@pytest.mark.parametrize(("first", "last"), [*zip(BY_PASSWORD, BY_PASSWORD[1:] + BY_PASSWORD[:1], strict=True)])
async def test_after_three_wrong_passwords_by_one_way_every_way_asks_for_a_captcha(
    harness: Harness, first: str, last: str
) -> None:
    await alice(harness)
    for _ in range(3):
        await WAYS[first].enter(harness, Held(), ELSEWHERE, False)
    answer = await WAYS[last].enter(harness, Held(), ELSEWHERE, True)
    assert token_in(answer) == ""
    assert answer.json().get("error", answer.json().get("message")) in {"captcha_required", "验证码不能为空"}


@pytest.mark.parametrize("last", BY_PASSWORD)
async def test_a_hundred_in_a_row_from_everywhere_suspend_the_password_on_every_way(tmp_path: Path, last: str) -> None:
    async with open_harness(tmp_path, suspend_after=5) as h:
        await alice(h)
        await h.change_app(captcha=CaptchaRule.NEVER)
        for number in range(5):
            first = BY_PASSWORD[number]
            await WAYS[first].enter(h, Held(), f"192.0.{number}.1", False)
        h.clock.advance(HOUR)
        assert token_in(await WAYS[last].enter(h, Held(), ELSEWHERE, True)) == ""
        # The other factor still works, and gives the password back.
        by_code = WAYS["code by SMS"]
        assert token_in(await by_code.enter(h, await by_code.get_ready(h, PHONE), ELSEWHERE, True))
        assert token_in(await WAYS[last].enter(h, Held(), ELSEWHERE, True))


@pytest.mark.parametrize("last", BY_CODE)
@pytest.mark.parametrize("first", BY_CODE)
async def test_too_many_wrong_codes_by_one_way_shut_every_way_of_that_number(
    tmp_path: Path, first: str, last: str
) -> None:
    """For all networks but the one that asked for the code. Tries where no code is live shut nothing."""
    async with open_harness(tmp_path, code_tries_per_number=6) as h:
        await alice(h)
        held = Held()
        for number in range(6):
            if number % 3 == 0:
                h.clock.advance(MINUTE)
                held = await WAYS[first].get_ready(h, WAYS[first].who)
            answer = await WAYS[first].enter(h, Held(held.secret), f"192.0.{number}.1", False)
            assert answer.json()["error"] == "wrong_code"
        h.clock.advance(MINUTE)
        held = await WAYS[last].get_ready(h, WAYS[last].who)
        same = WAYS[first].who == WAYS[last].who
        assert said_to_wait(await WAYS[last].enter(h, held, ELSEWHERE, True)) is same
        if same:
            assert not said_to_wait(await WAYS[last].enter(h, held, ASKS, True))
        # A number that somebody guesses at is not its owner's only way in.
        assert token_in(await WAYS["address and password"].enter(h, Held(), ELSEWHERE, True))


@pytest.mark.parametrize("name", BY_CODE)
async def test_no_code_is_looked_at_without_a_captcha(harness: Harness, name: str) -> None:
    await alice(harness)
    way = newcomer(name)
    held = await way.get_ready(harness, way.who)
    answer = await way.enter(harness, Held(held.secret, "y" * 26), ELSEWHERE, True)
    assert (token_in(answer), answer.json()["error"]) == ("", "captcha_invalid")
    # It was not spent by that.
    assert token_in(await way.enter(harness, held, ELSEWHERE, True))


@pytest.mark.parametrize("name", BY_PAIR)
async def test_guesses_at_a_pair_bring_nothing_and_shut_nobody_out(harness: Harness, name: str) -> None:
    await alice(harness)
    held = await WAYS[name].get_ready(harness, "")
    for _ in range(30):
        assert token_in(await WAYS[name].enter(harness, held, ELSEWHERE, False)) == ""
    assert token_in(await WAYS[name].enter(harness, held, ELSEWHERE, True))
    # What it was is spent; when it comes back late, the session ends for whoever has it. A batch is refused whole for
    # the dead token that it came with, before its items are read: nothing is gained by it, and nothing ended.
    harness.clock.advance(MINUTE)
    assert token_in(await WAYS[name].enter(harness, held, ELSEWHERE, True)) == ""
    alone = name == "refresh"
    assert counts(harness)["sessions"] == (0 if alone else 1)
    assert (Tag.REFRESH_REUSED in {event.tag for event in await harness.events()}) is alone
