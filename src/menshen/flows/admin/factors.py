"""Show and reset what an account has beside its first proof, from the command line.

(docs/contracts/factors.md section 10.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.audit.events import ADMIN, Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.outcomes import Holdings
from menshen.core.gates.limits import Tally
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied
from menshen.flows.account.holdings import read_holdings
from menshen.flows.admin.accounts import find_account, hold_open
from menshen.flows.factors.changing import finish_change
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_STEP_TALLIES: Final = (Tally.STEP_WRONG, Tally.STEP_WRONG_DAY, Tally.STEP_ROW)


@dataclass(frozen=True, slots=True)
class AccountFactors:
    """Hold an account, and what it has beside its first proof."""

    account: Account
    holdings: Holdings


@dataclass(frozen=True, slots=True)
class FactorsReset:
    """Hold an account after a reset, and what was removed. Without `changed` it had nothing."""

    account: Account
    removed: Holdings
    changed: bool


async def show_factors(typed: str, *, store: Store, world: World) -> AccountFactors | Denied:
    """Return what an account has beside its first proof, without a secret. Denied as `find_account`."""
    account = await find_account(typed, store=store)
    if isinstance(account, Denied):
        return account
    return AccountFactors(account, await read_holdings(store.read, account.number, world.now()))


async def reset_factors(
    typed: str, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> FactorsReset | Denied:
    """Remove all factors, passkeys, recovery codes and trusted devices of an account, and turn its second step off.

    Its sessions and pending logins end, and each proved phone and email gets a notice, in one transaction. Its user
    handle stays, so that its browsers know the account again. The count of its wrong steps begins anew, also if it has
    no factor; then nothing else changes. Denied: NOT_FOUND, INVALID_REQUEST (ambiguous).
    """
    now = world.now()

    async def work(tx: WriteTx) -> FactorsReset | Denied:
        account = await hold_open(tx, typed)
        if isinstance(account, Denied):
            return account
        number = account.number
        removed = await read_holdings(tx, number, now)
        changed = account.second_step or bool(removed)
        # Enrolments that were begun are removed in either case.
        await tx.factors.remove_all(number)
        if changed:
            await tx.passkeys.remove_all(number)
            await tx.recovery_codes.remove_all(number)
        await tx.counters.clear([keyring.counter_key(tally, str(number)) for tally in _STEP_TALLIES])
        if changed:
            await finish_change(
                tx,
                account,
                None,
                Tag.FACTORS_RESET,
                Template.FACTORS_RESET,
                keyring=keyring,
                policy=policy,
                now=now,
                reason=ADMIN,
                second_step=False,
            )
        return FactorsReset(await tx.accounts.find(number) or account, removed, changed)

    return await store.write(work)
