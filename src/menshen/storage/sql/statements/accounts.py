"""What is asked about accounts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, bindparam, select, update

from menshen.core.account.accounts import Profile, Status
from menshen.core.identifiers import Kind
from menshen.storage.sql.accounts import ACCOUNT_FIELDS, PROFILE_FIELDS, column_value
from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import accounts

t = accounts.c


COLUMNS = tuple(t[name] for name in (*ACCOUNT_FIELDS, *PROFILE_FIELDS))
"""The columns of `account_of`, in its order."""


_OPEN = t.status != Status.CLOSED.value


class AccountStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        one = t.number == bindparam("n")
        what: BindParameter[str] = bindparam("what")
        self.by_number = sql(select(*COLUMNS).where(one))
        self.by_public_id = sql(select(*COLUMNS).where(t.public_id == what))
        self.owner = {
            Kind.USERNAME: sql(select(*COLUMNS).where(t.username == what, _OPEN)),
            Kind.PHONE: sql(select(*COLUMNS).where(t.phone == what, t.phone_verified == 1, _OPEN)),
            Kind.EMAIL: sql(select(*COLUMNS).where(t.email == what, t.email_verified == 1, _OPEN)),
        }
        self.claims = {
            kind: sql(select(*COLUMNS).where(t[kind.value] == what, _OPEN).order_by(t.number).limit(20))
            for kind in Kind
        }
        self.nickname = sql(
            select(t.number)
            .where(t.nickname == what, _OPEN, t.number != bindparam("but", type_=t.number.type))
            .limit(1)
        )
        added = [c.name for c in COLUMNS if c.name != "number"]
        self.add = sql(sql.insert(accounts, *added).on_conflict_do_nothing().returning(*COLUMNS))
        version = bindparam("version", type_=t.password_version.type)
        self.login = sql(
            update(accounts)
            .where(
                one,
                t.status == Status.ACTIVE.value,
                # -1 asks for no particular version.
                (version == -1) | (t.password_version == version),
            )
            .values(
                previous_login_at=t.login_at,
                previous_login_ip=t.login_ip,
                login_at=bindparam("now"),
                login_ip=bindparam("ip"),
            )
            .returning(*COLUMNS)
        )
        self.password = sql(
            update(accounts)
            .where(one, _OPEN, (version == -1) | (t.password_version == version))
            .values(
                password_hash=bindparam("hash"),
                password_version=t.password_version + 1,
                password_changed_at=bindparam("now"),
                updated_at=bindparam("now"),
            )
        )
        self.rehash = sql(
            update(accounts).where(one, t.password_hash == bindparam("old")).values(password_hash=bindparam("new"))
        )
        self.status = sql(
            update(accounts)
            .where(one, _OPEN, t.status != bindparam("status"))
            .values(status=bindparam("status"), updated_at=bindparam("now"))
        )
        self.close = sql(
            update(accounts)
            .where(one, _OPEN)
            .values(
                status=Status.CLOSED.value,
                username=None,
                username_shown=None,
                phone=None,
                phone_verified=0,
                email=None,
                email_verified=0,
                password_hash="",
                password_version=t.password_version + 1,
                login_ip="",
                previous_login_ip="",
                updated_at=bindparam("now"),
                **_blank_profile(),
            )
        )
        self.profile = {
            name: sql(
                update(accounts)
                .where(one, _OPEN)
                .values({name: bindparam("value", type_=t[name].type), "updated_at": bindparam("now")})
            )
            for name in PROFILE_FIELDS
        }
        self.username = sql(
            update(accounts)
            .where(one, _OPEN)
            .values(username=bindparam("what"), username_shown=bindparam("shown"), updated_at=bindparam("now"))
        )
        self.bind = {
            kind: sql(
                update(accounts)
                .where(one, _OPEN)
                .values({kind.value: what, f"{kind.value}_verified": 1, "updated_at": bindparam("now")})
            )
            for kind in (Kind.PHONE, Kind.EMAIL)
        }
        self.drop = {
            kind: sql(
                update(accounts)
                .where(
                    t[kind.value] == what,
                    t[f"{kind.value}_verified"] == 0,
                    t.number != bindparam("but", type_=t.number.type),
                )
                .values({kind.value: None, "updated_at": bindparam("now")})
                .returning(t.number)
            )
            for kind in (Kind.PHONE, Kind.EMAIL)
        }


def _blank_profile() -> dict[str, Any]:
    blank = Profile()
    return {name: column_value(getattr(blank, name)) for name in PROFILE_FIELDS}
