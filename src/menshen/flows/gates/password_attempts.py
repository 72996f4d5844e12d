"""Counting password tries: which counters one try moves, and what they say before it is judged.

One account has one set of counters, by whatever identifier, spelling, dialect or call it is tried; an
identifier that nobody has is counted just the same. A known device is counted apart from its network and
from the world, so that strangers who fail elsewhere do not shut the owner out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.gates.limits import NOBODYS_MEMORY, Hit, Limits, Tally
from menshen.core.gates.risk import PasswordTries
from menshen.core.identifiers import Identifier, fold
from menshen.core.keys import Keyring
from menshen.core.problems import Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.core.tokens import digest
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
"""What a try of an account's password may be refused with."""


@dataclass(frozen=True, slots=True)
class TryKeys:
    """The storage keys of one try's counters."""

    near: bytes
    network: bytes
    account: bytes

    @property
    def all(self) -> tuple[bytes, bytes, bytes]:
        """In the order of `PasswordTries`."""
        return (self.near, self.network, self.account)

    @property
    def personal(self) -> tuple[bytes, bytes]:
        """Those that a right password clears."""
        return (self.near, self.account)


def subject_of(account: Account | None, identifier: Identifier | None, typed: str) -> str:
    """Whom a try is counted against: the account's number, else the canonical or folded text.

    The first character keeps the two apart: a typed `#12` must not count against account 12.
    """
    if account is not None:
        return f"#{account.number}"
    return f"?{identifier.canonical if identifier else fold(typed)}"


def device_digest(device_id: str) -> bytes:
    """How a device id is kept."""
    return digest(device_id)


async def is_known_device(store: Store, account: Account | None, origin: Origin) -> bool:
    """Whether the account logged in on this device before; asks the store the same for nobody's account."""
    if not origin.device.device_id:
        return False
    return await store.read.devices.known(account.number if account else 0, device_digest(origin.device.device_id))


def try_keys(keyring: Keyring, subject: str, origin: Origin, *, known_device: bool) -> TryKeys:
    """The keys of a try against `subject` from `origin`."""
    key = keyring.counter_key
    network = key(Tally.PASSWORD_NETWORK, origin.network)
    if known_device:
        near = key(Tally.PASSWORD_ACCOUNT_DEVICE, subject, origin.device.device_id)
        return TryKeys(near, network, key(Tally.PASSWORD_DEVICES, subject))
    near = key(Tally.PASSWORD_ACCOUNT_NETWORK, subject, origin.network)
    return TryKeys(near, network, key(Tally.PASSWORD_ACCOUNT, subject))


def suspension_keys(keyring: Keyring, account: Account, origin: Origin) -> tuple[bytes, ...]:
    """What proof by a code lifts: the suspensions, and the pause of this network and this device."""
    subject = subject_of(account, None, "")
    keys = [
        *try_keys(keyring, subject, origin, known_device=False).personal,
        keyring.counter_key(Tally.PASSWORD_DEVICES, subject),
    ]
    if origin.device.device_id:
        keys.append(keyring.counter_key(Tally.PASSWORD_ACCOUNT_DEVICE, subject, origin.device.device_id))
    return tuple(keys)


async def count_try(
    tx: WriteTx, keys: TryKeys, limits: Limits, now: Instant, *, somebody: bool = True
) -> PasswordTries:
    """Count one try on all three counters. Failures at an identifier that nobody has are forgotten sooner."""
    memory = limits.suspend_memory if somebody else min(limits.suspend_memory, NOBODYS_MEMORY)
    near, network, account = await tx.counters.hit(
        (
            Hit(keys.near, limits.pause, limits.pause_after, idle=True),
            Hit(keys.network, limits.network_window, limits.network_captcha_from),
            Hit(keys.account, memory, limits.suspend_after, idle=True),
        ),
        now,
    )
    return PasswordTries(near, network, account)


async def judge_attempt(
    stored: str, password: bytes | None, keys: TryKeys, *, hasher: PasswordHasher, store: Store
) -> Verified:
    """The verdict on a password whose try was counted under `keys`.

    A try that finds the hash queue full is not judged and is taken back: else an overload would shut people out.
    Whatever else fails leaves it counted.

    Raises:
        Problem: OVERLOADED, as the hasher.
    """
    try:
        return await hasher.verify(stored, password)
    except Problem as problem:
        if problem.denied.code is ProblemCode.OVERLOADED:
            await store.write(lambda tx: tx.counters.forgive(keys.all))
        raise
