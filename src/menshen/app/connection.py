"""A client's connection, with what uvicorn leaves open: how long and how large a request's head may be.

Of a request only its head is bounded here; bodies are bounded where they are read (`menshen.http.body`).
(design/security.md RS-2, RS-4.)
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""From the first byte of a connection, or of a later request on it, to the end of the head."""

MOST_HEAD_BYTES = 32 * 1024
MOST_HEADERS = 100


class HeadTooLargeError(Exception):
    """The request's line and headers are more than anybody needs; the parser turns it into a 400."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with a clock and a scale on every head."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn makes it, once for each connection."""
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._arrived = 0
        self._parsed = 0
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._start_clock()
            self._arrived += len(data)
        super().data_received(data)
        # The parser hoards a header that does not end: it is weighed by what came in.
        if self._in_head and self._arrived > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Invalid HTTP request received.")

    def on_message_begin(self) -> None:
        self._parsed = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._weigh(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._weigh(len(name) + len(value))
        if len(self.headers) >= MOST_HEADERS:
            raise HeadTooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._arrived = 0

    def _weigh(self, size: int) -> None:
        self._parsed += size
        if self._parsed > MOST_HEAD_BYTES:
            raise HeadTooLargeError

    def _start_clock(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
