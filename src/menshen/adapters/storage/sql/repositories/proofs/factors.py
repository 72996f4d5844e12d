"""Keep the factors of plug-ins and recovery codes in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.time import Instant
from menshen.ports.store.proofs.factors import StoredFactor


class FactorStatements(Statements, file="proofs/factors"):
    """Declare the statements of `factors.sql`."""

    list_of: Statement
    find: Statement
    begin: Statement
    confirm: Statement
    advance: Statement
    remove: Statement
    remove_all: Statement


class RecoveryCodeStatements(Statements, file="proofs/recovery_codes"):
    """Declare the statements of `recovery_codes.sql`."""

    add: Statement
    spend: Statement
    left: Statement
    holds: Statement
    remove_all: Statement


class SqlFactors:
    """Implement `menshen.ports.store.proofs.factors.FactorRows` on a connection."""

    def __init__(self, run: Executor, statements: FactorStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def find(self, account_number: int, kind: str) -> StoredFactor | None:
        row = await self._run.one(self._st.find, {"account_number": account_number, "kind": kind})
        return _factor_of(row) if row else None

    async def list_of(self, account_number: int) -> Sequence[StoredFactor]:
        return [_factor_of(row) for row in await self._run.all(self._st.list_of, {"account_number": account_number})]

    async def begin(self, account_number: int, kind: str, sealed: bytes, until: Instant) -> None:
        values = {"account_number": account_number, "kind": kind, "begun": sealed, "until": until}
        await self._run.run(self._st.begin, values)

    async def confirm(self, account_number: int, kind: str, begun: bytes, *, counter: int, now: Instant) -> bool:
        values = {"account_number": account_number, "kind": kind, "begun": begun, "counter": counter, "now": now}
        return await self._run.run(self._st.confirm, values) == 1

    async def advance(self, account_number: int, kind: str, sealed: bytes, *, counter: int, now: Instant) -> bool:
        values = {"account_number": account_number, "kind": kind, "sealed": sealed, "counter": counter, "now": now}
        return await self._run.run(self._st.advance, values) == 1

    async def remove(self, account_number: int, kind: str) -> bool:
        return await self._run.run(self._st.remove, {"account_number": account_number, "kind": kind}) == 1

    async def remove_all(self, account_number: int) -> int:
        return await self._run.run(self._st.remove_all, {"account_number": account_number})


def _factor_of(row: Sequence[Any]) -> StoredFactor:
    kind, sealed, counter, confirmed_at, used_at, begun, begun_until = row
    return StoredFactor(kind, bytes(sealed or b""), counter, confirmed_at, used_at, bytes(begun or b""), begun_until)


class SqlRecoveryCodes:
    """Implement `menshen.ports.store.proofs.recovery_codes.RecoveryCodeRows` on a connection."""

    def __init__(self, run: Executor, statements: RecoveryCodeStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def left(self, account_number: int) -> int:
        row = await self._run.one(self._st.left, {"account_number": account_number})
        return int(row[0]) if row else 0

    async def holds(self, account_number: int, mac: bytes) -> bool:
        return await self._run.one(self._st.holds, {"account_number": account_number, "mac": mac}) is not None

    async def replace(self, account_number: int, macs: Sequence[bytes], now: Instant) -> None:
        await self.remove_all(account_number)
        await self._run.many(self._st.add, [{"account_number": account_number, "mac": mac, "now": now} for mac in macs])

    async def spend(self, account_number: int, mac: bytes, now: Instant) -> bool:
        return await self._run.run(self._st.spend, {"account_number": account_number, "mac": mac, "now": now}) == 1

    async def remove_all(self, account_number: int) -> None:
        await self._run.run(self._st.remove_all, {"account_number": account_number})
