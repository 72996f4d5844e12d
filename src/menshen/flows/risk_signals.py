"""What the risk rules look at: gathered from the account's record, its counters and the settings' lists.

For an identifier that nobody has the same things are gathered, so that no answer tells whether it is somebody's.
"""

from __future__ import annotations

from dataclasses import dataclass

from menshen.core.accounts import Account
from menshen.core.keys import Keyring
from menshen.core.limits import Count, Limits, Tally
from menshen.core.login import Origin
from menshen.core.networks import network_of
from menshen.core.policy import Policy
from menshen.core.risk import MANY_ACCOUNTS, PasswordTries, Signals, assess
from menshen.core.time import Instant
from menshen.ports.counters import CounterReader

_DORMANT_IN_256 = 64
"""One in four identifiers that nobody has behaves like a dormant account: else a captcha would tell them apart."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How an account used to log in, before this try."""

    known_network: bool
    known_device: bool
    idle: int


def habits_of(
    account: Account | None, subject: str, origin: Origin, *, known_device: bool, keyring: Keyring, limits: Limits,
    now: Instant,
) -> Habits:  # fmt: skip
    """The habits of an account, or of nobody under the name `subject`; nobody's are drawn from the name itself."""
    drawn = keyring.counter_key("habits", subject)[0]
    if account is None:
        return Habits(known_network=False, known_device=known_device, idle=limits.dormant * (drawn < _DORMANT_IN_256))
    seen = {network_of(ip) for ip in (account.login_ip, account.previous_login_ip) if ip}
    idle = now - account.login_at if account.login_at else 0
    return Habits(origin.network in seen, known_device, idle)


async def signals_of(
    counters: CounterReader, tries: PasswordTries, habits: Habits, origin: Origin, *, keyring: Keyring, policy: Policy,
    now: Instant,
) -> Signals:  # fmt: skip
    """Everything together."""
    return Signals(
        tries,
        await _strangers(counters, tries.network.tries, origin, keyring, now),
        policy.networks.listing(origin.ip),
        habits.known_network,
        habits.known_device,
        habits.idle,
    )


async def network_difficulty(
    counters: CounterReader, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> int:
    """How hard a captcha for this network must be, whoever is to log in by it."""
    window = policy.limits.network_window
    failures = await counters.peek(keyring.counter_key(Tally.PASSWORD_NETWORK, origin.network), now)
    nothing = Count(0, now, window)
    # The try to come counts: a test solved now is presented with it.
    tries = PasswordTries(nothing, Count(failures + 1, now, window), nothing)
    strangers = await _strangers(counters, failures, origin, keyring, now)
    signals = Signals(tries, strangers, policy.networks.listing(origin.ip))
    return assess(signals, origin.app.captcha, policy.limits).difficulty


def strangers_key(keyring: Keyring, origin: Origin) -> bytes:
    """The counter of accounts that failed on a network."""
    return keyring.counter_key(Tally.PASSWORD_STRANGERS, origin.network)


async def _strangers(counters: CounterReader, failures: int, origin: Origin, keyring: Keyring, now: Instant) -> int:
    # There are never more accounts that failed than failures: the counter is read when it can matter.
    return await counters.peek(strangers_key(keyring, origin), now) if failures >= MANY_ACCOUNTS else 0
