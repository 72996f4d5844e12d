"""Captcha passes, spent challenges and drawn images at rest. Digests only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.one_time_codes import Taken
from menshen.core.gates.captcha import Action
from menshen.core.time import Instant


class Captchas(Protocol):
    """Each verb is one atomic statement."""

    async def spend_nonce(self, nonce: str, expires_at: Instant) -> bool:
        """Note what is good once (a solved challenge, a device's sign); True for exactly one of any racers, ever.

        "Ever" ends some time past `expires_at`, from when it must be refused for its age.
        """
        ...

    async def add_pass(
        self, token: bytes, app_id: int, network: str, expires_at: Instant, *, difficulty: int = 1
    ) -> None:
        """Store a pass by the digest of its token, with the difficulty of the test that earned it."""
        ...

    async def spend_pass(
        self, token: bytes, action: Action, app_id: int, network: str, now: Instant, *, difficulty: int = 1
    ) -> bool:
        """Spend it on one action; True once per action, for its own app and network, until it expires.

        One that was earned by an easier test than `difficulty` is not spent.
        """
        ...

    async def open_image(self, ticket: bytes, app_id: int, expires_at: Instant) -> None:
        """Open an image captcha under the digest of its session id."""
        ...

    async def set_answer(self, ticket: bytes, answer: bytes, now: Instant, expires_at: Instant) -> bool:
        """Note the answer's keyed digest of a newly drawn image; False when the ticket is unknown or expired.

        Whoever holds the ticket may draw: the address of a picture names no app.
        """
        ...

    async def answer(self, ticket: bytes, app_id: int, macs: Sequence[bytes], now: Instant) -> Taken:
        """The one try: MATCHED, WRONG, or DEAD when unknown, expired, never drawn or tried before.

        Of `macs` (the current key first) the first two are looked at.
        """
        ...
