"""Keep apps in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from enum import StrEnum
from typing import Any

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor, TakenError
from menshen.adapters.storage.sql.repositories.rows import APP_FIELDS
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.apps import App, CaptchaRule, DeviceSign, RegisterRule, SecondFactorRule, SessionRule
from menshen.ports.sealing import Sealer
from menshen.ports.store.apps import AppTaken

_ENUMS: dict[str, type[StrEnum]] = {
    "captcha": CaptchaRule,
    "device_sign": DeviceSign,
    "session_rule": SessionRule,
    "register": RegisterRule,
    "second_factor": SecondFactorRule,
}
_FLAGS = tuple(f.name for f in fields(App) if f.type == "bool")


class AppStatements(Statements, file="apps"):
    """Declare the statements of `apps.sql`."""

    by_appkey: Statement
    by_host: Statement
    by_name: Statement
    list_all: Statement
    add: Statement
    save: Statement
    hold: Statement | None = None


class SqlApps:
    """Implement `menshen.ports.store.apps.Apps` on a connection."""

    def __init__(self, run: Executor, statements: AppStatements, sealer: Sealer, changes: Changes) -> None:
        """Bind the statements to a connection; `sealer` opens and seals the apps' secrets."""
        self._run = run
        self._changes = changes
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

    async def _find(self, statement: Statement, **what: str) -> App | None:
        row = await self._run.one(statement, what)
        return self._app(row) if row else None

    async def find_by_key(self, appkey: str) -> App | None:
        return await self._find(self._st.by_appkey, appkey=appkey)

    async def find_by_host(self, host: str) -> App | None:
        return await self._find(self._st.by_host, host=host) if host else None

    async def find_by_name(self, name: str) -> App | None:
        return await self._find(self._st.by_name, name=name)

    async def hold(self, name: str) -> App | None:
        return await self._find(self._st.hold or self._st.by_name, name=name)

    async def list_all(self) -> Sequence[App]:
        return [self._app(row) for row in await self._run.all(self._st.list_all, {})]

    async def add(self, app: App) -> App:
        self._changes.apps = True
        row = await self._run.one(self._st.add, self._values(app))
        if row is None:
            if await self.find_by_name(app.name):
                raise AppTaken("name")
            if await self.find_by_key(app.appkey):
                raise AppTaken("appkey")
            raise AppTaken("host" if await self.find_by_host(app.host) else "name")
        known = {f.name: getattr(app, f.name) for f in fields(App)}
        return App(**{**known, "app_id": row[0]})

    async def save(self, app: App) -> None:
        self._changes.apps = True
        try:
            await self._run.run(self._st.save, {"app_id": app.app_id, **self._values(app)})
        except TakenError as taken:
            field = next((f for f in ("appkey", "host", "name") if f in taken.constraint), "name")
            raise AppTaken(field) from None
