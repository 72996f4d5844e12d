"""Agreements to terms: kept once a version, told in the export, and gone with the account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from menshen.core.account.agreements import TERMS, AgreedTerms, Agreement, stands
from menshen.core.audit.events import Tag
from menshen.core.audit.export import Export, ExportedAgreement
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from tests.flows.account.calls import delete, export
from tests.flows.site import AWAY, HOME, Site, code_of, waits

OLD, NEW = Agreement(TERMS, "2026-01"), Agreement(TERMS, "2026年7月")
ABROAD = Agreement("abroad", "1")


async def agree(site: Site, who: Granted, *asked: Agreement, ip: str = HOME, **origin: Any) -> Any:
    return await site.flows.account.agree(asked, await site.caller(who), site.origin(ip, **origin))


async def agreed(site: Site, who: Granted) -> Sequence[AgreedTerms]:
    got = await site.flows.account.agreements(await site.caller(who), site.origin())
    assert not isinstance(got, Denied)
    return got


async def test_time_and_address_of_each_version_are_kept_once(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    mine, app, first = await site.login(), site.harness.app.app_id, site.clock.now()
    assert await agree(site, mine, OLD, ABROAD) == Done()
    site.clock.advance(1000)
    assert await agree(site, mine, OLD, ABROAD, NEW, ip=AWAY) == Done()
    assert await agree(site, mine, NEW, NEW) == Done()
    kept = await agreed(site, mine)
    assert kept == [
        AgreedTerms(TERMS, "2026年7月", app, site.clock.now(), AWAY),
        AgreedTerms("abroad", "1", app, first, HOME),
        AgreedTerms(TERMS, "2026-01", app, first, HOME),
    ]
    events = await site.events(account, Tag.TERMS_AGREED)
    assert [(one.reason, one.ip) for one in events] == [
        ("terms:2026-01", HOME), ("abroad:1", HOME), ("terms:2026年7月", AWAY),
    ]  # fmt: skip
    assert [stands(kept, app, one) for one in (OLD, NEW, ABROAD, Agreement("abroad", "2"))] == [True, True, True, False]
    assert not stands(kept, app + 1, OLD), "another app asks for itself"


async def test_the_owner_gets_them_and_they_go_with_the_account(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login()
    await agree(site, mine, OLD)
    made = await export(site, mine)
    assert isinstance(made, Export)
    assert made.agreements == [ExportedAgreement("default", TERMS, "2026-01", site.clock.now(), HOME)]
    assert await delete(site, mine) == Done()
    assert list(await site.store.read.agreements.list_of(account.number)) == []


@pytest.mark.parametrize(
    "asked",
    [
        [Agreement("", "1")],
        [Agreement(TERMS, "")],
        [Agreement(TERMS, "x" * 65)],
        [Agreement("x" * 65, "1")],
        [OLD, Agreement(TERMS, "1\n2")],
        [Agreement(TERMS, "1\u202e")],
        [OLD] * 17,
    ],
)
async def test_what_no_settings_name_is_refused_whole(site: Site, asked: list[Agreement]) -> None:
    await site.kevin()
    mine = await site.login()
    assert code_of(await agree(site, mine, *asked)) is ProblemCode.INVALID_REQUEST
    assert list(await agreed(site, mine)) == []


async def test_nobody_agrees_in_a_session_that_ended(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    caller = await site.caller(mine)
    await site.flows.sessions.log_out(caller, site.origin())
    with pytest.raises(Problem) as refused:
        await site.flows.account.agree([OLD], caller, site.origin())
    assert refused.value.denied.code is ProblemCode.UNAUTHENTICATED
    assert await site.events(tag=Tag.TERMS_AGREED) == []


async def test_agreements_are_counted_with_edits(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    for n in range(site.flows.policy.limits.edits_per_account):
        assert await agree(site, mine, Agreement(TERMS, str(n))) == Done()
    assert waits(await agree(site, mine, NEW))
