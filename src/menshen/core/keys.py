"""Hold the secrets of the installation, and derive keys from them.

Keys are in `keys.toml`, outside the database, so a dump of the database is not enough to log in. The first key makes
new values. The other keys still verify older values, so a rotation ends no session.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from menshen.core.tokens import base32


class Use(StrEnum):
    """Name the uses of derived keys. A value of one use never verifies for another use."""

    CODE = "one-time-code"
    """HMAC-SHA256. Digests of one-time codes. It seals nothing and names no counter."""

    CSRF = "csrf"
    """HMAC-SHA256, cut to 128 bits. The CSRF value of a session. It ends with the session."""

    CAPTCHA = "captcha"
    """HMAC-SHA256. Issued captchas. It proves nothing about a person."""

    COUNTER = "counter"
    """HMAC-SHA256 with the key `[index]`. Names of counters. Never rotated: a new key would reset all counters."""

    SUCCESSOR = "successor"
    """HMAC-SHA256. Keys that seal a new pair of tokens under the spent pair. The key alone opens none."""

    HANDOVER = "handover"
    """HMAC-SHA256, cut to 128 bits. Numbers of tries to hand over a message. It proves nothing."""

    PASSKEY = "passkey"
    """HMAC-SHA256, cut to 128 bits. Challenges of passkeys. Each is spent once, and proves nothing alone."""

    RECOVERY = "recovery"
    """HMAC-SHA256 with the key `[index]`. Recovery codes, bound to their account. Never rotated: people keep them."""

    STEP = "step"
    """HMAC-SHA256, cut to 128 bits. The cookie that binds the ticket of a pending login to a browser."""

    RECEIPTS = "receipts"
    """HMAC-SHA256 with the key `[index]`, cut to 160 bits. The secret in the address of a sender's receipts.
    Never rotated: vendors keep the address. It opens nothing but the notes on messages."""

    PAGE = "page"
    """HMAC-SHA256, cut to 128 bits. The value in each form of a page, and what a browser keeps between two pages.
    It proves nothing about a person."""

    LINK = "link"
    """HMAC-SHA256, cut to 128 bits. The secret in the link of a notice. It is good once, and its digest is kept."""

    SEAL = "seal"
    """XChaCha20-Poly1305. App secrets and messages, which the server must decrypt later. It makes no digest."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """Hold one secret of at least 32 bytes, with its id."""

    key_id: str
    secret: bytes

    def derive(self, use: Use) -> bytes:
        """Derive a 32-byte key for one use."""
        return _derived(self.secret, use)

    def mac(self, use: Use, *parts: str) -> bytes:
        """Compute the HMAC-SHA256 of `parts`. Length prefixes keep two lists from colliding."""
        message = b"".join(len(raw).to_bytes(4) + raw for raw in (p.encode("utf-8", "surrogatepass") for p in parts))
        return hmac.digest(self.derive(use), message, "sha256")

    def __repr__(self) -> str:
        """Show only the id, because a repr may be written to a log."""
        return f"Key({self.key_id!r})"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Hold all keys. `keys[0]` makes new values, and all keys verify.

    `index` names counters. It is never rotated, because a new key would reset all counters and end all locks.
    """

    keys: tuple[Key, ...]
    index: Key

    @property
    def current(self) -> Key:
        """Return the key that makes new values."""
        return self.keys[0]

    def mac(self, use: Use, *parts: str) -> bytes:
        """Compute the HMAC-SHA256 of `parts` with the current key."""
        return self.current.mac(use, *parts)

    def macs(self, use: Use, *parts: str) -> tuple[bytes, ...]:
        """Compute the HMAC-SHA256 of `parts` with every key that still verifies. The current key is first."""
        return tuple(key.mac(use, *parts) for key in self.keys)

    def counter_key(self, *parts: str) -> bytes:
        """Return the database key of a counter. It does not reveal the account, network or device that is counted."""
        return self.index.mac(Use.COUNTER, *parts)

    def receipt_secret(self, sender: str) -> str:
        """Return the 32 characters in the address to which the vendor of a sender pushes receipts."""
        return base32(self.index.mac(Use.RECEIPTS, sender)[:20])

    def step_cookie(self, ticket: str) -> str:
        """Return the value of the cookie that binds a ticket to a browser. It has 26 characters, and is not stored."""
        return base32(self.mac(Use.STEP, ticket)[:16])

    def step_cookie_fits(self, ticket: str, presented: str) -> bool:
        """Return whether `presented` is that value under any live key. Compares in constant time."""
        return _is_one_of(presented, self.macs(Use.STEP, ticket))

    def csrf(self, session_id: str) -> str:
        """Return the CSRF value of a session. It has 26 characters, is bound to the session, and is not stored."""
        return base32(self.mac(Use.CSRF, session_id)[:16])

    def csrf_fits(self, session_id: str, presented: str) -> bool:
        """Return whether `presented` is the CSRF value of the session under any live key. Compares in constant time."""
        return _is_one_of(presented, self.macs(Use.CSRF, session_id))

    def page_value(self, *parts: str) -> str:
        """Return the value that binds a form, or what a browser keeps, to its parts. It has 26 characters."""
        return base32(self.mac(Use.PAGE, *parts)[:16])

    def page_value_fits(self, presented: str, *parts: str) -> bool:
        """Return whether `presented` is that value under any live key. Compares in constant time."""
        return _is_one_of(presented, self.macs(Use.PAGE, *parts))


def _is_one_of(presented: str, macs: tuple[bytes, ...]) -> bool:
    """Return whether `presented` is the spelling of one of these, cut to 128 bits."""
    given = presented.encode("utf-8", "surrogatepass")
    wanted = (base32(made[:16]).encode() for made in macs)
    # Every key is compared, so that the time does not reveal which key matches.
    return sum(hmac.compare_digest(given, value) for value in wanted) > 0


@lru_cache(maxsize=64)
def _derived(secret: bytes, use: Use) -> bytes:
    return hashlib.blake2b(use.value.encode(), key=secret[:64], digest_size=32).digest()
