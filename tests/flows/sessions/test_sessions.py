"""Sessions: who replaces whom, how long they live, and that the end is the end. (docs/contracts/core.md section 3.)"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from menshen.core.apps import SessionRule
from menshen.core.audit.events import Tag
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.sessions.outcomes import Bearer
from menshen.core.time import DAY, HOUR, MINUTE
from menshen.core.tokens import digest
from tests.flows.site import AWAY, CAREYSHOP, HOME, PASSWORD, WEIDU, Site, open_site
from tests.substitutes import Substitute, raising

UNAUTHENTICATED = Denied(ProblemCode.UNAUTHENTICATED)


async def written_back() -> None:
    """Wait until what was noted is in the store."""
    writing = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "_write_back"]
    await asyncio.wait_for(asyncio.gather(*writing), 60)


async def seen(site: Site, granted: Granted) -> tuple[int, int]:
    """(seen_at, expires_at) at rest, once what was noted has been written back."""
    await written_back()
    found = await site.store.read.sessions.find(digest(granted.token))
    assert found is not None
    return found[0].seen_at, found[0].expires_at


# --- rivals -----------------------------------------------------------------------------------------------------------


async def test_a_platform_holds_one_session_and_others_are_untouched(site: Site) -> None:
    account = await site.kevin()
    other = await site.harness.add_account("other", password=PASSWORD)
    shop = site.origin(rules=CAREYSHOP)
    web, ios = await site.login(origin=shop, platform="web"), await site.login(origin=shop, platform="ios")
    theirs = await site.login("other", origin=shop, platform="web")
    weidu = await site.login()
    again = await site.login(origin=site.origin(AWAY, CAREYSHOP), platform="WEB ")
    assert await site.alive(web, ios, theirs, weidu, again) == [False, True, True, True, True]
    ended = await site.events(account, Tag.SESSION_ENDED)
    assert [(event.session_id, event.reason) for event in ended] == [(web.session.session_id, "newer_login")]
    assert len(await site.sessions(other)) == 1


async def test_a_code_login_takes_a_platform_as_well(site: Site) -> None:
    await site.kevin()
    shop = site.origin(rules=CAREYSHOP)
    web = await site.login(origin=shop, platform="web")
    code = await site.code(origin=shop)
    got = await site.try_code(code, origin=shop, platform="web")
    assert isinstance(got, Granted)
    assert await site.alive(web, got) == [False, True]


@pytest.mark.parametrize("rule", [SessionRule.DIALECT, SessionRule.ONE_PER_DEVICE, SessionRule.MANY])
async def test_a_device_holds_one_session(site: Site, rule: SessionRule) -> None:
    await site.kevin()
    app = await site.harness.change_app(session_rule=rule)
    phone, tablet = (replace(site.origin(device=name), app=app) for name in ("phone", "tablet"))
    first, second, third = (
        await site.login(origin=phone),
        await site.login(origin=tablet),
        await site.login(origin=phone),
    )
    assert await site.alive(first, second, third) == [False, True, True]


@pytest.mark.attack("TK-10")
async def test_without_devices_20_sessions_and_the_oldest_goes(site: Site) -> None:
    account = await site.kevin()
    granted = []
    for _ in range(21):
        site.clock.advance(1)
        granted.append(await site.login())
    assert await site.alive(*granted) == [False] + [True] * 20
    # Also when all come in one millisecond, and when a clock was set back.
    for back in (0, 5 * MINUTE):
        site.clock.advance(-back)
        newest = await site.login()
        assert await site.alive(newest) == [True]
        assert len(await site.sessions(account)) == 20


@pytest.mark.attack("TK-10")
async def test_platforms_are_the_clients_words_and_bounded(site: Site) -> None:
    account = await site.kevin()
    shop = site.origin(rules=CAREYSHOP)
    for n in range(102):
        await site.login(origin=shop, platform=f"p{n}")
    last = await site.login(origin=shop, platform="last")
    assert len(await site.sessions(account)) == 100
    assert await site.alive(last) == [True]


# --- the check --------------------------------------------------------------------------------------------------------


async def test_a_check_tells_whose_token_it_is(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    bearer = Bearer(account.public_id, account.number, "general_user", phone_proved=True, email_proved=True)
    assert await site.flows.sessions.check(granted.token) == bearer


async def test_a_session_of_one_house_is_good_at_the_others_calls(site: Site) -> None:
    await site.kevin()
    for rules in (WEIDU, CAREYSHOP):
        granted = await site.login(origin=site.origin(rules=rules))
        assert (await site.caller(granted)).session.dialect == rules.dialect


@pytest.mark.attack("TK-5")
@pytest.mark.parametrize(
    "spoil",
    [lambda t: t[:-1], lambda t: t + "y", lambda t: t.upper(), lambda t: t + " ", lambda t: " " + t, lambda t: t + "\n",
     lambda t: t + "\0", lambda t: t + "=", lambda t: "%" + t, lambda t: t * 4, lambda _: "", lambda _: "x" * 101,
     lambda _: "\ud800", lambda t: t[:13], lambda t: t[1:]],
    ids=range(15),
)  # fmt: skip
async def test_nothing_but_the_exact_token_is_good(site: Site, spoil: Any) -> None:
    """(docs/security/attacks.md TK-5.)"""
    await site.kevin()
    for rules in (WEIDU, CAREYSHOP):
        granted = await site.login(origin=site.origin(rules=rules))
        spoilt = spoil(granted.token)
        if spoilt != granted.token:
            assert await site.flows.sessions.check(spoilt) is None
            assert await site.flows.sessions.authenticate(spoilt) == UNAUTHENTICATED


@pytest.mark.attack("TK-6", "TK-11")
async def test_nothing_that_is_no_token_is_taken_for_one(site: Site) -> None:
    """(docs/security/attacks.md TK-6, TK-11.)"""
    account = await site.kevin()
    granted = await site.login(origin=site.origin(rules=CAREYSHOP))
    captcha = (await site.captcha()).token
    for other in (granted.refresh, granted.csrf, granted.session.session_id, account.public_id, captcha, "1"):
        assert await site.flows.sessions.check(other) is None
        assert await site.flows.sessions.authenticate(other) == UNAUTHENTICATED
    assert not site.flows.csrf_fits(granted.session.session_id, granted.token)


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.attack("TK-12")
@pytest.mark.parametrize("rules", [WEIDU, CAREYSHOP])
@pytest.mark.parametrize(("past", "good"), [(-1, True), (0, False), (1, False)])
async def test_it_lives_30_days_unused(site: Site, rules: Any, past: int, good: bool) -> None:
    await site.kevin()
    granted = await site.login(origin=site.origin(rules=rules))
    site.clock.advance(30 * DAY + past)
    assert await site.alive(granted) == [good]
    outcome = await site.flows.sessions.authenticate(granted.token)
    assert good or outcome == Denied(ProblemCode.SESSION_EXPIRED)


async def test_use_pushes_a_sliding_session_on_at_most_once_a_minute(site: Site) -> None:
    await site.kevin()
    granted = await site.login()
    start = site.clock.now()
    for wait, noted in ((MINUTE - 1, 0), (1, MINUTE), (MINUTE - 1, MINUTE), (DAY, MINUTE - 1 + MINUTE + DAY)):
        site.clock.advance(wait)
        assert await site.alive(granted) == [True]
        assert await site.alive(granted) == [True]
        assert await seen(site, granted) == (start + noted, start + noted + 30 * DAY)


async def test_any_call_counts_as_use(site: Site) -> None:
    await site.kevin()
    granted = await site.login()
    site.clock.advance(HOUR)
    await site.caller(granted)
    assert await seen(site, granted) == (site.clock.now(), site.clock.now() + 30 * DAY)


async def test_a_fixed_session_is_not_pushed_on(site: Site) -> None:
    await site.kevin()
    granted = await site.login(origin=site.origin(rules=CAREYSHOP))
    start = site.clock.now()
    site.clock.advance(29 * DAY)
    assert await site.alive(granted) == [True]
    await site.caller(granted)
    assert await seen(site, granted) == (start, start + 30 * DAY)


@pytest.mark.attack("TK-12")
async def test_use_never_passes_180_days(folder: Any) -> None:
    async with open_site(folder) as site:
        await site.kevin()
        granted = await site.login()
        start = site.clock.now()
    for day in range(25, 180, 25):
        # Closing writes back what waits, so the session goes on although nobody waited.
        async with open_site(folder) as site:
            site.clock.at = start + day * DAY
            assert await site.alive(granted) == [True]
    async with open_site(folder) as site:
        site.clock.at = start + 180 * DAY - 1
        assert await site.alive(granted) == [True]
        site.clock.at = start + 180 * DAY
        assert await site.alive(granted) == [False]


async def test_a_store_that_is_away_forgets_a_use_and_the_next_notes_it_again(site: Site) -> None:
    await site.kevin()
    granted = await site.login()
    start = site.clock.now()
    site.clock.advance(HOUR)

    away = site.over(store=Substitute(site.store, write=raising(Problem(ProblemCode.UNAVAILABLE))))
    assert await away.alive(granted) == [True]
    assert (await seen(site, granted))[0] == start
    assert await site.alive(granted) == [True]
    assert (await seen(site, granted))[0] == start + HOUR


async def test_a_use_noted_late_brings_no_ended_session_back(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    site.clock.advance(HOUR)
    assert await site.alive(granted) == [True]
    assert await site.flows.sessions.log_out(await site.caller(granted), site.origin()) == Done()
    await written_back()
    assert await site.sessions(account) == []


# --- ending them ------------------------------------------------------------------------------------------------------


@pytest.mark.attack("TK-3")
async def test_logging_out_ends_that_session_only(site: Site) -> None:
    account = await site.kevin()
    mine, other = await site.login(), await site.login()
    caller = await site.caller(mine)
    assert await site.flows.sessions.log_out(caller, site.origin()) == Done()
    assert await site.alive(mine, other) == [False, True]
    assert await site.flows.sessions.authenticate(mine.token) == UNAUTHENTICATED
    (event,) = await site.events(account, Tag.SESSION_ENDED)
    assert (event.reason, event.session_id) == ("logout", mine.session.session_id)
    # Whoever comes second has it ended all the same, and nothing is written twice.
    assert await site.flows.sessions.log_out(caller, site.origin()) == Done()
    assert len(await site.events(account, Tag.SESSION_ENDED)) == 1


@pytest.mark.attack("TK-11", "AD-5")
async def test_sessions_are_listed_and_ended_by_their_owner_only(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("other", password=PASSWORD)
    second_app = await site.harness.add_app("second")
    first = await site.login(origin=replace(site.origin(device="phone"), app=second_app))
    site.clock.advance(1)
    second = await site.login()
    theirs = await site.login("other")
    caller = await site.caller(second)
    listed = await site.flows.sessions.list(caller, site.origin())
    assert not isinstance(listed, Denied)
    assert [(s.session.session_id, s.app) for s in listed] == [
        (second.session.session_id, "default"),
        (first.session.session_id, "second"),
    ]
    assert [s.session.device_name for s in listed] == ["", "phone"]
    not_found = Denied(ProblemCode.NOT_FOUND)
    for wrong in (theirs.session.session_id, "", "x", second.token):
        assert await site.flows.sessions.end(wrong, caller, site.origin()) == not_found
    assert await site.alive(first, second, theirs) == [True, True, True]
    assert await site.flows.sessions.end(first.session.session_id, caller, site.origin()) == Done()
    assert await site.flows.sessions.end(first.session.session_id, caller, site.origin()) == not_found
    assert await site.alive(first, second, theirs) == [False, True, True]


async def test_a_lapsed_session_is_not_listed(site: Site) -> None:
    await site.kevin()
    await site.login(origin=site.origin(rules=CAREYSHOP))
    site.clock.advance(30 * DAY)
    fresh = await site.login()
    listed = await site.flows.sessions.list(await site.caller(fresh), site.origin())
    assert not isinstance(listed, Denied)
    assert [s.session.session_id for s in listed] == [fresh.session.session_id]


@pytest.mark.attack("TK-3")
async def test_all_others_end_at_once(site: Site) -> None:
    account = await site.kevin()
    others = [await site.login() for _ in range(3)]
    mine = await site.login()
    await site.harness.add_account("other", password=PASSWORD)
    theirs = await site.login("other")
    assert await site.flows.sessions.end_others(await site.caller(mine), site.origin()) == Done()
    assert await site.alive(mine, theirs, *others) == [True, True, False, False, False]
    ended = await site.events(account, Tag.SESSION_ENDED)
    assert {event.session_id for event in ended} == {one.session.session_id for one in others}
    assert {(event.reason, event.ip) for event in ended} == {("ended_by_owner", HOME)}


@pytest.mark.attack("MF-4", "PK-5")
async def test_ending_others_needs_a_proof_of_the_last_ten_minutes(site: Site) -> None:
    """A thief with a session of yesterday cannot lock the owner out. Logging oneself out is always free."""
    account = await site.kevin()
    other = await site.login()
    mine = await site.login()
    stale = await site.login()
    other_id = other.session.session_id
    site.clock.advance(10 * MINUTE)
    caller = await site.caller(mine)
    for refused in (
        await site.flows.sessions.end_others(caller, site.origin()),
        await site.flows.sessions.end(other_id, caller, site.origin()),
        # It does not say which sessions there are.
        await site.flows.sessions.end("x", caller, site.origin()),
    ):
        assert refused == Denied(ProblemCode.PROOF_REQUIRED)
    assert await site.alive(other, mine, stale) == [True, True, True]
    assert await site.events(account, Tag.SESSION_ENDED) == []
    assert await site.flows.sessions.log_out(await site.caller(stale), site.origin()) == Done()
    await site.store.write(lambda tx: tx.sessions.prove(mine.session.session_id, site.clock.now()))
    caller = await site.caller(mine)
    assert await site.flows.sessions.end(other_id, caller, site.origin()) == Done()
    assert await site.flows.sessions.end_others(caller, site.origin()) == Done()
    site.clock.advance(10 * MINUTE)
    assert await site.flows.sessions.end(mine.session.session_id, caller, site.origin()) == Done()
    assert await site.alive(other, mine, stale) == [False, False, False]


@pytest.mark.attack("TK-2")
async def test_an_ended_session_stays_ended_after_a_restart(folder: Any) -> None:
    async with open_site(folder) as site:
        await site.kevin()
        kept, ended = await site.login(), await site.login()
        assert await site.alive(kept, ended) == [True, True]
        await site.flows.sessions.log_out(await site.caller(ended), site.origin())
    async with open_site(folder) as site:
        assert await site.alive(kept, ended) == [True, False]


async def test_a_failing_end_is_not_acknowledged(site: Site) -> None:
    """Whoever hears of an end may rely on it. (docs/operate/reliability.md R1.)"""
    await site.kevin()
    granted = await site.login()
    caller = await site.caller(granted)

    away = site.over(store=Substitute(site.store, write=raising(Problem(ProblemCode.UNAVAILABLE))))
    with pytest.raises(Problem):
        await away.flows.sessions.log_out(caller, site.origin())
    assert await site.alive(granted) == [True]
    assert await site.flows.sessions.log_out(caller, site.origin()) == Done()
    assert await site.alive(granted) == [False]
