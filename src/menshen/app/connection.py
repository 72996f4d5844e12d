"""A client's connection, with what uvicorn leaves open: how long and how large a request's head may be.

Of a request only its head is bounded here; bodies are bounded where they are read (`menshen.http.body`).
(design/security.md RS-2, RS-4.)
"""

from __future__ import annotations

import asyncio
import re
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""From the first byte of a connection, or of a later request on it, to the end of the head."""

MOST_HEAD_BYTES = 32 * 1024
MOST_HEADERS = 100

_USUAL = frozenset({b"GET ", b"POST"})
_PARSED = frozenset({b"GET", b"POST", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT"})
_REQUEST_LINE = re.compile(rb"([A-Za-z-]{1,20}) /")


class HeadTooLargeError(Exception):
    """The request's line and headers are more than anybody needs; the parser turns it into a 400."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with a clock and a scale on every head.

    Nearly every head comes whole in one piece: such a one costs no timer, and is weighed only when the piece is large.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn makes it, once for each connection."""
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._arrived = 0
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head and not self._arrived and data[:4] not in _USUAL:
            data = _with_parsed_verb(data)
        self._arrived += len(data)
        super().data_received(data)
        if self._in_head:
            if self._arrived:
                self._start_clock()
            # The parser hoards a header that does not end: it is weighed by what came in.
            if self._arrived > MOST_HEAD_BYTES:
                self._refuse()
        elif len(self.headers) > MOST_HEADERS:
            # What stands behind a chunked body is parsed into headers too.
            self._refuse()

    def on_headers_complete(self) -> None:
        if len(self.headers) > MOST_HEADERS or (self._arrived > MOST_HEAD_BYTES and self._weight() > MOST_HEAD_BYTES):
            raise HeadTooLargeError
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._arrived = 0

    def _weight(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self) -> None:
        if not self.transport.is_closing():
            self.send_400_response("Invalid HTTP request received.")

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


def _with_parsed_verb(data: bytes) -> bytes:
    """A request whose verb the parser has never heard of, under one that it knows and nothing here answers.

    The parser would hang up; so the application says no in its house's own style (contracts/careyshop.md section 1).
    """
    line = _REQUEST_LINE.match(data)
    if line is None or line[1] in _PARSED:
        return data
    return b"UNLINK" + data[line.end(1) :]
