"""Keep pending logins and trusted devices in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.rows import (
    PENDING_FIELDS,
    TRUSTED_FIELDS,
    pending_of,
    record_row,
    trusted_of,
)
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.factors.pending import PendingLogin
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.time import Instant


class PendingLoginStatements(Statements, file="proofs/pending_logins"):
    """Declare the statements of `pending_logins.sql`."""

    make_room: Statement
    add: Statement
    find: Statement
    count_step: Statement
    refund_step: Statement
    allow_enrolment: Statement
    take: Statement
    end_all: Statement


class TrustedDeviceStatements(Statements, file="proofs/trusted_devices"):
    """Declare the statements of `trusted_devices.sql`."""

    make_room: Statement
    add: Statement
    use: Statement
    spend: Statement
    revoke_spent: Statement
    list_of: Statement
    end: Statement
    end_all: Statement


class SqlPendingLogins:
    """Implement `menshen.ports.store.proofs.pending_logins.PendingLogins` on a connection."""

    def __init__(self, run: Executor, statements: PendingLoginStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def find(self, ticket: bytes) -> PendingLogin | None:
        row = await self._run.one(self._st.find, {"ticket": ticket})
        return pending_of(row) if row else None

    async def add(self, pending: PendingLogin, *, most: int) -> None:
        room = {"account_number": pending.account_number, "network": pending.network, "now": pending.created_at}
        await self._run.run(self._st.make_room, {**room, "others": most - 1})
        await self._run.run(self._st.add, record_row(pending, PENDING_FIELDS))

    async def count_step(self, ticket: bytes, now: Instant, *, most: int) -> int | None:
        row = await self._run.one(self._st.count_step, {"ticket": ticket, "now": now, "most": most})
        return row[0] if row else None

    async def refund_step(self, ticket: bytes) -> None:
        await self._run.run(self._st.refund_step, {"ticket": ticket})

    async def allow_enrolment(self, ticket: bytes) -> bool:
        return await self._run.run(self._st.allow_enrolment, {"ticket": ticket}) == 1

    async def take(self, ticket: bytes, now: Instant) -> PendingLogin | None:
        row = await self._run.one(self._st.take, {"ticket": ticket, "now": now})
        return pending_of(row) if row else None

    async def end_all(self, account_number: int) -> int:
        return await self._run.run(self._st.end_all, {"account_number": account_number})


class SqlTrustedDevices:
    """Implement `menshen.ports.store.proofs.trusted_devices.TrustedDevices` on a connection."""

    def __init__(self, run: Executor, statements: TrustedDeviceStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def list_of(self, account_number: int, now: Instant) -> Sequence[TrustedDevice]:
        rows = await self._run.all(self._st.list_of, {"account_number": account_number, "now": now})
        return [trusted_of(row) for row in rows]

    async def add(self, device: TrustedDevice, token: bytes, *, most: int) -> None:
        room = {"account_number": device.account_number, "now": device.created_at, "others": most - 1}
        await self._run.run(self._st.make_room, room)
        await self._run.run(self._st.add, {**record_row(device, TRUSTED_FIELDS), "digest": token})

    async def use(
        self, token: bytes, new_token: bytes, *, account_number: int, app_id: int, device: bytes, now: Instant
    ) -> TrustedDevice | None:
        values = {
            "digest": token,
            "new_digest": new_token,
            "account_number": account_number,
            "app_id": app_id,
            "device": device,
            "now": now,
        }
        row = await self._run.one(self._st.use, values)
        if row is None:
            return None
        used = trusted_of(row)
        spent = {"digest": token, "trust_id": used.trust_id, "expires_at": used.expires_at}
        await self._run.run(self._st.spend, spent)
        return used

    async def revoke_spent(self, token: bytes) -> tuple[str, int] | None:
        row = await self._run.one(self._st.revoke_spent, {"digest": token})
        return (row[0], row[1]) if row else None

    async def end(self, trust_id: str, account_number: int) -> bool:
        values = {"trust_id": trust_id, "account_number": account_number}
        return await self._run.run(self._st.end, values) == 1

    async def end_all(self, account_number: int) -> int:
        return await self._run.run(self._st.end_all, {"account_number": account_number})
