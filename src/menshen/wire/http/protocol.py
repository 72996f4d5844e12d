"""Limit a client's connection: uvicorn's HTTP/1.1 with bounds on time, size and number.

The limits are those that uvicorn lacks: the time of a head and of a body, the size of a head, the connections of one
address, and the requests at work. An application is called when the whole request has arrived, under all headers, and
it never waits for the reader of its answer. So a slow client occupies a connection, which is cheap, and no
place among the requests. A request that two servers could read differently is refused, and its connection is closed.

    accepted ──(too many)──> 503 ──> closed
       │
       v
     HEAD ──(10 s, 32 KiB, 100 headers, not HTTP/1.x)──> 4xx ──> closed
       │    (16 requests wait for the answer of one before them)──> their answers ──> closed
       │ complete
       v
     BODY ──(15 s, or what does not parse)──> 4xx ──> closed     (`Expect: 100-continue`: it is asked for here)
       │ complete, or not waited for: a check has none, and the application refuses one that is too long
       v
    READY ──(the client does not read earlier answers for 15 s)──> closed
       │ what was written before is read
       v
    ANSWER ──(requests at work ≥ limit, and no token check)──> 503, Retry-After
       │ sent ──(client does not read for 15 s)──> closed
       │      ──(client may still be sending)──> LINGER ──(the client closes, 2 s, 8 MiB)──> closed
       v
     HEAD of the next, or idle until the keep-alive limit

Must not know the content of answers. (docs/security/attacks.md HD-3, HD-8, RS-1, RS-2, RS-4, RS-10; decision 0047.)
"""

from __future__ import annotations

import asyncio
import re
from asyncio.events import TimerHandle
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from menshen.wire.http.body import BODY_LIMIT
from menshen.wire.http.connection_counts import ConnectionCounts
from menshen.wire.http.connection_limits import ConnectionLimits
from menshen.wire.http.endings import LastTransport, without_body
from menshen.wire.http.heads import NotOneRequestError, check_head, head_size, head_without_offer, with_known_method
from menshen.wire.http.plain import overloaded, raw_refusal

_CHECKS: Final = re.compile(r"/auth/verify(?:/.*)?|/livez|/readyz")
"""Paths of token checks and health: they take no place among the requests, and have no body to wait for."""

_USUAL: Final = frozenset({b"GET ", b"POST"})


def guarded(limits: ConnectionLimits) -> type[GuardedProtocol]:
    """Return a protocol class with `limits`, for uvicorn's `http` setting. Its connections are counted together."""
    return type("GuardedProtocol", (GuardedProtocol,), {"limits": limits, "counts": ConnectionCounts()})


