"""What an operator sees of second factors, and the reset for an owner who lost them all.

(docs/contracts/factors.md section 10.)
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.gates.limits import Hit, Tally
from menshen.core.login.outcomes import StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, HOUR
from menshen.flows.admin.factors import AccountFactors, FactorsReset, reset_factors, show_factors
from tests.attacks.rows import tables
from tests.flows.account.stepped import ALL, KEY, MAC, NONE, SECRET, TRUST, give_factors, kept, stepped
from tests.flows.site import EMAIL, PASSWORD, PHONE, Site
from tests.substitutes import raising, store_with

TALLIES = (Tally.STEP_WRONG, Tally.STEP_WRONG_DAY, Tally.STEP_ROW)


async def reset(site: Site, typed: str = "kevin", **other: Any) -> FactorsReset | Denied:
    assembled = site.harness.assembled
    ports: dict[str, Any] = {
        "store": site.store, "world": site.clock, "keyring": assembled.keyring, "policy": assembled.policy
    }  # fmt: skip
    return await reset_factors(typed, **ports | other)


async def tries(site: Site, account: Account, *, more: int = 0) -> list[int]:
    """Count `more` wrong steps in each row, and return how many there are."""
    keyring, now = site.harness.assembled.keyring, site.clock.now()
    keys = [keyring.counter_key(tally, str(account.number)) for tally in TALLIES]
    for _ in range(more):
        await site.store.write(lambda tx: tx.counters.hit([Hit(key, DAY, 1000) for key in keys], now))
    return [await site.store.write(lambda tx, key=key: tx.counters.peek(key, now)) for key in keys]


async def test_it_shows_all_of_it_and_no_secret(site: Site) -> None:
    account, _ = await stepped(site)
    shown = await show_factors("kevin", store=site.store, world=site.clock)
    assert isinstance(shown, AccountFactors)
    assert shown.account.second_step is True
    assert [each.kind for each in shown.holdings.factors] == ["totp"]
    assert [each.name for each in shown.holdings.passkeys] == ["My phone"]
    assert (shown.holdings.codes_left, [each.name for each in shown.holdings.trusted]) == (2, ["Firefox"])
    for secret in (KEY, SECRET, MAC, TRUST):
        assert repr(secret)[2:-1] not in repr(shown)
    # A trusted device whose time is over is none.
    site.clock.advance(30 * DAY)
    later = await show_factors(f"#{account.number}", store=site.store, world=site.clock)
    assert isinstance(later, AccountFactors)
    assert list(later.holdings.trusted) == []
    assert await show_factors("nobody", store=site.store, world=site.clock) == Denied(ProblemCode.NOT_FOUND)


async def test_a_reset_takes_everything_and_tells_each_channel(site: Site) -> None:
    account, mine = await stepped(site)
    other = await site.harness.add_account("other", "13900139000", password=PASSWORD)
    await give_factors(site, other, tag="2")
    theirs = await site.login("other")
    assert await tries(site, account, more=3) == [3, 3, 3]
    assert await tries(site, other, more=2) == [2, 2, 2]
    handle = await site.store.read.passkeys.handle_of(account.number)
    before = len(await site.harness.messages())
    done = await reset(site)
    assert isinstance(done, FactorsReset)
    assert (done.changed, len(done.removed.passkeys), done.removed.codes_left) == (True, 1, 2)
    assert (done.account.second_step, done.account.factors_version) == (False, account.factors_version + 1)
    assert await kept(site, account) == NONE
    assert await site.alive(mine) == [False]
    # The count of wrong steps begins anew, so that a suspended factor can be enrolled and used again.
    assert await tries(site, account) == [0, 0, 0]
    assert [(e.tag, e.reason, e.source) for e in (await site.events(account))[-2:]] == [
        (Tag.SESSION_ENDED, "factor_changed", "admin"),
        (Tag.FACTORS_RESET, "admin", "admin"),
    ]
    notices = [(one.to, one.template) for one in (await site.harness.messages())[before:]]
    assert notices == [(PHONE, Template.FACTORS_RESET), (EMAIL, Template.FACTORS_RESET)]
    # Browsers that had a passkey of the account find it again by its handle.
    assert await site.store.read.passkeys.handle_of(account.number) == handle
    # Nothing of another account.
    assert await kept(site, other, tag="2") == ALL
    assert (await site.alive(theirs), await tries(site, other)) == ([True], [2, 2, 2])
    assert (await site.login()).account.number == account.number


async def test_where_the_app_requires_a_factor_the_next_login_enrols_one(site: Site) -> None:
    account, _ = await stepped(site)
    await site.harness.change_app(second_factor=SecondFactorRule.REQUIRED)
    assert isinstance(await reset(site), FactorsReset)
    asked = await site.try_password()
    assert isinstance(asked, StepNeeded)
    assert (asked.enroll, asked.methods) == (True, ())
    assert await site.sessions(account) == []


async def test_an_account_without_any_is_left_as_it_is(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login()
    assert await tries(site, account, more=1) == [1, 1, 1]
    await site.store.write(lambda tx: tx.factors.begin(account.number, "totp", SECRET, site.clock.now() + HOUR))
    before = tables(site.harness.data_dir)
    done = await reset(site)
    assert isinstance(done, FactorsReset)
    assert (done.changed, asdict(done.removed)["codes_left"]) == (False, 0)
    after = tables(site.harness.data_dir)
    # What was begun and what was counted is gone, and nothing else changed.
    assert {name for name in before if before[name] != after[name]} == {"counters", "factors"}
    assert (await kept(site, account), await tries(site, account)) == (NONE, [0, 0, 0])
    assert await site.alive(mine) == [True]


async def test_a_second_step_without_any_factor_is_turned_off(site: Site) -> None:
    """Else nothing would open such an account."""
    account = await site.kevin()
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(account.number, now=now, second_step=True))
    done = await reset(site)
    assert isinstance(done, FactorsReset)
    assert (done.changed, done.account.second_step) == (True, False)
    assert len(await site.events(account, Tag.FACTORS_RESET)) == 1


async def test_nothing_is_half_done(site: Site) -> None:
    """The owner's notice stands in the transaction of the reset: without it there is no reset."""
    account, mine = await stepped(site)
    before = tables(site.harness.data_dir)

    failing = store_with(site.store, outbox={"put": raising(RuntimeError())})
    with pytest.raises(RuntimeError):
        await reset(site, store=failing)
    assert tables(site.harness.data_dir) == before
    assert await kept(site, account) == ALL
    assert await site.alive(mine) == [True]


@pytest.mark.parametrize("typed", ["nobody", "#999", ""])
async def test_who_is_not_there_is_not_found(site: Site, typed: str) -> None:
    await site.kevin()
    assert await reset(site, typed) == Denied(ProblemCode.NOT_FOUND)


async def test_a_closed_account_is_not_found(site: Site) -> None:
    account = await site.kevin()
    await site.harness.close_account("kevin")
    assert await reset(site, f"#{account.number}") == Denied(ProblemCode.NOT_FOUND)
