"""Define login through another provider: the address for the browser, and the identity that comes back.

A provider knows no store. The caller keeps a row for each round trip: it makes the state, keeps its digest, seals what
is to be remembered, and spends the row before `finish` is called. So a callback that comes twice reaches no provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from menshen.core.time import NEVER, Instant
from menshen.ports.outward import NotReached, Unknown

LONGEST_SUBJECT: Final = 255
"""Characters of a subject. Subjects compare byte for byte."""

RANDOM_BYTES: Final = 64
"""Bytes of chance that a provider gets for one round trip."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Hold what the caller fixes for one round trip.

    `state` is a random text that the provider must give back. `callback` is the https address that the browser comes
    back to: each provider has one of its own. `fresh` asks the provider to have the person prove themselves again.
    """

    state: str = field(repr=False)
    callback: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """Hold the `address` to send the browser to, and what the caller must keep until the browser comes back.

    `remembered` holds secrets (a nonce, a PKCE verifier): the caller keeps it sealed, and gives it to `finish`.
    """

    address: str = field(repr=False)
    remembered: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Identify a person to a provider.

    `provider` names the authority that gives subjects, not our registration with it. (`provider`, `subject`) is the key
    of a link. `union_id` is a second key of the same person over several registrations, "" for none.
    `phone` (E.164) and `email` are proved by the provider, "" for none; no login follows from an email.
    `nickname` and `picture` are suggestions: `core.account.profiles` judges them.
    `proved_at` is when the person proved themselves there, NEVER if unknown.
    `methods` are the ways of that proof in the words of RFC 8176.
    """

    provider: str
    subject: str = field(repr=False)
    union_id: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    nickname: str = field(default="", repr=False)
    picture: str = field(default="", repr=False)
    proved_at: Instant = NEVER
    methods: tuple[str, ...] = ()


class RefusalReason(StrEnum):
    """Say why a round trip ended without an identity."""

    CANCELLED = "cancelled"
    """The person said no at the provider: back to the login page."""
    MISMATCH = "mismatch"
    """State, issuer, nonce or audience are not those of this round trip: it was mixed with another, or forged."""
    CODE_INVALID = "code_invalid"
    """The provider does not know the code, or it was used before."""
    PERSON_REFUSED = "person_refused"
    """The provider holds this person for a risk, or gives out a made-up identity."""
    MISCONFIGURED = "misconfigured"
    """The provider refuses our own id, secret or callback: the operator must get a notice."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Report no identity. `word` is the provider's own word for the log, from a list in code, "" for none."""

    reason: RefusalReason
    word: str = ""


Finished = Identity | Refusal | NotReached | Unknown
"""How a round trip ends. `NotReached` and `Unknown` say that the provider gave no verdict."""


class IdentityProvider(Protocol):
    """Define a provider. Its type is one file in `menshen.adapters.federation`.

    `HOSTS` of the module names every host that it sends a browser to, or calls. No setting and no answer changes them.
    """

    def start(self, trip: RoundTrip, chance: bytes) -> Started:
        """Begin a round trip. `chance` are `RANDOM_BYTES` random bytes, used for this round trip alone."""
        ...

    async def finish(self, trip: RoundTrip, remembered: str, callback: Mapping[str, str], now: Instant) -> Finished:
        """End a round trip: check the callback, ask the provider for the identity, and check the identity.

        `trip` and `remembered` are those of `start`. `callback` are the parameters that came back. The caller leaves
        out a name that came twice. `now` is epoch ms. The call raises nothing, for any callback and any answer.
        The provider is not asked when the callback does not belong to this round trip.
        """
        ...
