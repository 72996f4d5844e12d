"""Spend the one-time key of a form, so that a form that is sent twice does its work once.

Knows keys and what became of them. Must not know what a form is for. (docs/security/attacks.md PG-4.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.gates.limits import Hit, Quota
from menshen.core.keys import Keyring
from menshen.core.outcomes import Done
from menshen.core.pages.form_keys import FORM_KEY_LIFETIME, Submit, is_form_key
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import MINUTE, after
from menshen.flows.gates.network_quotas import charge_networks
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_FORM: Final = "form"
_DONE: Final = "form-done"
_REMEMBERED: Final = MINUTE
"""Who sends a form again after this time (ms) wants its work done again, and gets a fresh form."""


@use_case(FlowKind.CHANGE, {ProblemCode.INVALID_REQUEST, ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def spend_form_key(
    key: str, about: str, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> Submit | Denied:
    """Spend a form's key, and say which submit of the form this is. Exactly one of all submits is FIRST.

    `about` names the browser, and what the form is for: no browser spends the keys of another one, and a form with
    another number is another form. A submit counts as a behaviour test of its network, so that no network fills the
    table.
    Denied: INVALID_REQUEST for what is no key, TOO_MANY_REQUESTS.
    """
    if not is_form_key(key):
        return Denied(ProblemCode.INVALID_REQUEST, field="key")
    now, name = world.now(), keyring.counter_key(_FORM, str(origin.app.app_id), about, key).hex()
    done = keyring.counter_key(_DONE, str(origin.app.app_id), about, key)

    async def work(tx: WriteTx) -> Submit | Denied:
        if await tx.counters.peek(done, now):
            return Submit.DONE
        most = policy.limits.solve_per_network
        if wait := await charge_networks(tx, Quota.SOLVE_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        first = await tx.captchas.spend_nonce(name, after(now, FORM_KEY_LIFETIME))
        return Submit.FIRST if first else Submit.AGAIN

    return await store.write(work)


@use_case(FlowKind.CHANGE)
async def finish_form(key: str, about: str, origin: Origin, *, store: Store, world: World, keyring: Keyring) -> Done:
    """Remember for a minute that the FIRST submit of a form did its work. Later ones are answered as it was."""
    now, done = world.now(), keyring.counter_key(_DONE, str(origin.app.app_id), about, key)

    async def work(tx: WriteTx) -> Done:
        await tx.counters.hit([Hit(done, _REMEMBERED, 1)], now)
        return Done()

    return await store.write(work)
