"""Keep accounts in SQL. It knows rows and records; it must not know why anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor, TakenError
from menshen.adapters.storage.sql.repositories.rows import PROFILE_FIELDS, account_of, account_row, column_value
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.account.accounts import Account, NewAccount, Status
from menshen.core.codes.one_time_codes import CodeKey
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.ports.store.accounts import AlreadyTaken

_NOTHING_CHANGES: dict[str, object] = dict.fromkeys(PROFILE_FIELDS)


class AccountStatements(Statements, file="accounts"):
    """Declare the statements of `accounts.sql`."""

    by_number: Statement
    by_public_id: Statement
    owner_of_username: Statement
    owner_of_phone: Statement
    owner_of_email: Statement
    claims_of_username: Statement
    claims_of_phone: Statement
    claims_of_email: Statement
    nickname_taken: Statement
    add: Statement
    record_login: Statement
    record_login_by_code: Statement
    set_password: Statement
    replace_hash: Statement
    change_factors: Statement
    set_status: Statement
    set_closing: Statement
    due_to_close: Statement
    close: Statement
    set_profile: Statement
    set_username: Statement
    bind_phone: Statement
    bind_email: Statement
    unbind_phone: Statement
    unbind_email: Statement
    drop_phone_claims: Statement
    drop_email_claims: Statement
    hold: Statement | None = None
    hold_owner_of_username: Statement | None = None
    hold_owner_of_phone: Statement | None = None
    hold_owner_of_email: Statement | None = None


class SqlAccounts:
    """Implement `menshen.ports.store.accounts.Accounts` on a connection."""

    def __init__(self, run: Executor, statements: AccountStatements, changes: Changes) -> None:
        """Bind the statements to a connection; `changes` collects what ended."""
        self._run = run
        self._changes = changes
        self._st = st = statements
        self._owner_of = {
            Kind.USERNAME: st.owner_of_username,
            Kind.PHONE: st.owner_of_phone,
            Kind.EMAIL: st.owner_of_email,
        }
        self._hold_owner_of = {
            Kind.USERNAME: st.hold_owner_of_username or st.owner_of_username,
            Kind.PHONE: st.hold_owner_of_phone or st.owner_of_phone,
            Kind.EMAIL: st.hold_owner_of_email or st.owner_of_email,
        }
        self._claims_of = {
            Kind.USERNAME: st.claims_of_username,
            Kind.PHONE: st.claims_of_phone,
            Kind.EMAIL: st.claims_of_email,
        }
        self._bind = {Kind.PHONE: st.bind_phone, Kind.EMAIL: st.bind_email}
        self._unbind = {Kind.PHONE: st.unbind_phone, Kind.EMAIL: st.unbind_email}
        self._drop_claims = {Kind.PHONE: st.drop_phone_claims, Kind.EMAIL: st.drop_email_claims}

    async def _one(self, statement: Statement, **values: Any) -> Account | None:
        row = await self._run.one(statement, values)
        return account_of(row) if row else None

    async def find(self, number: int) -> Account | None:
        return await self._one(self._st.by_number, number=number)

    async def find_by_public_id(self, public_id: str) -> Account | None:
        return await self._one(self._st.by_public_id, public_id=public_id)

    async def find_owner(self, identifier: Identifier) -> Account | None:
        return await self._one(self._owner_of[identifier.kind], canonical=identifier.canonical)

    async def find_claims(self, identifier: Identifier) -> Sequence[Account]:
        rows = await self._run.all(self._claims_of[identifier.kind], {"canonical": identifier.canonical})
        return [account_of(row) for row in rows]

    async def nickname_taken(self, nickname: str, except_number: int | None) -> bool:
        # Nicknames have no unique index (one dialect alone forbids twins): two writers of one take turns here.
        await self._run.claim(digest(nickname))
        values = {"nickname": nickname, "except_number": except_number or 0}
        return await self._run.one(self._st.nickname_taken, values) is not None

    async def add(self, new: NewAccount) -> Account:
        record = Account(
            0,
            new.public_id,
            username=new.username,
            username_shown=new.username_shown,
            phone=new.phone,
            phone_verified=new.phone_verified,
            email=new.email,
            email_verified=new.email_verified,
            password_hash=new.password_hash,
            password_changed_at=Instant(0),
            created_at=new.created_at,
            updated_at=new.created_at,
            profile=new.profile,
        )
        if row := await self._run.one(self._st.add, account_row(record)):
            return account_of(row)
        # ON CONFLICT DO NOTHING keeps the transaction alive on both stores; now find out what was in the way.
        for kind, canonical in ((Kind.USERNAME, new.username), (Kind.PHONE, new.phone), (Kind.EMAIL, new.email)):
            if canonical and await self.find_claims(Identifier(kind, canonical)):
                raise AlreadyTaken(kind.value)
        raise AlreadyTaken("public_id")

    async def hold(self, number: int) -> Account | None:
        return await self._one(self._st.hold or self._st.by_number, number=number)

    async def hold_owner(self, identifier: Identifier) -> Account | None:
        return await self._one(self._hold_owner_of[identifier.kind], canonical=identifier.canonical)

    async def record_login(
        self,
        number: int,
        *,
        ip: str,
        now: Instant,
        password_version: int | None,
        by: Identifier | CodeKey | None = None,
        judged: Account | None = None,
    ) -> Account | None:
        second_step, roles = (-1, "") if judged is None else (int(judged.second_step), judged.roles)
        values = {"number": number, "ip": ip, "now": now, "second_step": second_step, "roles": roles}
        if isinstance(by, CodeKey):
            code = {"app_id": by.app_id, "purpose": by.purpose.value, "subject": by.subject}
            return await self._one(self._st.record_login_by_code, **values, **code)
        version = -1 if password_version is None else password_version
        return await self._one(self._st.record_login, **values, version=version, canonical=by.canonical if by else "")

    async def set_password(
        self, number: int, password_hash: str, *, now: Instant, expected_version: int | None = None
    ) -> bool:
        version = -1 if expected_version is None else expected_version
        values = {"number": number, "password_hash": password_hash, "now": now, "version": version}
        return await self._run.run(self._st.set_password, values) == 1

    async def replace_hash(self, number: int, old: str, new: str) -> bool:
        return await self._run.run(self._st.replace_hash, {"number": number, "old": old, "new": new}) == 1

    async def change_factors(self, number: int, *, now: Instant, second_step: bool | None = None) -> None:
        values = {"number": number, "now": now, "second_step": column_value(second_step)}
        await self._run.run(self._st.change_factors, values)

    async def set_status(self, number: int, status: Status, *, now: Instant) -> bool:
        self._changes.accounts.append(number)
        values = {"number": number, "status": status.value, "now": now}
        return await self._run.run(self._st.set_status, values) == 1

    async def due_to_close(self, now: Instant, *, limit: int) -> Sequence[int]:
        return [row[0] for row in await self._run.all(self._st.due_to_close, {"now": now, "most": limit})]

    async def set_closing(self, number: int, closes_at: Instant, *, now: Instant) -> bool:
        return await self._run.run(self._st.set_closing, {"number": number, "closes_at": closes_at, "now": now}) == 1

    async def close(self, number: int, *, now: Instant) -> bool:
        self._changes.accounts.append(number)
        return await self._run.run(self._st.close, {"number": number, "now": now}) == 1

    async def set_profile(self, number: int, fields: Mapping[str, object], *, now: Instant) -> Account | None:
        if not fields.keys() <= _NOTHING_CHANGES.keys():
            raise ValueError("no such field of a profile")
        if fields:
            changes = _NOTHING_CHANGES | {name: column_value(value) for name, value in fields.items()}
            await self._run.run(self._st.set_profile, {"number": number, "now": now, **changes})
        account = await self.find(number)
        return account if account and account.status is not Status.CLOSED else None

    async def set_username(self, number: int, username: str, shown: str, *, now: Instant) -> None:
        values = {"number": number, "username": username, "shown": shown, "now": now}
        await self._change(self._st.set_username, "username", values)

    async def set_identifier(self, number: int, kind: Kind, canonical: str, *, now: Instant) -> None:
        # Token checks tell whether it is proved.
        self._changes.accounts.append(number)
        await self._change(self._bind[kind], kind.value, {"number": number, "canonical": canonical, "now": now})

    async def drop_identifier(self, number: int, kind: Kind, *, now: Instant) -> bool:
        # Token checks tell whether it is proved.
        self._changes.accounts.append(number)
        return await self._run.run(self._unbind[kind], {"number": number, "now": now}) == 1

    async def _change(self, statement: Statement, field: str, values: Mapping[str, Any]) -> None:
        try:
            await self._run.run(statement, values)
        except TakenError:
            raise AlreadyTaken(field) from None

    async def drop_claims(self, identifier: Identifier, *, except_number: int | None, now: Instant) -> Sequence[int]:
        values = {"canonical": identifier.canonical, "except_number": except_number or 0, "now": now}
        return [row[0] for row in await self._run.all(self._drop_claims[identifier.kind], values)]
