"""Collect the signals for the risk rules from counters, the settings' network lists, and the account's record."""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.gates.limits import Count, Tally, crowd_steps, fullest
from menshen.core.gates.risk import HARDEST, MANY_ACCOUNTS, PasswordTries, Signals, assess
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.gates.known_origin import is_known_network
from menshen.ports.store.counters import CounterReader


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
    """Return the signals of one attempt. A missing account has the history of one that never logged in."""
    return Signals(
        tries,
        strangers=await _strangers(counters, tries.network.tries, origin, keyring, now),
        listing=policy.networks.listing(origin.ip),
        known_network=is_known_network(account, origin),
        known_device=known_device,
        idle=now - account.login_at if account and account.login_at else 0,
    )


async def network_difficulty(
    counters: CounterReader, origin: Origin, *, codes: int, keyring: Keyring, policy: Policy, now: Instant
) -> int:
    """Return the difficulty of a captcha for this network, of which `codes` came in the last hour.

    It does not depend on the account.
    """
    window = policy.limits.network_window
    keys = [keyring.counter_key(Tally.PASSWORD_NETWORK, scale.network) for scale in origin.networks]
    # The next attempt is included, because the client sends the solved test with it.
    failures = fullest([Count(await counters.peek(key, now) + 1, now, window) for key in keys], origin.networks)
    nothing = Count(0, now, window)
    tries = PasswordTries(nothing, failures, nothing)
    strangers = await _strangers(counters, failures.tries, origin, keyring, now)
    signals = Signals(tries, strangers, policy.networks.listing(origin.ip))
    deserved = assess(signals, origin.app.captcha, policy.limits).difficulty
    return min(deserved + crowd_steps(codes, policy.limits), HARDEST)


def strangers_key(keyring: Keyring, origin: Origin) -> bytes:
    """Return the key of the counter of accounts that failed from the widest network."""
    return keyring.counter_key(Tally.PASSWORD_STRANGERS, origin.widest)


async def _strangers(counters: CounterReader, failures: int, origin: Origin, keyring: Keyring, now: Instant) -> int:
    # Failed accounts never outnumber failures, so the counter is read only if it can reach its limit.
    return await counters.peek(strangers_key(keyring, origin), now) if failures >= MANY_ACCOUNTS else 0
