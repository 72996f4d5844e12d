"""Keep counters and quotas in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.gates.limits import Claim, Count, Hit
from menshen.core.time import CLOCKS_APART, Instant, seconds_until

_ANY = 2**62
"""More tries than any client makes."""


_PARTS = b"\xff" * 33
"""Sorts behind each part of a counter: a part's key has 32 bytes more."""


class CounterStatements(Statements, file="counters"):
    """Declare the statements of `counters.sql`."""

    hit: Statement
    forget: Statement
    forget_parts: Statement
    forgive: Statement
    peek: Statement
    uses_since: Statement
    use_after_skipping: Statement
    use: Statement


class SqlCounters:
    """Implement `menshen.ports.store.counters.Counters` on a connection."""

    def __init__(self, run: Executor, statements: CounterStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def hit(self, hits: Sequence[Hit], now: Instant) -> Sequence[Count]:
        # In one order always, so that two transactions never wait for each other.
        ordered = sorted(hits, key=lambda h: h.key)
        values = [
            {
                "key": hit.key,
                "now": now,
                "latest": now + CLOCKS_APART,
                "window": hit.window,
                "idle": int(hit.idle),
                "cap": hit.cap,
            }
            for hit in ordered
        ]
        rows = await self._run.many(self._st.hit, values)
        counts = {hit.key: Count(row[0], row[1], hit.window) for hit, row in zip(ordered, rows, strict=True)}
        return [counts[hit.key] for hit in hits]

    async def forgive(self, keys: Sequence[bytes]) -> None:
        await self.clear((), forgive=keys)

    async def clear(self, keys: Sequence[bytes], *, forgive: Sequence[bytes] = ()) -> None:
        last = set(forgive).difference(keys)
        together: list[dict[str, object]] = []
        gone: list[Sequence[Any]] = []
        for key in sorted({*keys, *forgive}):
            together.append({"key": key, "most_tries": 1 if key in last else _ANY})
            if key in last:
                # A row that stays is locked by its own statement, before any key behind it is.
                gone += await self._run.many(self._st.forget, together)
                if not gone or bytes(gone[-1][0]) != key:
                    await self._run.run(self._st.forgive, {"key": key})
                together = []
        if together:
            gone += await self._run.many(self._st.forget, together)
        # Only a counter with more than this attempt has parts. They come last, as where they are counted.
        for key, tries in gone:
            if tries > 1:
                await self._run.run(self._st.forget_parts, {"key": key, "last": bytes(key) + _PARTS})

    async def uses(self, key: bytes, window: int, now: Instant) -> int:
        row = await self._run.one(self._st.uses_since, _recent(key, window, now))
        return int(row[0]) if row else 0

    async def peek(self, key: bytes, now: Instant) -> int:
        row = await self._run.one(self._st.peek, {"key": key, "now": now, "latest": now + CLOCKS_APART})
        return row[0] if row else 0

    async def charge(self, claims: Sequence[Claim], now: Instant, *, kept: Sequence[Claim] = ()) -> int | None:
        waits: dict[bytes, int] = {}
        for claim in sorted((*kept, *claims), key=lambda c: c.key):
            if claim.key not in waits:
                waits[claim.key] = await self._wait_for(claim, now)
        for several in (kept, claims):
            if several and not any(waits[claim.key] for claim in several):
                for claim in several:
                    await self._run.run(self._st.use, {"key": claim.key, "at": now, "expires_at": now + claim.window})
                return None
        # It may be tried again when one of the two has room.
        return min((max(waits[claim.key] for claim in several) for several in (kept, claims) if several), default=None)

    async def _wait_for(self, claim: Claim, now: Instant) -> int:
        """Lock the quota, and return the seconds until it has room, 0 if it has."""
        await self._run.claim(claim.key)
        used = await self.uses(claim.key, claim.window, now)
        if used < claim.most:
            return 0
        # One more is admitted when all but `most` - 1 of them have passed.
        row = await self._run.one(
            self._st.use_after_skipping, {**_recent(claim.key, claim.window, now), "skip": used - claim.most}
        )
        return seconds_until((row[0] if row else now) + claim.window, now)


def _recent(key: bytes, window: int, now: Instant) -> dict[str, Any]:
    return {"key": key, "after": now - window, "latest": now + CLOCKS_APART}
