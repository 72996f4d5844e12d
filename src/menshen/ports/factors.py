"""Define second factors: a thing that the person has, or a trait of the person, beside what the person knows.

A factor knows no store and no account. The caller keeps a row for each enrolled factor: the sealed secret, a counter,
and whether it is confirmed. It seals the secret together with the account's number, so that swapped rows do not open.
The caller counts tries before it calls, and writes a new counter only where the stored one is lower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from menshen.core.time import Instant

RANDOM_BYTES: Final = 32
"""Bytes of chance that a factor gets for an enrolment or a challenge."""

METHODS: Final = frozenset({"otp", "hwk", "swk", "user", "pin", "fpt", "face", "sms"})
"""Words of RFC 8176 that a factor may name as its methods."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Hold a factor as its row holds it, opened. Only here is `secret` plain. `counter` only rises."""

    secret: str = field(repr=False)
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Begun:
    """Hold an enrolment that is not confirmed yet. The person sees `shown` once. The caller keeps `enrolled`."""

    enrolled: Enrolled
    shown: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """Hold what a proof must answer. `asked` goes to the client. The caller keeps `remembered`, and spends it once."""

    asked: Mapping[str, str] = field(default_factory=dict, repr=False)
    remembered: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Proved:
    """Accept the proof. The caller keeps `enrolled` if the stored counter is still lower, else it refuses."""

    enrolled: Enrolled


class Unproved(StrEnum):
    """Say why a proof fails. The client gets the same answer for all of these reasons."""

    WRONG = "wrong"
    CLONED = "cloned"
    """The counter went back: the device was copied, and its owner must get a notice."""


class SecondFactor(Protocol):
    """Define a kind of second factor. It is one file in `menshen.adapters.factors`, whose name is the kind.

    An account has one of a kind. `methods` are the names of a right proof in tokens (a part of `METHODS`). No call
    raises, for any input of the client. No call takes more than some milliseconds.
    """

    @property
    def methods(self) -> tuple[str, ...]:
        """See the class."""
        ...

    def begin(self, label: str, issuer: str, chance: bytes) -> Begun:
        """Begin an enrolment. `label` names the account to its owner, and `issuer` the product.

        `chance` are `RANDOM_BYTES` random bytes.
        """
        ...

    def confirm(self, begun: Enrolled, proof: str, challenge: Challenge, now: Instant) -> Proved | Unproved:
        """End an enrolment by a first proof, which is used up by it. Arguments as in `prove`."""
        ...

    def challenge(self, enrolled: tuple[Enrolled, ...], chance: bytes, now: Instant) -> Challenge:
        """Ask for a proof of one of these, or for the first proof when there is none. `chance` as in `begin`.

        A factor whose proofs need no challenge returns an empty one.
        """
        ...

    def prove(self, enrolled: Enrolled, proof: str, challenge: Challenge, now: Instant) -> Proved | Unproved:
        """Judge a proof against one enrolled factor. `proof` is a text as the client sent it. `now` is epoch ms.

        The same proof is never right twice: the counter in `Proved` is higher than the one given, or the proof answers
        a challenge, which the caller spends before this call.
        """
        ...
