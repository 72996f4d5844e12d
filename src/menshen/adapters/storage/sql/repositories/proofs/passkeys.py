"""Keep passkeys in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.rows import PASSKEY_FIELDS, passkey_of, record_row
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.factors.passkeys import Passkey
from menshen.core.time import Instant


class PasskeyStatements(Statements, file="proofs/passkeys"):
    """Declare the statements of `passkeys.sql`."""

    find: Statement
    list_of: Statement
    add: Statement
    use: Statement
    rename: Statement
    remove: Statement
    remove_all: Statement
    handle_of: Statement
    keep_handle: Statement
    forget_handle: Statement
    rp_ids: Statement


class SqlPasskeys:
    """Implement `menshen.ports.store.proofs.passkeys.Passkeys` on a connection."""

    def __init__(self, run: Executor, statements: PasskeyStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def find(self, credential: bytes) -> Passkey | None:
        row = await self._run.one(self._st.find, {"credential": credential})
        return passkey_of(row) if row else None

    async def list_of(self, account_number: int) -> Sequence[Passkey]:
        return [passkey_of(row) for row in await self._run.all(self._st.list_of, {"account_number": account_number})]

    async def handle_of(self, account_number: int) -> bytes:
        row = await self._run.one(self._st.handle_of, {"account_number": account_number})
        return bytes(row[0]) if row else b""

    async def rp_ids(self) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._run.all(self._st.rp_ids, {})}

    async def add(self, passkey: Passkey) -> bool:
        return await self._run.one(self._st.add, record_row(passkey, PASSKEY_FIELDS)) is not None

    async def use(self, passkey: Passkey, *, counter: int, backed_up: bool, now: Instant) -> bool:
        values = {
            "passkey_id": passkey.passkey_id,
            "counter": counter,
            "backed_up": int(backed_up),
            "counter_before": passkey.counter,
            "used_before": passkey.used_at,
            "now": now,
        }
        return await self._run.run(self._st.use, values) == 1

    async def rename(self, passkey_id: str, account_number: int, name: str) -> bool:
        values = {"passkey_id": passkey_id, "account_number": account_number, "name": name}
        return await self._run.run(self._st.rename, values) == 1

    async def remove(self, passkey_id: str, account_number: int) -> bool:
        values = {"passkey_id": passkey_id, "account_number": account_number}
        return await self._run.run(self._st.remove, values) == 1

    async def remove_all(self, account_number: int) -> int:
        return await self._run.run(self._st.remove_all, {"account_number": account_number})

    async def keep_handle(self, account_number: int, handle: bytes) -> bytes:
        await self._run.run(self._st.keep_handle, {"account_number": account_number, "handle": handle})
        return await self.handle_of(account_number)

    async def forget_handle(self, account_number: int) -> None:
        await self._run.run(self._st.forget_handle, {"account_number": account_number})
