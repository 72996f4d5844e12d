"""List the use cases that find the app of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from menshen.core.apps import App
from menshen.flows.apps.lookup import app_by_host, app_by_key, serves_host
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFlows:
    """Find the app of a request."""

    by_host: Callable[[str], Awaitable[App]] = field(metadata=served_by(app_by_host))
    """Host header (lower case) -> the app whose `host` it is, else the default app."""
    serves_host: Callable[[str], Awaitable[bool]] = field(metadata=served_by(serves_host))
    """Host header (lower case) -> whether requests under it are for an app of this installation."""
    by_key: Callable[[str], Awaitable[App | None]] = field(metadata=served_by(app_by_key))
    """CareyShop appkey -> its app, also a disabled one; None when the key is unknown."""
