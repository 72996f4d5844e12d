"""What the risk rules look at: gathered from counters, the settings' lists and the account's record."""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.gates.limits import Count, Tally
from menshen.core.gates.risk import MANY_ACCOUNTS, PasswordTries, Signals, assess
from menshen.core.keys import Keyring
from menshen.core.networks import network_of
from menshen.core.policy import Policy
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.ports.counters import CounterReader


async def signals_of(
    counters: CounterReader,
    tries: PasswordTries,
    account: Account | None,
    origin: Origin,
    *,
    known_device: bool,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> Signals:
    """The signals of one try. For nobody's account its past is that of one that never logged in."""
    past = (account.login_ip, account.previous_login_ip) if account else ()
    return Signals(
        tries,
        strangers=await _strangers(counters, tries.network.tries, origin, keyring, now),
        listing=policy.networks.listing(origin.ip),
        known_network=origin.network in {network_of(ip) for ip in past if ip},
        known_device=known_device,
        idle=now - account.login_at if account and account.login_at else 0,
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
