"""Apps and known devices in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from menshen.core.apps import App, CaptchaRule, DeviceSign, SessionRule
from menshen.core.time import Instant
from menshen.ports.apps import AppTaken
from menshen.ports.sealing import Sealer
from menshen.storage.sql.compiling import Compiler, Executor, Statement, TakenError
from menshen.storage.sql.tables import apps, known_devices

MOST_DEVICES = 50
_FIELDS = tuple(f.name for f in fields(App))
_COLUMNS = tuple("secret_sealed" if name == "secret" else name for name in _FIELDS)
_ENUMS: dict[str, type[StrEnum]] = {"captcha": CaptchaRule, "device_sign": DeviceSign, "session_rule": SessionRule}
_FLAGS = tuple(f.name for f in fields(App) if f.type == "bool")


class DirectoryStatements:
    """Everything these repositories ask, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        a, d = apps.c, known_devices.c
        columns = [a[name] for name in _COLUMNS]
        self.by = {
            name: sql(select(*columns).where(a[name] == bindparam("what"))) for name in ("appkey", "host", "name")
        }
        self.hosted = sql(select(a.app_id).where(a.host != "").limit(1))
        self.all = sql(select(*columns).order_by(a.app_id))
        added = [name for name in _COLUMNS if name != "app_id"]
        self.add = sql(sql.insert(apps, *added).on_conflict_do_nothing().returning(a.app_id))
        self.save = sql(
            update(apps)
            .where(a.app_id == bindparam("which"))
            .values({name: bindparam(f"new_{name}", type_=a[name].type) for name in added})
        )
        mine = d.account_number == bindparam("account")
        self.known = sql(select(d.device).where(mine, d.device == bindparam("device")))
        self.remember = sql(
            sql.insert(known_devices)
            .on_conflict_do_update(
                index_elements=[d.account_number, d.device],
                set_={"last_seen": bindparam("seen", type_=d.last_seen.type)},
            )
            .returning(d.first_seen)
        )
        newest = (
            select(d.device).where(mine).order_by(d.last_seen.desc(), d.device).limit(MOST_DEVICES).scalar_subquery()
        )
        self.forget = sql(delete(known_devices).where(mine, d.device.not_in(newest)))


class SqlApps:
    """`menshen.ports.apps.Apps` on a connection."""

    def __init__(self, run: Executor, statements: DirectoryStatements, sealer: Sealer) -> None:
        """Bind the statements to a connection; `sealer` opens and seals the apps' secrets."""
        self._run = run
        self._st = statements
        self._sealer = sealer

    def _app(self, row: Sequence[Any]) -> App:
        known = dict(zip(_FIELDS, row, strict=True))
        known["secret"] = self._sealer.open(bytes(known["secret"]))
        for name, kind in _ENUMS.items():
            known[name] = kind(known[name])
        for name in _FLAGS:
            known[name] = bool(known[name])
        return App(**known)

    def _values(self, app: App) -> dict[str, Any]:
        values = {name: getattr(app, name) for name in _FIELDS if name not in {"app_id", "secret"}}
        values = {
            k: int(v) if isinstance(v, bool) else str(v) if isinstance(v, StrEnum) else v for k, v in values.items()
        }
        return {**values, "secret_sealed": self._sealer.seal(app.secret)}

    async def _find(self, statement: Statement, what: str) -> App | None:
        row = await self._run.one(statement, {"what": what})
        return self._app(row) if row else None

    async def find_by_key(self, appkey: str) -> App | None:
        return await self._find(self._st.by["appkey"], appkey)

    async def find_by_host(self, host: str) -> App | None:
        return await self._find(self._st.by["host"], host) if host else None

    async def find_by_name(self, name: str) -> App | None:
        return await self._find(self._st.by["name"], name)

    async def names_host(self) -> bool:
        return await self._run.one(self._st.hosted, {}) is not None

    async def list_all(self) -> Sequence[App]:
        return [self._app(row) for row in await self._run.all(self._st.all, {})]

    async def add(self, app: App) -> App:
        row = await self._run.one(self._st.add, self._values(app))
        if row is None:
            for field, value in (("name", app.name), ("appkey", app.appkey), ("host", app.host)):
                if value and await self._find(self._st.by[field], value):
                    raise AppTaken(field)
            raise AppTaken("name")
        known = {f.name: getattr(app, f.name) for f in fields(App)}
        return App(**{**known, "app_id": row[0]})

    async def save(self, app: App) -> None:
        values = {f"new_{name}": value for name, value in self._values(app).items()}
        try:
            await self._run.run(self._st.save, {"which": app.app_id, **values})
        except TakenError as taken:
            field = next((f for f in ("appkey", "host", "name") if f in taken.constraint), "name")
            raise AppTaken(field) from None


class SqlDevices:
    """`menshen.ports.devices.Devices` on a connection."""

    def __init__(self, run: Executor, statements: DirectoryStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def known(self, account_number: int, device: bytes) -> bool:
        return await self._run.one(self._st.known, {"account": account_number, "device": device}) is not None

    async def remember(self, account_number: int, device: bytes, now: Instant) -> None:
        values = {"account_number": account_number, "device": device, "first_seen": now, "last_seen": now, "seen": now}
        row = await self._run.one(self._st.remember, values)
        # Only one that was not there before can be one too many.
        if row is None or row[0] == now:
            await self._run.run(self._st.forget, {"account": account_number})
