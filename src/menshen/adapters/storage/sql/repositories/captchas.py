"""Keep captcha passes, nonces and images in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.codes.one_time_codes import Taken
from menshen.core.gates.captcha import Action
from menshen.core.time import Instant


class CaptchaStatements(Statements, file="captchas"):
    """Declare the statements of `captchas.sql`."""

    spend_nonce: Statement
    spend_challenge: Statement
    add_pass: Statement
    spend_pass: Statement
    open_image: Statement
    set_answer: Statement
    answer: Statement


class SqlCaptchas:
    """Implement `menshen.ports.store.captchas.Captchas` on a connection."""

    def __init__(self, run: Executor, statements: CaptchaStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def spend_nonce(self, nonce: str, expires_at: Instant) -> bool:
        return await self._run.one(self._st.spend_nonce, {"nonce": nonce, "expires_at": expires_at}) is not None

    async def spend_challenge(self, nonce: str, issued_at: Instant, expires_at: Instant) -> bool:
        values = {"nonce": nonce, "issued_at": issued_at, "expires_at": expires_at}
        return await self._run.one(self._st.spend_challenge, values) is not None

    async def add_pass(
        self, token: bytes, app_id: int, network: str, expires_at: Instant, *, difficulty: int = 1
    ) -> None:
        values = {
            "digest": token,
            "app_id": app_id,
            "network": network,
            "difficulty": difficulty,
            "expires_at": expires_at,
        }
        await self._run.run(self._st.add_pass, values)

    async def spend_pass(
        self, token: bytes, action: Action, app_id: int, network: str, now: Instant, *, difficulty: int = 1
    ) -> bool:
        values = {
            "digest": token,
            "action": action.value,
            "app_id": app_id,
            "network": network,
            "difficulty": difficulty,
            "now": now,
        }
        return await self._run.one(self._st.spend_pass, values) is not None

    async def open_image(self, ticket: bytes, app_id: int, expires_at: Instant) -> None:
        await self._run.run(self._st.open_image, {"digest": ticket, "app_id": app_id, "expires_at": expires_at})

    async def set_answer(self, ticket: bytes, answer: bytes, now: Instant, expires_at: Instant) -> bool:
        values = {"digest": ticket, "answer_mac": answer, "now": now, "until": expires_at}
        return await self._run.one(self._st.set_answer, values) is not None

    async def answer(self, ticket: bytes, app_id: int, macs: Sequence[bytes], now: Instant) -> Taken:
        values = {
            "digest": ticket,
            "app_id": app_id,
            "mac": macs[0],
            "older_mac": macs[min(1, len(macs) - 1)],
            "now": now,
        }
        row = await self._run.one(self._st.answer, values)
        if row is None:
            return Taken.DEAD
        return Taken.MATCHED if row[0] else Taken.WRONG
