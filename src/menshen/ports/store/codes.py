"""Store one-time codes as keyed digests. Every attempt stays counted, even if the caller then fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.one_time_codes import CodeChallenge, CodeKey, Taken
from menshen.core.time import Instant


class CodeReader(Protocol):
    """Read codes."""

    async def captcha_of(self, key: CodeKey) -> bytes:
        """Return the digest of the captcha token that the latest code was sent with, b"" for none."""
        ...

    async def was_sent(self, key: CodeKey) -> bool:
        """Check if a code is stored, valid or not."""
        ...


class Codes(CodeReader, Protocol):
    """Change codes. Each method is one atomic statement."""

    async def put(self, challenge: CodeChallenge) -> None:
        """Store a code. The older code of the key becomes invalid."""
        ...

    async def take(self, key: CodeKey, macs: Sequence[bytes], now: Instant) -> Taken:
        """Count this attempt, and spend the code if one of `macs` is its digest.

        `macs` are made with the current key and older ones. Only the first two are compared, because no code outlives
        two rotations. DEAD means no code, or a code that is spent, expired or out of attempts. An expired code is then
        spent, even if the clock goes back later. Of all callers with the right code exactly one gets MATCHED.
        """
        ...

    async def verify(self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, by: bytes = b"") -> Taken:
        """Compare as `take` does, but mark the right code as verified by `by`. A verified code is DEAD here.

        `consume` spends it later.
        """
        ...

    async def consume(self, key: CodeKey, now: Instant, *, by: bytes = b"") -> bool:
        """Spend a code that `by` verified and that has not expired. Exactly one of all callers gets true."""
        ...

    async def drop(self, subject: str) -> None:
        """Delete all codes of a phone or email, for all apps and purposes."""
        ...
