"""Refreshing: a new pair for the old one, once; a pair that comes back is a retry, later a theft."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.account.asks import PasswordChange
from menshen.core.audit.events import Tag
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, HOUR
from tests.flows.site import CAREYSHOP, NEW, PASSWORD, Site, open_site
from tests.substitutes import Substitute, raising

INVALID, EXPIRED = Denied(ProblemCode.REFRESH_INVALID), Denied(ProblemCode.REFRESH_EXPIRED)
UNAUTHENTICATED = Denied(ProblemCode.UNAUTHENTICATED)


async def login(site: Site, platform: str = "web", login_id: str = "kevin") -> Granted:
    return await site.login(login_id, origin=site.origin(rules=CAREYSHOP), platform=platform)


async def try_refresh(site: Site, token: str, refresh: str) -> Any:
    return await site.flows.login.refresh(token, refresh, site.origin(rules=CAREYSHOP))


async def refresh(site: Site, pair: Granted) -> Granted:
    got = await try_refresh(site, pair.token, pair.refresh)
    assert isinstance(got, Granted), got
    return got


async def test_a_new_pair_takes_the_place_of_the_old(site: Site) -> None:
    account = await site.kevin()
    old = await login(site)
    site.clock.advance(HOUR)
    new = await refresh(site, old)
    assert len({old.token, old.refresh, new.token, new.refresh}) == 4
    assert len(new.token) == len(new.refresh) == 32
    assert await site.alive(old, new) == [False, True]
    now = site.clock.now()
    assert (new.session.expires_at, new.session.ends_at) == (now + 30 * DAY, now + 30 * DAY)
    assert new.session.refresh_expires_at == now + 31 * DAY
    caller = await site.caller(new)
    assert caller.session == new.session
    assert (new.session.session_id, new.session.slot) == (old.session.session_id, old.session.slot)
    # Identity was proved at the login, not by the refresh.
    assert new.session.proved_at == old.session.proved_at
    assert site.flows.csrf_fits(new.session.session_id, new.csrf)
    assert await site.tags(account) == [Tag.LOGIN_SUCCEEDED, Tag.SESSION_REFRESHED]
    await refresh(site, new)


@pytest.mark.attack("TK-12")
@pytest.mark.parametrize(("past", "good"), [(-1, True), (0, False), (1, False)])
async def test_a_lapsed_token_can_be_refreshed_for_a_day(site: Site, past: int, good: bool) -> None:
    await site.kevin()
    old = await login(site)
    site.clock.advance(31 * DAY + past)
    assert await site.alive(old) == [False]
    got = await try_refresh(site, old.token, old.refresh)
    if good:
        assert isinstance(got, Granted)
        assert await site.alive(got) == [True]
    else:
        assert got == EXPIRED
        assert await try_refresh(site, old.token, "x" * 32) == INVALID


async def test_who_refreshes_every_month_is_never_logged_out(site: Site) -> None:
    """Each pair has its whole month, however long ago the login was. (Decision 0028.)"""
    await site.kevin()
    pair = await login(site)
    for _ in range(24):
        site.clock.advance(29 * DAY)
        pair = await refresh(site, pair)
        now, session = site.clock.now(), pair.session
        assert (session.expires_at, session.refresh_expires_at) == (now + 30 * DAY, now + 31 * DAY)
        assert await site.alive(pair) == [True]


@pytest.mark.attack("TK-6")
async def test_only_the_sessions_own_pair_is_taken(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("other", password=PASSWORD)
    mine, ios, theirs = await login(site), await login(site, "ios"), await login(site, login_id="other")
    for wrong in (ios.refresh, theirs.refresh, mine.token, mine.refresh.upper(), mine.refresh[:-1], "", "x", "\ud800"):
        assert await try_refresh(site, mine.token, wrong) == INVALID
    for wrong in ("", "x", mine.refresh, mine.csrf, "x" * 500):
        assert await try_refresh(site, wrong, mine.refresh) == UNAUTHENTICATED
    assert await site.alive(mine, ios, theirs) == [True, True, True]
    await refresh(site, mine)


async def test_a_house_without_refresh_tokens_has_none_to_take(site: Site) -> None:
    await site.kevin()
    weidu = await site.login()
    for wrong in ("", "x"):
        assert await try_refresh(site, weidu.token, wrong) == INVALID


@pytest.mark.attack("SG-3")
async def test_a_spent_pair_is_a_retry_for_30_seconds(site: Site) -> None:
    """It gives the same pair again (`test_refresh_again.py`). The spent refresh alone gives nothing."""
    await site.kevin()
    old = await login(site)
    new = await refresh(site, old)
    for ms in (0, 1, 29_999):
        site.clock.advance(ms)
        again = await refresh(site, old)
        assert (again.token, again.refresh) == (new.token, new.refresh)
        assert await try_refresh(site, new.token, old.refresh) == INVALID
    assert await site.alive(new) == [True]
    assert Tag.REFRESH_REUSED not in await site.tags()


@pytest.mark.parametrize("token", ["old", "new", "none"])
async def test_a_spent_pair_that_comes_back_later_ends_the_session(site: Site, token: str) -> None:
    account = await site.kevin()
    old = await login(site)
    ios = await login(site, "ios")
    new = await refresh(site, old)
    site.clock.advance(30_001)
    shown = {"old": old.token, "new": new.token, "none": "x"}[token]
    assert isinstance(await try_refresh(site, shown, old.refresh), Denied)
    assert await site.alive(new, ios) == [False, True]
    assert await try_refresh(site, new.token, new.refresh) == UNAUTHENTICATED
    tags = await site.tags(account)
    assert tags[-2:] == [Tag.REFRESH_REUSED, Tag.SESSION_ENDED]
    # It tells nothing any more, and writes nothing twice.
    assert isinstance(await try_refresh(site, shown, old.refresh), Denied)
    assert await site.tags(account) == tags


@pytest.mark.attack("TK-2")
async def test_a_pair_spent_long_ago_still_ends_its_session_after_a_restart(folder: Any) -> None:
    """(docs/security/attacks.md TK-2.)"""
    async with open_site(folder) as site:
        await site.kevin()
        old = await login(site)
        new = await refresh(site, await refresh(site, old))
        start = site.clock.now()
    async with open_site(folder) as site:
        site.clock.at = start + 20 * DAY
        assert isinstance(await try_refresh(site, old.token, old.refresh), Denied)
        assert await site.alive(new) == [False]


@pytest.mark.attack("RACE-3")
async def test_of_fifty_racers_all_get_the_one_new_pair_and_the_session_lives(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    pair = await login(site)
    for turn in range(1, 4):
        outcomes = await asyncio.gather(*(try_refresh(site, pair.token, pair.refresh) for _ in range(50)))
        assert {type(outcome) for outcome in outcomes} == {Granted}
        assert len({(outcome.token, outcome.refresh) for outcome in outcomes}) == 1
        assert await site.alive(pair, outcomes[0]) == [False, True]
        assert (await site.tags()).count(Tag.SESSION_REFRESHED) == turn
        pair = outcomes[0]


async def test_a_failing_store_leaves_the_old_pair(site: Site) -> None:
    """A failed refresh never leaves a client with neither. (docs/operate/reliability.md R5.)"""
    await site.kevin()
    old = await login(site)

    away = site.over(store=Substitute(site.store, write=raising(Problem(ProblemCode.UNAVAILABLE))))
    with pytest.raises(Problem):
        await try_refresh(away, old.token, old.refresh)
    assert await site.alive(old) == [True]
    await refresh(site, old)


@pytest.mark.attack("TK-3", "TK-4")
async def test_what_ends_the_session_ends_its_refresh(site: Site) -> None:
    await site.kevin()
    logged_out = await login(site)
    await site.flows.sessions.log_out(await site.caller(logged_out), site.origin())
    assert await try_refresh(site, logged_out.token, logged_out.refresh) == UNAUTHENTICATED
    replaced = await login(site)
    await login(site)
    assert await try_refresh(site, replaced.token, replaced.refresh) == UNAUTHENTICATED
    ios, mine = await login(site, "ios"), await site.login()
    await site.flows.account.change_password(PasswordChange(PASSWORD, NEW), await site.caller(mine), site.origin())
    assert await try_refresh(site, ios.token, ios.refresh) == UNAUTHENTICATED
    last = await site.login(password=NEW, origin=site.origin(rules=CAREYSHOP))
    await site.harness.disable("kevin")
    assert await try_refresh(site, last.token, last.refresh) == UNAUTHENTICATED
