"""Define passkeys, and what a browser is asked for. (WebAuthn Level 3; docs/contracts/factors.md section 6.)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from menshen.core.factors.proofs import Method, Proof
from menshen.core.time import NEVER, SECOND, Instant

CHALLENGE_LIFETIME: Final = 300 * SECOND
"""Lifetime of a challenge (ms)."""

MOST: Final = 20
"""Most passkeys of an account."""

HANDLE_BYTES: Final = 32
"""Bytes of the random user handle of an account."""


class Ceremony(StrEnum):
    """Name what a challenge is for. A challenge of one is good for no other."""

    LOGIN = "login"
    STEP = "step"
    PROVE = "prove"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class Passkey:
    """Hold a registered credential.

    `credential` is its id as WebAuthn's raw bytes, unique over all accounts. `public_key` is its COSE key. `counter` is
    the signature counter. `synced` is the flag BE, which never changes, and `backed_up` the flag BS. A `step_only` key
    cannot log in alone: it verified no user, or it is not discoverable. `used_at` is 0 before its first use.
    """

    passkey_id: str
    account_number: int
    credential: bytes
    public_key: bytes = field(repr=False)
    rp_id: str
    name: str
    counter: int
    synced: bool
    backed_up: bool
    step_only: bool
    transports: str
    created_at: Instant
    used_at: Instant = NEVER


@dataclass(frozen=True, slots=True)
class Site:
    """Say where passkeys are used: the RP id, and the exact origins whose pages may use them.

    `embedders` are origins of pages that may show those pages in a frame.
    """

    rp_id: str
    origins: frozenset[str]
    embedders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PasskeySites:
    """Hold what the settings say of `Site`. Without an `rp_id`, it is the host of the request, with its origin."""

    rp_id: str = ""
    origins: tuple[str, ...] = ()
    embedders: tuple[str, ...] = ()

    def site_of(self, origin: str) -> Site:
        """Return the site of a request that names this server by `origin` ("https://login.example:8443")."""
        host = urlsplit(origin).hostname or ""
        own = (origin,) if origin else ()
        return Site(self.rp_id or host, frozenset(self.origins or own), frozenset(self.embedders))


def is_under(origin: str, rp_id: str) -> bool:
    """Return whether an origin is of the domain of an RP id, or of a domain below it."""
    host = urlsplit(origin).hostname or ""
    return host == rp_id or host.endswith(f".{rp_id}")


@dataclass(frozen=True, slots=True)
class Attested:
    """Hold what a registration proved, and the RP id that it is for."""

    rp_id: str
    credential: bytes
    public_key: bytes = field(repr=False)
    counter: int
    synced: bool
    backed_up: bool
    verified_user: bool
    discoverable: bool
    transports: str


@dataclass(frozen=True, slots=True)
class Asserted:
    """Hold what a signature proved. The caller compares the counter, and what never changes."""

    counter: int
    synced: bool
    backed_up: bool
    verified_user: bool


@dataclass(frozen=True, slots=True)
class Presented:
    """Hold the parts of a credential's answer that are read before its signature is judged."""

    credential: bytes
    challenge: bytes
    handle: bytes = field(repr=False)
    """The user handle, b"" for none."""


@dataclass(frozen=True, slots=True)
class PublicKeyOptions:
    """Hold the options that a page gives to the browser, as JSON of WebAuthn Level 3."""

    options: Mapping[str, Any] = field(repr=False)


def proof_by(passkey: Passkey, asserted: Asserted) -> Proof:
    """Return what a right answer of a passkey proves."""
    key = Method.SYNCED_KEY if passkey.synced else Method.DEVICE_KEY
    return Proof((key, Method.USER), 2) if asserted.verified_user else Proof((key,))


def is_clone_suspected(passkey: Passkey, asserted: Asserted) -> bool:
    """Return whether the counter did not rise although this key counts. The copy of a synced key is no theft."""
    counts = asserted.counter > 0 or passkey.counter > 0
    return counts and asserted.counter <= passkey.counter
