"""What the owner sees of the audit log: what concerns them, in words, with nothing that a stranger could push out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from menshen.core.audit.events import Event, Tag
from menshen.core.audit.own_events import ACTS, MOST, MOST_TRIES, TRIES, OwnEvent, text_ids
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied
from menshen.core.time import MINUTE, after
from menshen.texts.reader import LANGUAGES, page_texts_in
from tests.flows.account.calls import change
from tests.flows.site import AWAY, HOME, PASSWORD, Site, waits


async def seen(site: Site, who: Granted) -> Sequence[OwnEvent]:
    got = await site.flows.account.events(await site.caller(who), site.origin())
    assert not isinstance(got, Denied), got
    return got


async def test_the_owner_sees_who_came_in_and_what_was_changed(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    await site.harness.add_account("other7", password=PASSWORD)
    await site.login("other7")
    away = await site.login(origin=site.origin(AWAY))
    site.clock.advance(MINUTE)
    mine = await site.login()
    site.clock.advance(MINUTE)
    await site.fail(1, origin=site.elsewhere())
    site.clock.advance(MINUTE)
    await change(site, mine)
    got = await seen(site, mine)
    assert [(one.tag, one.app, one.network, one.reason) for one in got] == [
        # The session that ended by it is told by it.
        (Tag.PASSWORD_CHANGED, "default", HOME, ""),
        (Tag.LOGIN_FAILED, "default", "10.0.1.*", ""),
        (Tag.LOGIN_SUCCEEDED, "default", HOME, "password"),
        (Tag.LOGIN_SUCCEEDED, "default", AWAY, "password"),
    ]
    assert [one.session_id for one in got[2:]] == [mine.session.session_id, away.session.session_id]
    assert got[0].at == site.clock.now()


@pytest.mark.attack("AD-9")
async def test_without_a_fresh_proof_addresses_are_shortened(site: Site) -> None:
    await site.kevin()
    mine = await site.login(origin=site.origin(AWAY))
    site.clock.advance(10 * MINUTE - 1)
    assert (await seen(site, mine))[0].network == AWAY
    site.clock.advance(1)
    assert (await seen(site, mine))[0].network == "203.0.113.*"


async def test_a_stranger_who_fails_pushes_nothing_out(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login()
    start = site.clock.now()

    async def fill(tx: object, tag: Tag, count: int, begin: int) -> None:
        events = [Event(tag, after(start, begin + n), account.number) for n in range(count)]
        await tx.audit.append_all(events)  # type: ignore[attr-defined]

    await site.store.write(lambda tx: fill(tx, Tag.PROFILE_CHANGED, 60, 1))
    await site.store.write(lambda tx: fill(tx, Tag.LOGIN_FAILED, 300, 1000))
    # Nor do refreshes and codes: those concern nobody.
    await site.store.write(lambda tx: fill(tx, Tag.SESSION_REFRESHED, 300, 2000))
    got = await seen(site, mine)
    assert len(got) == MOST
    assert [one.tag for one in got] == [Tag.LOGIN_FAILED] * MOST_TRIES + [Tag.PROFILE_CHANGED] * (MOST - MOST_TRIES)
    assert [one.at for one in got] == sorted((one.at for one in got), reverse=True)
    assert got[MOST_TRIES].at == after(start, 60)


async def test_listing_is_counted_with_calls_about_sessions(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    for _ in range(site.flows.policy.limits.session_calls_per_session):
        await seen(site, mine)
    assert waits(await site.flows.account.events(await site.caller(mine), site.origin()))
    again = await site.login(password=PASSWORD)
    assert await seen(site, again), "another session has its own"


def test_each_event_that_is_shown_has_words_in_each_language() -> None:
    assert not ACTS & TRIES
    for language in LANGUAGES:
        texts = page_texts_in(language)
        known = {text_id for text_id in texts if text_id.startswith("event.")}
        bases = {text_ids(tag, "")[-1] for tag in ACTS | TRIES}
        assert bases <= known
        # The others are for the reason of one of these.
        assert {one for one in known if not any(one.startswith(base) for base in bases)} == set()


def test_a_reason_has_a_text_of_its_own_or_that_of_the_event() -> None:
    assert text_ids(Tag.LOGIN_SUCCEEDED, "code") == ("event.login_succeeded_code", "event.login_succeeded")
    assert text_ids(Tag.LOGIN_SUCCEEDED, "password+totp")[0] == "event.login_succeeded_password"
    assert text_ids(Tag.TERMS_AGREED, "terms:2026-01")[0] == "event.account_terms_agreed_terms"
    assert text_ids(Tag.STEP_FAILED, "") == ("event.login_step_failed",)
