"""Store client apps. Their secrets are encrypted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.apps import App


class AppTaken(Exception):
    """Report a value of another app. `field` is "name", "appkey" or "host"."""

    def __init__(self, field: str) -> None:
        """Take the name of the field."""
        super().__init__(field)
        self.field = field


class AppReader(Protocol):
    """Find apps. Disabled apps are found too: the caller refuses them."""

    async def find_by_key(self, appkey: str) -> App | None: ...

    async def find_by_host(self, host: str) -> App | None: ...

    async def find_by_name(self, name: str) -> App | None: ...

    async def list_all(self) -> Sequence[App]:
        """Return all apps, sorted by id."""
        ...


class AppMemory(Protocol):
    """Remember the apps for a moment."""

    def recall(self) -> Sequence[App] | None:
        """Return all apps, the same object until they are read again. None: ask `AppReader.list_all`."""
        ...


class Apps(AppReader, Protocol):
    """Change apps."""

    async def add(self, app: App) -> App:
        """Store the app under the next id (`app.app_id` is ignored), and return it. Raises AppTaken."""
        ...

    async def hold(self, name: str) -> App | None:
        """Find by name, and lock the app for the rest of the transaction: `save` writes what was read here."""
        ...

    async def save(self, app: App) -> None:
        """Replace every column of the app with this id. Raises AppTaken."""
        ...
