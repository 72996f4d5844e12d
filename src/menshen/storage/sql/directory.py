"""Apps and known devices in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from menshen.core.apps import App, CaptchaRule, DeviceSign, SessionRule
from menshen.core.time import Instant
from menshen.ports.sealing import Sealer
from menshen.ports.store.apps import AppTaken
from menshen.storage.sql.compiling import Executor, Statement, TakenError

if TYPE_CHECKING:
    from menshen.storage.sql.statements.directory import DirectoryStatements

APP_FIELDS = tuple(f.name for f in fields(App))
_ENUMS: dict[str, type[StrEnum]] = {"captcha": CaptchaRule, "device_sign": DeviceSign, "session_rule": SessionRule}
_FLAGS = tuple(f.name for f in fields(App) if f.type == "bool")


class SqlApps:
    """`menshen.ports.store.apps.Apps` on a connection."""

    def __init__(self, run: Executor, statements: DirectoryStatements, sealer: Sealer) -> None:
        """Bind the statements to a connection; `sealer` opens and seals the apps' secrets."""
        self._run = run
        self._st = statements
        self._sealer = sealer

    def _app(self, row: Sequence[Any]) -> App:
        known = dict(zip(APP_FIELDS, row, strict=True))
        known["secret"] = self._sealer.open(bytes(known["secret"]))
        for name, kind in _ENUMS.items():
            known[name] = kind(known[name])
        for name in _FLAGS:
            known[name] = bool(known[name])
        return App(**known)

    def _values(self, app: App) -> dict[str, Any]:
        values = {name: getattr(app, name) for name in APP_FIELDS if name not in {"app_id", "secret"}}
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
    """`menshen.ports.store.devices.Devices` on a connection."""

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
