"""Store captcha passes, spent challenges and image captchas, as digests only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.one_time_codes import Taken
from menshen.core.gates.captcha import Action
from menshen.core.time import Instant


class Captchas(Protocol):
    """Change captchas. Each method is one atomic statement."""

    async def spend_nonce(self, nonce: str, expires_at: Instant) -> bool:
        """Spend a value that is valid once (a solved challenge, a device's sign). Exactly one of all callers gets true.

        The value is remembered until some time after `expires_at`. From `expires_at` on it must be refused for its age.
        """
        ...

    async def spend_challenge(self, nonce: str, issued_at: Instant, expires_at: Instant) -> bool:
        """Spend a challenge as `spend_nonce` does. One in whose life the epoch was raised gives false."""
        ...

    async def add_pass(
        self, token: bytes, app_id: int, network: str, expires_at: Instant, *, difficulty: int = 1
    ) -> None:
        """Store a pass by the digest of its token, with the difficulty of the solved test."""
        ...

    async def spend_pass(
        self, token: bytes, action: Action, app_id: int, network: str, now: Instant, *, difficulty: int = 1
    ) -> bool:
        """Spend a pass on one action. It gives true once per action, for its own app and network, until it expires.

        A pass of an easier test than `difficulty` is not spent.
        """
        ...

    async def open_image(self, ticket: bytes, app_id: int, expires_at: Instant) -> None:
        """Store an image captcha under the digest of its session id."""
        ...

    async def set_answer(self, ticket: bytes, answer: bytes, now: Instant, expires_at: Instant) -> bool:
        """Store the keyed digest of a new image's solution. Return false if the ticket is unknown or expired.

        Every holder of the ticket may draw an image, because the image's URL names no app.
        """
        ...

    async def answer(self, ticket: bytes, app_id: int, macs: Sequence[bytes], now: Instant) -> Taken:
        """Use the only attempt: MATCHED, WRONG, or DEAD if unknown, expired, never drawn or already tried.

        Only the first two of `macs` are compared. The current key comes first.
        """
        ...
