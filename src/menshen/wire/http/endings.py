"""Replace parts of an exchange that ends before its request does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class LastTransport:
    """Stand for the transport in the last answer: to close it is to linger."""

    __slots__ = ("close", "write")

    def __init__(self, transport: asyncio.Transport, linger: Callable[[], None]) -> None:
        self.write = transport.write
        self.close = linger


async def without_body(app: ASGIApp, scope: Scope, _: Receive, send: Send) -> None:
    """Run `app` on a request whose body is not waited for. To read it gives a disconnect."""
    await app(scope, _disconnected, send)


async def _disconnected() -> Message:
    return {"type": "http.disconnect"}