class GuardedProtocol(HttpToolsProtocol):
    """Serve one connection. uvicorn makes the object; `guarded` makes the class.

    Nearly every request arrives in one read. Such a request costs no timer, and its size is checked only when the read
    is large.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    counts: ClassVar[ConnectionCounts] = ConnectionCounts()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take uvicorn's arguments."""
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._arrived = 0
        self._head_count = 0
        self._held: tuple[RequestResponseCycle, Any] | None = None
        self._ready: tuple[RequestResponseCycle, Any] | None = None
        self._working: RequestResponseCycle | None = None
        self._ignores_input = False
        self._lingering = False
        self._offered = False
        self._shutting_down = False
        self._unread = False
        self._deadline: TimerHandle | None = None
        self._write_deadline: TimerHandle | None = None
        self._address = ""

    # --- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        if self.counts.admits(self._address, self.limits.connections, self.limits.per_address):
            self._start_clock(self.limits.head_seconds)
        else:
            self._write_refusal(HTTPStatus.SERVICE_UNAVAILABLE)
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.counts.leave(self._address)
        self._stop_clock()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
        self._held = self._ready = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ignores_input:
            if self._lingering:
                self._drop(data)
            return
        self._unset_keepalive_if_required()
        if self._in_head and not self._arrived and data[:4] not in _USUAL:
            data = with_known_method(data)
        self._arrived += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserUpgrade:
            # CONNECT. What follows belongs to no request.
            self._close_after_this()
            return
        except httptools.HttpParserError:
            if len(self.pipeline) >= self.limits.ahead:
                self._close_after_those_ahead()
            else:
                self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if self._in_head:
            if self._arrived:
                self._start_clock(self.limits.head_seconds)
            # The parser keeps an unfinished header without limit, so the bytes received are counted.
            if self._arrived > self.limits.head_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif len(self.headers) > self.limits.headers or self._arrived > 4 * (self.limits.head_bytes + BODY_LIMIT):
            # Trailers and chunk extensions are not part of the body, and the parser does not limit them.
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif not self._begin_held_check():
            self._start_clock(self.limits.body_seconds)

    def _parse(self, data: bytes) -> None:
        """Feed the parser. An offer to upgrade is not taken: its request is read as without it (RFC 9110 section 7.8).

        The parser takes what follows such a head for another protocol, and stops. So the head is fed again without it.
        """
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                if not self._offered:
                    raise
                self._offered = False
                head = head_without_offer(
                    self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers
                )
                data = head + data[stopped.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            else:
                return

    def shutdown(self) -> None:
        """Shut down: answer requests under way, keep idle connections for `farewell_seconds`, then close.

        A request that still arrives in that time is answered with `Connection: close`. Without that time, a proxy
        that sends a POST into a closing connection could not know if the POST was processed.
        """
        self._shutting_down = True
        if self._is_idle():
            self._unset_keepalive_if_required()
            self.loop.call_later(self.limits.farewell_seconds, self._close_if_idle)
        else:
            super().shutdown()

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def eof_received(self) -> None:
        # The transport closes now. It would wait without end for a client that reads nothing of what was written.
        self._start_write_clock()

    def _is_idle(self) -> bool:
        """Check that no request is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def pause_writing(self) -> None:
        # Not passed on: an application would wait for the reader, and hold its place. It sends one answer whole, and
        # the next request begins when the client has read enough.
        self._unread = True
        self._start_write_clock()

    def resume_writing(self) -> None:
        self._unread = False
        if self._write_deadline is not None and not self.transport.is_closing():
            self._write_deadline.cancel()
            self._write_deadline = None
        if self._ready is not None:
            ready, self._ready = self._ready, None
            self._begin(*ready)

    def _start_write_clock(self) -> None:
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def _close(self) -> None:
        """Close when everything is written, at the latest after `write_seconds`."""
        if not self.transport.is_closing():
            self.transport.close()
        self._start_write_clock()

    def _linger(self) -> None:
        """Close for writing now, and wholly when the client closes or the limits of lingering are reached.

        A connection that is closed with unread input is reset, and the client may lose the answer (RFC 9112
        section 9.6).
        """
        if self._lingering or self.transport.is_closing():
            return
        self._lingering = self._ignores_input = True
        self._arrived = 0
        self._stop_clock()
        self.transport.write_eof()
        self.flow.resume_reading()
        self._deadline = self.loop.call_later(self.limits.linger_seconds, self._close)

    def _drop(self, data: bytes) -> None:
        self._arrived += len(data)
        if self._arrived > self.limits.linger_bytes:
            self._close()

    # --- the request --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # A head may begin in the read that ends the request before it.
        self._arrived = self._arrived or 1

    def on_headers_complete(self) -> None:
        limits = self.limits
        if len(self.pipeline) >= limits.ahead or len(self.headers) > limits.headers:
            raise NotOneRequestError
        check_head(self.url, self.headers, self.parser.get_http_version())
        if self._arrived > limits.head_bytes and head_size(self.url, self.headers) > limits.head_bytes:
            raise NotOneRequestError
        self._in_head = False
        self._head_count = len(self.headers)
        if self._deadline is not None:
            self._stop_clock()
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offered = True
            return
        super().on_headers_complete()
        if self._shutting_down:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self._held is not None and len(self._held[0].body) > BODY_LIMIT:
            self._begin(*self._held)

    def on_message_complete(self) -> None:
        if self._offered:
            return
        if len(self.headers) > self._head_count:
            # Trailers arrive after all checks, so they must not become headers.
            del self.headers[self._head_count :]
        super().on_message_complete()
        self._in_head = True
        self._arrived = 0
        if self._deadline is not None:
            self._stop_clock()
        if self._held is not None:
            self._begin(*self._held)

    def on_response_complete(self) -> None:
        answered, self._working = self._working, None
        if answered is not None and answered.more_body:
            # Answered before the end of its body: what still arrives of it must not become a request, nor be refused.
            self._linger()
        if self._lingering:
            return
        if self.transport.is_closing():
            self._start_write_clock()
        super().on_response_complete()
        if self._held is not None:
            self._begin_held_check()  # It came behind the request that is answered now: nothing more may arrive.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if not cycle.more_body:
            self._begin(cycle, app)
            return
        self._held = (cycle, app)
        if cycle.waiting_for_100_continue:
            # Afterwards: the body may be in the same read as the head.
            self.loop.call_soon(self._ask_for_body, cycle)

    def _ask_for_body(self, cycle: RequestResponseCycle) -> None:
        """Send 100 Continue to a client that waits for it, or begin if the announced body is too long.

        RFC 9110 section 10.1.1: none for HTTP/1.0, nor for a body that comes without it.
        """
        if self._held is None or self._held[0] is not cycle or self.transport.is_closing():
            return
        length = next((int(value) for name, value in cycle.scope["headers"] if name == b"content-length"), 0)
        if length > BODY_LIMIT:
            self._begin_without_body(*self._held)
        elif not cycle.body and cycle.scope["http_version"] != "1.0":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _begin_held_check(self) -> bool:
        """Begin a check whose body has not come. Return whether there is one.

        Some proxies pass on the Content-Length of a request whose body they keep.
        """
        if self._held is None or not _CHECKS.fullmatch(self._held[0].scope["path"]):
            return False
        self._begin_without_body(*self._held)
        return True

    def _begin_without_body(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin now. The answer is the last one of the connection, for what follows could be the body."""
        self._ignores_input = True
        self._stop_clock()
        cycle.keep_alive = False
        self._begin(cycle, partial(without_body, app))

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._held = None
        self._working = cycle
        cycle.waiting_for_100_continue = False
        if cycle.more_body:
            self._linger_after(cycle)
        if self._unread:
            self._ready = (cycle, app)
            return
        if len(self.tasks) >= self.limits.requests and not _CHECKS.fullmatch(cycle.scope["path"]):
            app = overloaded
        super()._start_asgi_task(cycle, app)

    # --- refusals -----------------------------------------------------------------------------------------------------

    def _refuse(self, status: HTTPStatus) -> None:
        """Send an error answer and close. An answer under way is finished instead, so that two answers do not mix."""
        if self._working is not None and not self._working.response_complete:
            self._close_after_this()
            return
        self._held = None
        self._write_refusal(status)
        self._linger()

    def _write_refusal(self, status: HTTPStatus) -> None:
        self._ignores_input = True
        self._stop_clock()
        if self.transport.is_closing():
            return
        self.transport.write(raw_refusal(status))

    def _close_after_this(self) -> None:
        self._ignores_input = True
        self._stop_clock()
        self.pipeline.clear()
        if self._working is not None and not self._working.response_complete:
            self._end_with(self._working)
        else:
            self._linger()

    def _close_after_those_ahead(self) -> None:
        """Answer the waiting requests, then close. The client may repeat the others on a new connection."""
        self._ignores_input = True
        self._stop_clock()
        last, _ = self.pipeline[0]
        self._end_with(last)

    def _end_with(self, cycle: RequestResponseCycle) -> None:
        cycle.keep_alive = False
        self._linger_after(cycle)

    def _linger_after(self, cycle: RequestResponseCycle) -> None:
        """Linger if the answer of `cycle` is the last one: its client may still be sending."""
        cycle.transport = LastTransport(self.transport, self._linger)  # type: ignore[assignment]

    def _start_clock(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._in_head and not self._arrived:
            # No request has begun, so no answer is due.
            self._close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
