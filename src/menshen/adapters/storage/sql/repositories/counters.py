"""Keep counters and quotas in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.gates.limits import Claim, Count, Hit
from menshen.core.time import Instant, seconds_until

_ANY = 2**62
"""More tries than any client makes."""


class CounterStatements(Statements, file="counters"):
    """Declare the statements of `counters.sql`."""

    hit: Statement
    forget: Statement
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
        for key in sorted({*keys, *forgive}):
            together.append({"key": key, "most_tries": 1 if key in last else _ANY})
            if key in last:
                # A row that stays is locked by its own statement, before any key behind it is.
                gone = await self._run.many(self._st.forget, together)
                if not gone or bytes(gone[-1][0]) != key:
                    await self._run.run(self._st.forgive, {"key": key})
                together = []
        if together:
            await self._run.many(self._st.forget, together)

    async def peek(self, key: bytes, now: Instant) -> int:
        row = await self._run.one(self._st.peek, {"key": key, "now": now})
        return row[0] if row else 0

    async def charge(self, claims: Sequence[Claim], now: Instant) -> int | None:
        wait: int | None = None
        for claim in sorted(claims, key=lambda c: c.key):
            await self._run.claim(claim.key)
            recent = {"key": claim.key, "after": now - claim.window}
            row = await self._run.one(self._st.uses_since, recent)
            used = row[0] if row else 0
            if used >= claim.most:
                # One more is admitted when all but `most` - 1 of them have passed.
                row = await self._run.one(self._st.use_after_skipping, {**recent, "skip": used - claim.most})
                wait = max(wait or 0, seconds_until((row[0] if row else now) + claim.window, now))
        if wait is None:
            for claim in claims:
                await self._run.run(self._st.use, {"key": claim.key, "at": now, "expires_at": now + claim.window})
        return wait
