"""The installation's secrets and what is derived from them.

Keys live in `keys.toml`, outside the database, so that a dump of the database logs nobody in. The first
key makes new values; the others still verify, which is how rotation logs nobody out.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from menshen.core.tokens import base32


class Use(StrEnum):
    """What a derived key is for: values of one use never verify as another."""

    CODE = "one-time-code"
    """HMAC-SHA256. Digests of one-time codes. It seals nothing and names no counter."""

    CSRF = "csrf"
    """HMAC-SHA256, 128 bits of it. The CSRF value of a session. It ends with the session."""

    CAPTCHA = "captcha"
    """HMAC-SHA256. Captchas that were handed out. It proves nothing about a person."""

    COUNTER = "counter"
    """HMAC-SHA256 with the key `[index]`. Names of counters. It is never rotated: a new key lifts every lock."""

    SEAL = "seal"
    """XChaCha20-Poly1305. App secrets and messages, which must be read again. It makes no digest."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One secret of at least 32 bytes, under an id."""

    key_id: str
    secret: bytes

    def derive(self, use: Use) -> bytes:
        """A 32-byte key for one use."""
        return _derived(self.secret, use)

    def __repr__(self) -> str:
        """The id only: a repr may end up in a log."""
        return f"Key({self.key_id!r})"


@dataclass(frozen=True, slots=True)
class Keyring:
    """`keys[0]` makes, all verify. `index` names counters and is never rotated: a new one would lift every lock."""

    keys: tuple[Key, ...]
    index: Key

    @property
    def current(self) -> Key:
        """The key that makes new values."""
        return self.keys[0]

    def mac(self, use: Use, *parts: str) -> bytes:
        """HMAC-SHA256 of `parts` (length-prefixed, so no two lists collide) under the current key."""
        return _mac(self.current, use, parts)

    def macs(self, use: Use, *parts: str) -> tuple[bytes, ...]:
        """The same under every key that still verifies, the current one first."""
        return tuple(_mac(key, use, parts) for key in self.keys)

    def counter_key(self, *parts: str) -> bytes:
        """The database key of a counter: it says nothing about whom it counts."""
        return _mac(self.index, Use.COUNTER, parts)

    def csrf(self, session_id: str) -> str:
        """The CSRF value of a session: 26 characters, bound to it, stored nowhere."""
        return base32(self.mac(Use.CSRF, session_id)[:16])

    def csrf_fits(self, session_id: str, presented: str) -> bool:
        """Whether `presented` is the session's value, in constant time, under any live key."""
        given = presented.encode("utf-8", "surrogatepass")
        wanted = (base32(made[:16]).encode() for made in self.macs(Use.CSRF, session_id))
        # Every key is compared, so that time does not tell which one fits.
        return sum(hmac.compare_digest(given, value) for value in wanted) > 0


@lru_cache(maxsize=64)
def _derived(secret: bytes, use: Use) -> bytes:
    return hashlib.blake2b(use.value.encode(), key=secret[:64], digest_size=32).digest()


def _mac(key: Key, use: Use, parts: tuple[str, ...]) -> bytes:
    message = b"".join(len(raw).to_bytes(4) + raw for raw in (p.encode("utf-8", "surrogatepass") for p in parts))
    return hmac.digest(key.derive(use), message, "sha256")
