"""List the use cases that find the app of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from menshen.core.apps import App
from menshen.core.problems import Denied
from menshen.flows.apps.lookup import app_by_host, app_by_key, list_apps, recall_apps, serves_host
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFlows:
    """Find the app of a request."""

    by_host: Callable[[str], Awaitable[App | Denied]] = field(metadata=served_by(app_by_host))
    """Host header (lower case) -> the app with this `host`, else the default app. Denied for a disabled one."""
    serves_host: Callable[[str], Awaitable[bool]] = field(metadata=served_by(serves_host))
    """Host header (lower case) -> whether this installation serves an app under it."""
    listed: Callable[[], Awaitable[Sequence[App]]] = field(metadata=served_by(list_apps))
    """All apps, disabled ones too."""
    recalled: Callable[[], Sequence[App] | None] = field(metadata=served_by(recall_apps))
    """The same from memory, the same object until it is read again; None when it must be read."""
    by_key: Callable[[str], Awaitable[App | Denied]] = field(metadata=served_by(app_by_key))
    """CareyShop appkey -> its app. Denied: NOT_FOUND for an unknown key, FORBIDDEN for a disabled app's."""
