"""One-time codes at rest, as keyed digests. Every try is counted, whatever the caller's own story becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.one_time_codes import CodeChallenge, CodeKey, Taken
from menshen.core.time import Instant


class CodeReader(Protocol):
    """Looking."""

    async def captcha_of(self, key: CodeKey) -> bytes:
        """Digest of the captcha token the latest code was sent with, b"" for none."""
        ...

    async def was_sent(self, key: CodeKey) -> bool:
        """Whether a code, dead or not, is still remembered."""
        ...


class Codes(CodeReader, Protocol):
    """Changing. Each verb is one atomic statement."""

    async def put(self, challenge: CodeChallenge) -> None:
        """Store it; the key's older code is dead."""
        ...

    async def take(self, key: CodeKey, macs: Sequence[bytes], now: Instant) -> Taken:
        """Count this try, and spend the code if one of `macs` is its digest.

        `macs` are under the current key and older ones; only the first two are looked at: no code outlives two
        rotations. DEAD when there is no code, or it is spent, expired or out of tries; an expired one is then spent,
        whatever the clock says later. Of any number of racers holding the right code exactly one gets MATCHED.
        """
        ...

    async def verify(self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, by: bytes = b"") -> Taken:
        """As `take`, but the right code becomes verified by `by`, to be consumed later; such a code is DEAD to it."""
        ...

    async def consume(self, key: CodeKey, now: Instant, *, by: bytes = b"") -> bool:
        """Spend a code that `by` verified and that has not expired; True for exactly one of any racers."""
        ...

    async def drop(self, subject: str) -> None:
        """Kill every code of a phone or email, whatever the app and purpose."""
        ...
