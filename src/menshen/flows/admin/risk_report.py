"""Why a login would be asked for a captcha, paused or let through; and where SMS codes go. For operators.

Looks at what the flows look at, by the same rules, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.apps import App, SessionRule
from menshen.core.audit.events import ADMIN
from menshen.core.codes.sms_traffic import Traffic, day_of
from menshen.core.gates.limits import Count, Tally
from menshen.core.gates.risk import Assessment, PasswordTries, Signals, assess
from menshen.core.identifiers import classify
from menshen.core.keys import Keyring
from menshen.core.networks import network_of
from menshen.core.policy import Policy
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.devices import Device
from menshen.core.sessions.sessions import SLIDING
from menshen.core.time import Instant
from menshen.core.tokens import TokenStyle
from menshen.flows.admin.accounts import find_account
from menshen.flows.gates.password_attempts import is_known_device, subject_of, try_keys
from menshen.flows.gates.risk_signals import signals_of
from menshen.ports.store.store import ReadTx, Store
from menshen.ports.world import World

_HOUSE: Final = DialectRules(ADMIN, TokenStyle.BASE32, SLIDING, SessionRule.DIALECT)


@dataclass(frozen=True, slots=True)
class RiskReport:
    """The next password login of `account` (None: nobody's) from `network`, as the rules see it.

    `before` is what they say before the password is looked at, `proved` what they say once it was right.
    """

    account: Account | None
    network: str
    signals: Signals
    before: Assessment
    proved: Assessment


async def explain_risk(
    typed: str, app: App, *, ip: str, device_id: str, store: Store, world: World, keyring: Keyring, policy: Policy
) -> RiskReport:
    """What a login as `typed` (as at a login, or `#number`, or a public id) through `app` from `ip` would face.

    Who nobody is, is explained too: it is counted like anybody.
    """
    now = world.now()
    identifier = classify(typed)
    account = await store.read.accounts.find_owner(identifier) if identifier else None
    if account is None and identifier is None:
        found = await find_account(typed, store=store)
        account = found if isinstance(found, Account) else None
    origin = Origin(app, _HOUSE, ip, network_of(ip), device=Device(device_id))
    known = await is_known_device(store, account, origin)
    keys = try_keys(keyring, subject_of(account, identifier, typed), origin, known_device=known)
    limits = policy.limits
    tries = PasswordTries(
        await _next(store.read, keys.near, limits.pause, now),
        await _next(store.read, keys.network, limits.network_window, now),
        await _next(store.read, keys.account, limits.suspend_memory, now),
    )
    signals = await signals_of(
        store.read.counters, tries, account, origin, known_device=known, keyring=keyring, policy=policy, now=now
    )
    return RiskReport(
        account,
        origin.network,
        signals,
        assess(signals, app.captcha, limits),
        assess(signals, app.captcha, limits, proved=True),
    )


async def _next(read: ReadTx, key: bytes, window: int, now: Instant) -> Count:
    """A counter as the next try would find it."""
    return Count(await read.counters.peek(key, now) + 1, now, window)


@dataclass(frozen=True, slots=True)
class Budget:
    """A day's budget of codes: `name` is "all", "app:NAME" or "country:+86"."""

    name: str
    spent: int
    most: int


@dataclass(frozen=True, slots=True)
class SmsReport:
    """Budgets as they stand, and each prefix's codes sent and verified, those with most sent first."""

    budgets: Sequence[Budget]
    traffic: Sequence[Traffic]


async def sms_report(*, days: int, store: Store, world: World, keyring: Keyring, policy: Policy) -> SmsReport:
    """Where codes went in the last `days` days, today among them. (docs/contracts/core.md section 4.1.)"""
    now = world.now()
    named = [("all", "all", policy.limits.send_budget_per_day)]
    named += [
        (f"app:{app.name}", f"app:{app.app_id}", app.sms_per_day)
        for app in await store.read.apps.list_all()
        if app.sms_per_day
    ]
    named += [
        (f"country:{country}", f"country:{country}", policy.country_budget(country)) for country in policy.sms_countries
    ]
    budgets = [
        Budget(shown, await store.read.counters.peek(keyring.counter_key(Tally.CODE_BUDGET, name), now), most)
        for shown, name, most in named
    ]
    return SmsReport(budgets, await store.read.traffic.list_all(day_of(now) - days + 1))
