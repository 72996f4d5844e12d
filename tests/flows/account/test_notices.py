"""Notices about changes: each costs as much as a code, and a change never fails because of one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import pytest

from menshen.adapters.blocklist import CommonPasswords
from menshen.core.account.asks import Edited
from menshen.core.audit.events import ADMIN, Tag
from menshen.core.codes.asks import CodeSent
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.gates.limits import Quota, Tally
from menshen.core.outcomes import Done
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.flows.admin import accounts as admin_accounts
from tests.flows.account.calls import bind, change, delete, reset
from tests.flows.account.noticed import changes, dropped, later_code, own, used
from tests.flows.site import EMAIL, NEW, OTHER_PHONE, PASSWORD, PHONE, Site, open_site, waits
from tests.substitutes import Substitute

BUDGETS: dict[str, tuple[str, dict[str, Any], str]] = {
    "quota": (PHONE, {"notices_per_hour": 2}, "quota"),
    "quota of mail": (EMAIL, {"notices_per_hour": 2}, "quota"),
    "day": (PHONE, {"send_budget_per_day": 2}, "all"),
    "country": (PHONE, {"send_budget_per_country": 2}, "country:+86"),
    "app": (PHONE, {}, "app:1"),
    "mail": (EMAIL, {"mail_budget_per_day": 2}, "mail"),
}
EACH_BUDGET = pytest.mark.parametrize("budget", BUDGETS)


@asynccontextmanager
async def limited(folder: Any, budget: str, environ: dict[str, str] | None = None) -> Any:
    """A site whose `budget` has two messages, with an owner at the subject that it is charged for."""
    subject, limits, _ = BUDGETS[budget]
    async with open_site(folder, environ, **limits) as site:
        if budget == "app":
            await site.harness.change_app(sms_per_day=2)
        await own(site, subject)
        yield site


async def spent(site: Site, tag: Tag = Tag.CODE_BUDGET_SPENT) -> list[str]:
    return [event.reason for event in await site.events(tag=tag)]


# --- each is charged, and the change succeeds either way --------------------------------------------------------------


@pytest.mark.attack("OT-25")
@EACH_BUDGET
async def test_what_is_over_a_budget_is_dropped_with_an_event_and_the_change_is_made(folder: Any, budget: str) -> None:
    subject, _, name = BUDGETS[budget]
    async with limited(folder, budget) as site:
        # The answer does not tell which of them sent a notice.
        assert await changes(site, 5) == [Done()] * 5
        assert [(one.to, one.template) for one in await site.harness.messages()] == [
            (subject, Template.PASSWORD_CHANGED)
        ] * 2
        assert await dropped(site) == [f"password_changed:{name}"] * 3
        event = (await site.events(tag=Tag.NOTICE_DROPPED))[0]
        assert (event.app_id, event.source) == (1, "weidu")
        assert subject not in event.subject
        # Each change was made: the fifth left the new one.
        await site.login("owner", NEW)
        assert len(await site.events(tag=Tag.PASSWORD_CHANGED)) == 5


@pytest.mark.attack("OT-25")
@EACH_BUDGET
async def test_a_budget_begins_anew_in_time(folder: Any, budget: str) -> None:
    async with limited(folder, budget) as site:
        await changes(site, 4)
        site.clock.advance((HOUR if "quota" in budget else DAY) - 4 * SECOND)
        await changes(site, 2)
        assert len(await site.harness.messages()) == 4
        assert len(await dropped(site)) == 2


async def test_a_notice_uses_up_what_a_code_would(site: Site) -> None:
    await site.harness.change_app(sms_per_day=100)
    await own(site, PHONE)
    await changes(site, 3)
    assert [await used(site, key) for key in ("all", "app:1", "country:+86", "mail")] == [3, 3, 3, 0]
    await own(site, EMAIL, name="by-mail")
    await changes(site, 2, "by-mail")
    assert [await used(site, key) for key in ("all", "app:1", "country:+86", "mail")] == [3, 3, 3, 2]


async def test_what_one_budget_refuses_uses_up_nothing_of_another(folder: Any) -> None:
    async with open_site(folder, send_budget_per_country=1) as site:
        await own(site, PHONE)
        await changes(site, 4)
        assert [await used(site, key) for key in ("all", "country:+86")] == [1, 1]


async def test_numbers_have_quotas_of_their_own_that_codes_do_not_use(folder: Any) -> None:
    async with open_site(folder, notices_per_hour=1) as site:
        await own(site, PHONE, name="first")
        await own(site, OTHER_PHONE, name="second")
        for name in ("first", "second"):
            await changes(site, 2, name)
        assert [one.to for one in await site.harness.messages()] == [PHONE, OTHER_PHONE]
        # Nor do notices use up those of codes.
        assert await site.ask_code(origin=site.elsewhere()) == CodeSent()
        site.clock.advance(HOUR)
        assert await site.ask_code(origin=site.elsewhere()) == CodeSent()
        await changes(site, 1, "first")
        assert [one.to for one in await site.harness.messages()][-1] == PHONE


async def test_a_quota_slides_and_is_counted_for_what_was_let_through_only(folder: Any) -> None:
    async with open_site(folder, notices_per_hour=2) as site:
        await own(site, PHONE)
        await changes(site, 4, seconds=20 * 60)
        # At 0 and 20 minutes; 40 is refused; 60 has room again, as the first is an hour ago.
        assert len(await site.harness.messages()) == 3
        assert await dropped(site) == ["password_changed:quota"]


@pytest.mark.parametrize("limit", ["notices_per_hour", "send_budget_per_day", "send_budget_per_country"])
async def test_where_none_is_allowed_every_change_is_made_without_one(folder: Any, limit: str) -> None:
    given: dict[str, Any] = {limit: 0}
    async with open_site(folder, **given) as site:
        await own(site, PHONE)
        assert await changes(site, 2) == [Done()] * 2
        assert await site.harness.messages() == []
        assert len(await dropped(site)) == 2


async def test_a_reset_is_notified_and_charged_too(folder: Any) -> None:
    async with open_site(folder, notices_per_hour=1) as site:
        await own(site, PHONE)
        for new in (NEW, PASSWORD):
            code = await site.code(purpose=Purpose.RESET)
            assert await reset(site, code, new=new) == Done()
            assert await reset(site, code, new=new) != Done()
        assert [one.template for one in await site.harness.messages() if not one.code] == [
            Template.PASSWORD_CHANGED
        ] * 2
        await changes(site, 1)
        assert await dropped(site) == ["password_changed:quota"]


# --- codes and notices share the budgets ------------------------------------------------------------------------------


@pytest.mark.attack("OT-25")
@pytest.mark.parametrize("budget", ["day", "country", "app", "mail"])
async def test_what_codes_used_up_no_notice_gets_and_the_change_is_made(folder: Any, budget: str) -> None:
    subject, _, name = BUDGETS[budget]
    async with limited(folder, budget) as site:
        for _ in range(2):
            assert await site.ask_code(subject, origin=site.elsewhere()) == CodeSent()
            site.clock.advance(MINUTE)
        assert await changes(site, 2) == [Done()] * 2
        assert await dropped(site) == [f"password_changed:{name}"] * 2
        assert all(one.code for one in await site.harness.messages())


@pytest.mark.attack("OT-25")
@pytest.mark.parametrize("budget", ["day", "country", "app", "mail"])
async def test_what_notices_used_up_no_code_gets_and_operators_are_told(folder: Any, budget: str) -> None:
    subject, _, name = BUDGETS[budget]
    async with limited(folder, budget) as site:
        await changes(site, 1)
        assert await spent(site, Tag.CODE_BUDGET_HALF) == [name]
        await change_again(site)
        assert await spent(site) == []
        for _ in range(3):
            assert (waits(await site.ask_code(subject, origin=site.elsewhere())) or 0) > 23 * 3600
        assert await spent(site) == [name]
        assert await spent(site, Tag.CODE_BUDGET_HALF) == [name]


async def change_again(site: Site) -> None:
    """Two further changes: the second notice of the day, and one that is dropped."""
    mine = await site.login("owner", NEW)
    for old, new in ((NEW, PASSWORD), (PASSWORD, NEW)):
        assert await change(site, mine, old, new) == Done()


async def test_the_part_that_strangers_may_use_is_told_when_a_notice_uses_its_last(folder: Any) -> None:
    async with open_site(folder, send_budget_per_day=5) as site:
        await own(site, PHONE)
        await changes(site, 5)
        # A fifth is kept for numbers of accounts, such as this one.
        assert await spent(site) == ["all:open"]
        assert await spent(site, Tag.CODE_BUDGET_HALF) == ["all"]
        assert len(await site.harness.messages()) == 5


async def test_an_administrators_change_is_charged_and_told_as_one(folder: Any) -> None:
    async with open_site(folder, send_budget_per_day=2) as site:
        await site.harness.change_app(sms_per_day=1)
        await own(site, PHONE)
        here = site.harness.assembled
        for password in (NEW, PASSWORD, NEW):
            done = await admin_accounts.set_account_password(
                "owner", password, site.harness.app, store=site.store, hasher=here.hasher, world=here.world,
                keyring=here.keyring, policy=here.policy, blocklist=CommonPasswords(),
            )  # fmt: skip
            assert isinstance(done, Edited)
        # It comes from no app.
        assert [await used(site, key) for key in ("all", "app:1")] == [2, 0]
        assert await dropped(site) == ["password_changed:all"]
        told = await site.events(tag=Tag.NOTICE_DROPPED) + await site.events(tag=Tag.CODE_BUDGET_HALF)
        assert {(event.source, event.app_id, event.ip) for event in told} == {(ADMIN, None, "")}
        assert len(await site.harness.messages()) == 2


# --- who gets none ----------------------------------------------------------------------------------------------------


async def test_a_reviewers_number_gets_none_and_uses_up_no_budget(folder: Any) -> None:
    environ = {"MENSHEN_SMS__TEST_NUMBERS": f'{{"{PHONE}": {{"code": "246802", "until": "2100-06-30"}}}}'}
    async with open_site(folder, environ) as site:
        await own(site, PHONE)
        assert await changes(site, 3) == [Done()] * 3
        assert await site.harness.messages() == []
        assert await dropped(site) == []
        assert await used(site, "all") == 0
        # When it is one no more, its owner hears of changes.
        site.clock.advance(300 * DAY)
        assert await change(site, await site.login("owner", NEW), NEW, PASSWORD) == Done()
        assert [one.to for one in await site.harness.messages()] == [PHONE]


@pytest.mark.attack("OT-25")
@pytest.mark.parametrize("phone", ["+85251234567", "+18625550123", "+8657188888888"])
async def test_numbers_that_get_no_codes_get_no_notices(site: Site, phone: str) -> None:
    """Countries that are not served, and a land line in one that is."""
    await own(site, phone)
    assert await changes(site, 2) == [Done()] * 2
    assert await site.harness.messages() == []
    assert await dropped(site) == ["password_changed:country"] * 2
    assert await used(site, "all") == 0


# --- two receivers in one change --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "reached", "told"),
    [
        ({}, [PHONE, EMAIL], []),
        ({"mail_budget_per_day": 0}, [PHONE], ["identifier_changed:mail"]),
        ({"send_budget_per_country": 1}, [EMAIL], ["identifier_changed:country:+86"]),
        ({"notices_per_hour": 0}, [], ["identifier_changed:quota"] * 2),
    ],
)
async def test_of_two_receivers_each_is_charged_by_itself(
    folder: Any, limits: dict[str, Any], reached: list[str], told: list[str]
) -> None:
    async with open_site(folder, **limits) as site:
        await own(site, PHONE, EMAIL)
        # The code to the new number uses up a country's one message.
        mine, code = await site.login("owner"), await later_code(site)
        assert isinstance(await bind(site, mine, OTHER_PHONE, code), Edited)
        notices = [one for one in await site.harness.messages() if not one.code]
        assert [one.to for one in notices] == reached
        assert {one.detail for one in notices} <= {"138****8000"}
        assert await dropped(site) == told


async def test_quotas_are_taken_before_any_budget_and_nothing_is_locked_behind_those(site: Site) -> None:
    """In the order of locks lies that no two changes wait for each other."""
    await own(site, PHONE, EMAIL)
    mine, taken = await site.login("owner"), list[str]()
    keyring = site.harness.assembled.keyring
    quotas = {
        keyring.counter_key(Quota.NOTICE_NUMBER_HOUR, one, Template.ACCOUNT_DELETED): one for one in (PHONE, EMAIL)
    }
    budgets = {keyring.counter_key(Tally.CODE_BUDGET, one): one for one in ("all", "country:+86", "mail")}

    def watched(tx: Any) -> Any:
        async def charge(claims: Any, now: Any, **kept: Any) -> Any:
            taken.extend(f"quota {quotas[claim.key]}" for claim in claims if claim.key in quotas)
            return await tx.counters.charge(claims, now, **kept)

        async def hit(hits: Any, now: Any) -> Any:
            taken.append(" ".join(sorted(budgets.get(one.key, "?") for one in hits)))
            return await tx.counters.hit(hits, now)

        return Substitute(tx, counters=Substitute(tx.counters, charge=charge, hit=hit))

    async def write(work: Any) -> Any:
        del taken[:]
        return await site.store.write(lambda tx: work(watched(tx)))

    assert await delete(site.over(store=Substitute(site.store, write=write)), mine) == Done()
    assert taken == [f"quota {PHONE}", f"quota {EMAIL}", "all country:+86", "mail"]
    assert [one.template for one in await site.harness.messages()] == [Template.ACCOUNT_DELETED] * 2
