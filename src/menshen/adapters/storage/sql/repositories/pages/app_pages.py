"""Keep what apps say about their hosted pages in SQL, as JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import NO_PAGES, PageSettings
from menshen.core.problems import Problem, ProblemCode
from menshen.core.time import Instant


class AppPagesStatements(Statements, file="pages/app_pages"):
    """Declare the statements of `app_pages.sql`."""

    list_all: Statement
    find: Statement
    save: Statement
    logo: Statement
    add_logo: Statement
    keep_logos: Statement


class SqlAppPages:
    """Implement `menshen.ports.store.pages.app_pages.AppPages` on a connection."""

    def __init__(self, run: Executor, statements: AppPagesStatements, changes: Changes) -> None:
        """Bind the statements to a connection. `changes` notes a change of pages as one of apps."""
        self._run = run
        self._st = statements
        self._changes = changes

    async def list_all(self) -> Mapping[int, PageSettings]:
        rows = await self._run.all(self._st.list_all, {})
        return {app_id: _settings_of(text) or NO_PAGES for app_id, text in rows}

    async def find_logo(self, digest: str) -> Logo | None:
        row = await self._run.one(self._st.logo, {"digest": digest})
        return Logo(row[0], bytes(row[1])) if row else None

    async def find(self, app_id: int) -> PageSettings:
        row = await self._run.one(self._st.find, {"app_id": app_id})
        found = _settings_of(row[0]) if row else NO_PAGES
        if found is None:
            raise Problem(
                ProblemCode.UNAVAILABLE, f"a newer release wrote the pages of app {app_id}: change them with it"
            )
        return found

    async def save(self, app_id: int, settings: PageSettings, now: Instant) -> None:
        self._changes.apps = True
        values = {"app_id": app_id, "settings": msgspec.json.encode(settings).decode(), "now": now}
        await self._run.run(self._st.save, values)

    async def add_logo(self, app_id: int, logo: Logo) -> str:
        digest = logo.digest(app_id)
        values = {"digest": digest, "app_id": app_id, "kind": logo.kind, "bytes": logo.content}
        await self._run.run(self._st.add_logo, values)
        return digest

    async def keep_logos(self, app_id: int, digests: Collection[str]) -> int:
        light, dark = (*digests, "", "")[:2]
        return await self._run.run(self._st.keep_logos, {"app_id": app_id, "light": light, "dark": dark})


_DECODER: Final = msgspec.json.Decoder(PageSettings)


def _settings_of(text: str) -> PageSettings | None:
    """Read stored settings. Fields that are not known are left out; None for a value that is not known."""
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        return None
