"""Keep known devices in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.sessions.devices import SeenDevice
from menshen.core.time import Instant


class DeviceStatements(Statements, file="devices"):
    """Declare the statements of `devices.sql`."""

    known: Statement
    remember: Statement
    forget_oldest: Statement
    list_of: Statement
    forget_all: Statement


class SqlDevices:
    """Implement `menshen.ports.store.devices.Devices` on a connection."""

    def __init__(self, run: Executor, statements: DeviceStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def known(self, account_number: int, device: bytes) -> bool:
        values = {"account_number": account_number, "device": device}
        return await self._run.one(self._st.known, values) is not None

    async def remember(self, account_number: int, device: bytes, now: Instant) -> None:
        values = {"account_number": account_number, "device": device, "now": now}
        row = await self._run.one(self._st.remember, values)
        # Only one that was not there before can be one too many.
        if row is None or row[0] == now:
            await self._run.run(self._st.forget_oldest, {"account_number": account_number})

    async def list_of(self, account_number: int) -> Sequence[SeenDevice]:
        rows = await self._run.all(self._st.list_of, {"account_number": account_number})
        return [SeenDevice(row[0], row[1]) for row in rows]

    async def forget_all(self, account_number: int) -> None:
        await self._run.run(self._st.forget_all, {"account_number": account_number})
