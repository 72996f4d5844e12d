"""Explain for operators how the risk rules treat a login, and report where SMS codes are sent.

A login may need a captcha, be paused, or be allowed. The report reads the same data as the flows, applies the same
rules, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.apps import App, SessionRule
from menshen.core.audit.events import ADMIN
from menshen.core.codes.sms_traffic import Traffic, day_of
from menshen.core.gates.limits import Count, Limits, Tally, fullest
from menshen.core.gates.risk import Assessment, PasswordTries, Signals, assess
from menshen.core.identifiers import classify
from menshen.core.keys import Keyring
from menshen.core.networks import scales_of
from menshen.core.policy import Policy
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.devices import Device, identifying
from menshen.core.sessions.sessions import SLIDING
from menshen.core.time import Instant
from menshen.core.tokens import TokenStyle
from menshen.flows.admin.accounts import find_account
from menshen.flows.gates.known_origin import is_known_device
from menshen.flows.gates.password_attempts import TryKeys, subject_of, try_keys
from menshen.flows.gates.risk_signals import signals_of
from menshen.ports.store.store import ReadTx, Store
from menshen.ports.world import World

_HOUSE: Final = DialectRules(ADMIN, TokenStyle.BASE32, SLIDING, SessionRule.DIALECT)


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Hold the assessment of the next password login from `network`. `account` is None if the login id has none.

    `before` is the assessment before the password check, `proved` the one after a correct password.
    """

    account: Account | None
    network: str
    signals: Signals
    before: Assessment
    proved: Assessment


async def explain_risk(
    typed: str, app: App, *, ip: str, device_id: str, store: Store, world: World, keyring: Keyring, policy: Policy
) -> RiskReport:
    """Assess a login as `typed` (a login id, `#number` or public id) through `app` from `ip`.

    An identifier without an account is assessed, too, because its attempts are counted in the same way.
    """
    now = world.now()
    identifier = classify(typed)
    account = await store.read.accounts.find_owner(identifier) if identifier else None
    if account is None and identifier is None:
        found = await find_account(typed, store=store)
        account = found if isinstance(found, Account) else None
    origin = Origin(app, _HOUSE, ip, scales_of(ip), device=Device(identifying(device_id)))
    known = await is_known_device(store.read.devices, account, origin)
    keys = try_keys(keyring, subject_of(account, identifier, typed), origin, account=account, known_device=known)
    limits = policy.limits
    tries = await _next_tries(store.read, keys, limits, now)
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


async def _next_tries(read: ReadTx, keys: TryKeys, limits: Limits, now: Instant) -> PasswordTries:
    """Return the counters as `count_try` would for the next attempt."""

    async def scaled(several: Sequence[bytes], window: int) -> Count:
        return fullest([await _next(read, key, window, now) for key in several], keys.scales)

    near, network = await scaled(keys.near, limits.pause), await scaled(keys.network, limits.network_window)
    account = await _next(read, keys.account, limits.suspend_memory, now)
    if not keys.share or account.tries <= limits.suspend_share:
        return PasswordTries(near, network, account)
    return PasswordTries(near, network, account, await _next(read, keys.share(), limits.suspend_memory, now))


async def _next(read: ReadTx, key: bytes, window: int, now: Instant) -> Count:
    """Return a counter as the next attempt would find it."""
    return Count(await read.counters.peek(key, now) + 1, now, window)


@dataclass(frozen=True, slots=True)
class Budget:
    """Hold a day's budget of codes. `name` is "all", "app:NAME" or "country:+86"."""

    name: str
    spent: int
    most: int


@dataclass(frozen=True, slots=True)
class SmsReport:
    """Hold the current budgets, and the codes sent and verified for each prefix, most sent first."""

    budgets: Sequence[Budget]
    traffic: Sequence[Traffic]


async def sms_report(*, days: int, store: Store, world: World, keyring: Keyring, policy: Policy) -> SmsReport:
    """Report where codes were sent in the last `days` days, today included. (docs/contracts/core.md section 4.1.)"""
    now = world.now()
    named = [("all", "all", policy.limits.send_budget_per_day), ("mail", "mail", policy.limits.mail_budget_per_day)]
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
