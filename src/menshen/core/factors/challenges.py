"""Make and read the challenges of passkeys. No row is kept for one until it is spent.

A challenge is 16 random bytes, its expiry, and a MAC over these and all that it is for. One that was made for another
ceremony, app, RP id, ticket or session does not verify.
(docs/contracts/factors.md section 6, docs/security/attacks.md PK-2, PK-3, TK-10, RS-8.)
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from menshen.core.factors.passkeys import CHALLENGE_LIFETIME, Ceremony
from menshen.core.keys import Key, Keyring, Use
from menshen.core.time import Instant, after

RANDOM_BYTES: Final = 16
"""Random bytes of a challenge."""

_EXPIRY_BYTES: Final = 8
_MAC_BYTES: Final = 16
LENGTH: Final = RANDOM_BYTES + _EXPIRY_BYTES + _MAC_BYTES
"""Bytes of a challenge."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Say what a challenge is for.

    `bound_to` is the ticket of a pending login, or the id of a session, or "" for a login.
    """

    ceremony: Ceremony
    app_id: int
    rp_id: str
    bound_to: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Hold what a genuine challenge says. `nonce` names it where it is spent. It may be expired."""

    nonce: str
    issued_at: Instant
    expires_at: Instant


def make_challenge(keyring: Keyring, purpose: Purpose, chance: bytes, now: Instant) -> bytes:
    """Return a challenge that is good for `CHALLENGE_LIFETIME`. `chance` are `RANDOM_BYTES` random bytes."""
    plain = chance + after(now, CHALLENGE_LIFETIME).to_bytes(_EXPIRY_BYTES)
    return plain + _mac(keyring.current, purpose, plain)


def read_challenge(keyring: Keyring, purpose: Purpose, given: bytes) -> Challenge | None:
    """Return what a challenge says. None if this server never made it for `purpose`. The caller judges its expiry.

    The MACs of all live keys are compared in constant time, so a rotation breaks no ceremony.
    """
    if len(given) != LENGTH:
        return None
    plain, mac = given[:-_MAC_BYTES], given[-_MAC_BYTES:]
    if not sum(hmac.compare_digest(_mac(key, purpose, plain), mac) for key in keyring.keys):
        return None
    expires_at = Instant(int.from_bytes(plain[RANDOM_BYTES:]))
    nonce = f"passkey {plain[:RANDOM_BYTES].hex()}"
    return Challenge(nonce, after(expires_at, -CHALLENGE_LIFETIME), expires_at)


def _mac(key: Key, purpose: Purpose, plain: bytes) -> bytes:
    made = key.mac(
        Use.PASSKEY, purpose.ceremony, str(purpose.app_id), purpose.rp_id, purpose.bound_to, plain.hex()
    )  # fmt: skip
    return made[:_MAC_BYTES]
