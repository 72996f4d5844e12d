"""Count password attempts: which counters one attempt changes, and what they say before the check.

An account has one set of counters for all its identifiers, spellings, dialects and calls. An identifier without an
account is counted in the same way. A known device has its own counters, apart from its network and from all others. So
failures of strangers elsewhere do not lock the owner out.

An account that fails often counts each network apart, too. So no network fills the counter of all. (Decision 0044.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.audit.events import Event, Tag
from menshen.core.gates.limits import NOBODYS_MEMORY, Hit, Limits, Tally, fullest
from menshen.core.gates.risk import PasswordTries
from menshen.core.identifiers import Identifier, fold
from menshen.core.keys import Keyring
from menshen.core.networks import Scale, site_of
from menshen.core.problems import Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.gates.known_origin import is_known_network
from menshen.ports.hashing import PasswordHasher, Verified
from menshen.ports.store.store import Store, WriteTx

PASSWORD_REFUSALS: Final = frozenset(
    {
        ProblemCode.WRONG_CREDENTIALS,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.PASSWORD_SUSPENDED,
        ProblemCode.OVERLOADED,
    }
)
"""Refusals of an attempt on an account's password."""


@dataclass(frozen=True, slots=True)
class TryKeys:
    """Hold the storage keys of one attempt's counters, with a key of `near` and of `network` for each scale.

    `share` makes the key of the network's part of the account's counter. It is None for a known device: no stranger has
    its id.
    """

    near: tuple[bytes, ...]
    network: tuple[bytes, ...]
    account: bytes
    scales: tuple[Scale, ...]
    share: Callable[[], bytes] | None = None

    def counted(self, tries: PasswordTries) -> tuple[bytes, ...]:
        """Return the keys under which `count_try` counted the attempt."""
        return (*self.near, *self.network, self.account, *((self.share(),) if self.share and tries.share else ()))

    @property
    def personal(self) -> tuple[bytes, ...]:
        """Return the keys of the counters that a correct password clears, with their parts."""
        return (*self.near, self.account)


def subject_of(account: Account | None, identifier: Identifier | None, typed: str) -> str:
    """Return what an attempt is counted against: the account's number, else the canonical or folded text.

    The first character separates the two: a typed `#12` must not count against account 12.
    """
    if account is not None:
        return f"#{account.number}"
    return f"?{identifier.canonical if identifier else fold(typed)}"


def try_keys(keyring: Keyring, subject: str, origin: Origin, *, account: Account | None, known_device: bool) -> TryKeys:
    """Return the keys of an attempt from `origin` on `subject`, the text of `account` or of none."""
    key, scales = keyring.counter_key, origin.networks
    network = tuple([key(Tally.PASSWORD_NETWORK, scale.network) for scale in scales])
    if known_device:
        near = key(Tally.PASSWORD_ACCOUNT_DEVICE, subject, origin.device.device_id)
        return TryKeys((near,), network, key(Tally.PASSWORD_DEVICES, subject), scales)
    counter = key(Tally.PASSWORD_ACCOUNT, subject)

    def share() -> bytes:
        # A part of the account's counter: it goes with it, and all transactions lock it after it. A home that the
        # account knows has a part of its own, apart from its provider's other customers.
        whose = site_of(origin.ip) if is_known_network(account, origin) else origin.widest
        return counter + key(Tally.PASSWORD_SHARE, whose)

    return TryKeys(near_keys(keyring, subject, origin), network, counter, scales, share)


def near_keys(keyring: Keyring, subject: str, origin: Origin) -> tuple[bytes, ...]:
    """Return the counters of `subject` and the caller's networks."""
    return tuple(
        [keyring.counter_key(Tally.PASSWORD_ACCOUNT_NETWORK, subject, scale.network) for scale in origin.networks]
    )


def suspension_keys(keyring: Keyring, account: Account, origin: Origin) -> tuple[bytes, ...]:
    """Return the counters that a correct code clears: the suspensions, and the pause of this network and device."""
    subject = subject_of(account, None, "")
    keys = [
        *near_keys(keyring, subject, origin),
        keyring.counter_key(Tally.PASSWORD_ACCOUNT, subject),
        keyring.counter_key(Tally.PASSWORD_DEVICES, subject),
    ]
    if origin.device.device_id:
        keys.append(keyring.counter_key(Tally.PASSWORD_ACCOUNT_DEVICE, subject, origin.device.device_id))
    return tuple(keys)


async def count_try(
    tx: WriteTx, keys: TryKeys, limits: Limits, now: Instant, *, somebody: bool = True
) -> PasswordTries:
    """Count one attempt on all counters. Failures on an identifier without an account expire sooner.

    The share of a network is counted only for an account that has failed often. So a usual login costs no more.
    """
    memory = limits.suspend_memory if somebody else min(limits.suspend_memory, NOBODYS_MEMORY)
    hits = []
    for key, (_, factor) in zip(keys.near, keys.scales, strict=False):
        hits.append(Hit(key, limits.pause, limits.pause_after * factor, idle=True))
    for key, (_, factor) in zip(keys.network, keys.scales, strict=True):
        hits.append(Hit(key, limits.network_window, limits.network_captcha_from * factor))
    counts = await tx.counters.hit([*hits, Hit(keys.account, memory, limits.suspend_after, idle=True)], now)
    several, account = len(keys.near), counts[-1]
    near, network = fullest(counts[:several], keys.scales), fullest(counts[several:-1], keys.scales)
    if account.tries <= limits.suspend_share or not keys.share:
        return PasswordTries(near, network, account)
    (share,) = await tx.counters.hit([Hit(keys.share(), memory, limits.suspend_share, idle=True)], now)
    return PasswordTries(near, network, account, share)


async def note_failed_try(tx: WriteTx, failed: Event, tries: PasswordTries, limits: Limits) -> None:
    """Append the event of a wrong password, and that of the suspension if this try began one."""
    await tx.audit.append(failed)
    if tries.account.tries == limits.suspend_after:
        await tx.audit.append(replace(failed, tag=Tag.PASSWORD_SUSPENDED, reason=""))


async def judge_attempt(
    stored: str, password: bytes | None, keys: TryKeys, tries: PasswordTries, *, hasher: PasswordHasher, store: Store
) -> Verified:
    """Verify a password whose attempt was counted under `keys`.

    If the hash queue is full, the password is not verified and the attempt is refunded. Otherwise an overload would
    lock users out. After any other error the attempt stays counted.

    Raises:
        Problem: OVERLOADED, as the hasher does.
    """
    try:
        return await hasher.verify(stored, password)
    except Problem as problem:
        if problem.denied.code is ProblemCode.OVERLOADED:
            await store.write(lambda tx: tx.counters.forgive(keys.counted(tries)))
        raise
