"""Define the results of use cases about second factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.time import NEVER, Instant


@dataclass(frozen=True, slots=True)
class EnrolledFactor:
    """Describe a factor of a plug-in that an account has, without its secret."""

    kind: str
    created_at: Instant
    used_at: Instant = NEVER


@dataclass(frozen=True, slots=True)
class Holdings:
    """Hold what an account has beside its first proof, without a secret. `codes_left` counts unused recovery codes."""

    factors: Sequence[EnrolledFactor]
    passkeys: Sequence[Passkey]
    codes_left: int
    trusted: Sequence[TrustedDevice]

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.factors or self.passkeys or self.codes_left or self.trusted)


@dataclass(frozen=True, slots=True)
class FactorList:
    """Hold all that an account has beside its first proof. `codes_left` counts unused recovery codes.

    `allowed` are the kinds that this app lets people enrol. `required`: the app asks this account for two proofs.
    `level` is that of the session. `prove_with` are the methods that prove identity for a change of factors, and
    `fresh_until` is until when that is proved, 0 for not now.
    """

    second_step: bool
    factors: Sequence[EnrolledFactor]
    passkeys: Sequence[Passkey]
    codes_left: int
    trusted: Sequence[TrustedDevice]
    allowed: Sequence[str]
    required: bool
    level: int = 1
    prove_with: Sequence[str] = ()
    fresh_until: Instant = NEVER


@dataclass(frozen=True, slots=True)
class Begun:
    """Hold an enrolment that a first proof must confirm. `shown` is shown once."""

    shown: Mapping[str, str] = field(repr=False)
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Hold a new factor. `recovery_codes` are shown once; () where the account has a set already."""

    passkey: Passkey | None = None
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Hold a new set of recovery codes. They are shown once."""

    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Say where a code went: the masked phone."""

    masked: str
