"""Client apps at rest; their secrets are sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.apps import App


class AppTaken(Exception):
    """Another app has it. `field` is "name", "appkey" or "host"."""

    def __init__(self, field: str) -> None:
        """Say which."""
        super().__init__(field)
        self.field = field


class AppReader(Protocol):
    """Looking. Disabled apps are found too: the caller refuses them."""

    async def find_by_key(self, appkey: str) -> App | None: ...

    async def find_by_host(self, host: str) -> App | None: ...

    async def find_by_name(self, name: str) -> App | None: ...

    async def list_all(self) -> Sequence[App]:
        """By id."""
        ...


class Apps(AppReader, Protocol):
    """Changing."""

    async def add(self, app: App) -> App:
        """Store it under the next id (`app.app_id` is ignored). Raises AppTaken."""
        ...

    async def save(self, app: App) -> None:
        """Replace every column of the app with this id. Raises AppTaken."""
        ...
