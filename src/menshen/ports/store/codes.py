"""Store one-time codes as keyed digests. Every attempt stays counted, even if the caller then fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.codes.one_time_codes import CodeChallenge, CodeKey, SentCode, Taken
from menshen.core.time import Instant


class CodeReader(Protocol):
    """Read codes."""

    async def find(self, key: CodeKey, now: Instant, *, asker: bytes = b"") -> SentCode | None:
        """Return what the latest code is to the network `asker`, valid or not. None if no code is stored."""
        ...


class Codes(CodeReader, Protocol):
    """Change codes. Each method is one atomic statement."""

    async def put(self, challenge: CodeChallenge) -> None:
        """Store a code. The older code of the key becomes invalid."""
        ...

    async def take(self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, asker: bytes = b"") -> Taken:
        """Count this attempt of the network `asker`, and spend the code if one of `macs` is its digest.

        `macs` are made with the current key and older ones. Only the first two are compared, because no code outlives
        two rotations. DEAD means no code, or a code that is spent, expired or out of attempts. It is out of attempts
        sooner for a network that did not ask for it. An expired code is then spent, even if the clock goes back later.
        Of all callers with the right code exactly one gets MATCHED.
        """
        ...

    async def verify(
        self, key: CodeKey, macs: Sequence[bytes], now: Instant, *, by: bytes = b"", asker: bytes = b""
    ) -> Taken:
        """Compare as `take` does, but mark the right code as verified by `by`. A verified code is DEAD here.

        `consume` spends it later.
        """
        ...

    async def consume(self, key: CodeKey, now: Instant, *, by: bytes = b"") -> bool:
        """Spend a code that `by` verified and that has not expired. Exactly one of all callers gets true."""
        ...

    async def stands(self, key: CodeKey) -> bool:
        """Check if a code that was just spent may still grant something. Changes of its account delete it.

        A newer code of the key does not hinder it: else a stranger who asks for one would.
        """
        ...

    async def drop(self, subject: str) -> None:
        """Delete all codes of a phone or email, for all apps and purposes."""
        ...
