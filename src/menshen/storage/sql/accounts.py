"""Accounts in SQL. Knows rows and records; must not know why anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from menshen.core.account.accounts import Account, Gender, NewAccount, Profile, Status
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.ports.accounts import AlreadyTaken
from menshen.storage.sql.compiling import Executor, Statement, TakenError

if TYPE_CHECKING:
    from menshen.storage.sql.statements.accounts import AccountStatements

PROFILE_FIELDS = tuple(f.name for f in fields(Profile))
ACCOUNT_FIELDS = tuple(f.name for f in fields(Account) if f.name != "profile")

_SPLIT = len(ACCOUNT_FIELDS)
_MADE_OF_COLUMNS: tuple[tuple[int, Callable[[Any], Any]], ...] = (
    (ACCOUNT_FIELDS.index("status"), Status),
    (ACCOUNT_FIELDS.index("phone_verified"), bool),
    (ACCOUNT_FIELDS.index("email_verified"), bool),
)
_MADE_OF_PROFILE_COLUMNS: tuple[tuple[int, Callable[[Any], Any]], ...] = (
    (PROFILE_FIELDS.index("gender"), Gender),
    (PROFILE_FIELDS.index("real_name_verified"), bool),
    # SQLite's RETURNING shows what was given, before the column made it a float.
    (PROFILE_FIELDS.index("refund_rate"), float),
    (PROFILE_FIELDS.index("dispute_rate"), float),
)


def account_of(row: Sequence[Any]) -> Account:
    """The record of a row of `COLUMNS`."""
    values = list(row[:_SPLIT])
    for place, made in _MADE_OF_COLUMNS:
        values[place] = made(values[place])
    values.append(profile_of(row[_SPLIT : _SPLIT + len(PROFILE_FIELDS)]))
    return Account(*values)


def row_of(account: Account) -> dict[str, Any]:
    """The columns of an account by their names: what `account_of` reads."""
    values: dict[str, Any] = {name: column_value(getattr(account, name)) for name in ACCOUNT_FIELDS}
    values["status"] = account.status.value
    return values | {name: column_value(getattr(account.profile, name)) for name in PROFILE_FIELDS}


def profile_of(row: Sequence[Any]) -> Profile:
    """The profile of a row of its fields."""
    values = list(row)
    for place, made in _MADE_OF_PROFILE_COLUMNS:
        values[place] = made(values[place])
    return Profile(*values)


def column_value(value: object) -> object:
    return int(value) if isinstance(value, bool | Gender) else value


class SqlAccounts:
    """`menshen.ports.accounts.Accounts` on a connection."""

    def __init__(self, run: Executor, statements: AccountStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def _one(self, statement: Statement, **values: Any) -> Account | None:
        row = await self._run.one(statement, values)
        return account_of(row) if row else None

    async def find(self, number: int) -> Account | None:
        return await self._one(self._st.by_number, n=number)

    async def find_by_public_id(self, public_id: str) -> Account | None:
        return await self._one(self._st.by_public_id, what=public_id)

    async def find_owner(self, identifier: Identifier) -> Account | None:
        return await self._one(self._st.owner[identifier.kind], what=identifier.canonical)

    async def find_claims(self, identifier: Identifier) -> Sequence[Account]:
        rows = await self._run.all(self._st.claims[identifier.kind], {"what": identifier.canonical})
        return [account_of(row) for row in rows]

    async def nickname_taken(self, nickname: str, except_number: int | None) -> bool:
        # Nicknames have no unique index (one dialect alone forbids twins): two writers of one take turns here.
        await self._run.claim(digest(nickname))
        return await self._run.one(self._st.nickname, {"what": nickname, "but": except_number or 0}) is not None

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
        if row := await self._run.one(self._st.add, row_of(record)):
            return account_of(row)
        # ON CONFLICT DO NOTHING keeps the transaction alive on both stores; now find out what was in the way.
        for kind, canonical in ((Kind.USERNAME, new.username), (Kind.PHONE, new.phone), (Kind.EMAIL, new.email)):
            if canonical and await self.find_claims(Identifier(kind, canonical)):
                raise AlreadyTaken(kind.value)
        raise AlreadyTaken("public_id")

    async def record_login(self, number: int, *, ip: str, now: Instant, password_version: int | None) -> Account | None:
        version = -1 if password_version is None else password_version
        return await self._one(self._st.login, n=number, ip=ip, now=now, version=version)

    async def set_password(
        self, number: int, password_hash: str, *, now: Instant, expected_version: int | None = None
    ) -> bool:
        version = -1 if expected_version is None else expected_version
        values = {"n": number, "hash": password_hash, "now": now, "version": version}
        return await self._run.run(self._st.password, values) == 1

    async def replace_hash(self, number: int, old: str, new: str) -> bool:
        return await self._run.run(self._st.rehash, {"n": number, "old": old, "new": new}) == 1

    async def set_status(self, number: int, status: Status, *, now: Instant) -> bool:
        return await self._run.run(self._st.status, {"n": number, "status": status.value, "now": now}) == 1

    async def close(self, number: int, *, now: Instant) -> bool:
        return await self._run.run(self._st.close, {"n": number, "now": now}) == 1

    async def set_profile(self, number: int, fields: Mapping[str, object], *, now: Instant) -> Account | None:
        for name, value in fields.items():
            await self._run.run(self._st.profile[name], {"n": number, "value": column_value(value), "now": now})
        account = await self.find(number)
        return account if account and account.status is not Status.CLOSED else None

    async def set_username(self, number: int, username: str, shown: str, *, now: Instant) -> None:
        await self._change(self._st.username, "username", {"n": number, "what": username, "shown": shown, "now": now})

    async def set_identifier(self, number: int, kind: Kind, canonical: str, *, now: Instant) -> None:
        await self._change(self._st.bind[kind], kind.value, {"n": number, "what": canonical, "now": now})

    async def _change(self, statement: Statement, field: str, values: Mapping[str, Any]) -> None:
        try:
            await self._run.run(statement, values)
        except TakenError:
            raise AlreadyTaken(field) from None

    async def drop_claims(self, identifier: Identifier, *, except_number: int | None, now: Instant) -> Sequence[int]:
        values = {"what": identifier.canonical, "but": except_number or 0, "now": now}
        return [row[0] for row in await self._run.all(self._st.drop[identifier.kind], values)]
