"""Limit a client's connection: uvicorn's HTTP/1.1 with bounds on time, size and number.

The limits are those that uvicorn lacks: the time of a head and of a body, the size of a head, the connections of one
address, and the requests at work. An application is called when the whole request has arrived. So a slow client
occupies a connection, which is cheap, and no place among the requests. A request that two servers could read
differently is refused, and its connection is closed.

    accepted ──(too many)──> 503 ──> closed
       │
       v
     HEAD ──(10 s, 32 KiB, 100 headers, not HTTP/1.x)──> 4xx ──> closed
       │    (16 requests wait for the answer of one before them)──> their answers ──> closed
       │ complete
       v
     BODY ──(15 s, or what does not parse)──> 4xx ──> closed
       │ complete, or longer than any body may be (the application refuses it in its own style)
       v
    ANSWER ──(requests at work ≥ limit, and no token check)──> 503, Retry-After
       │ sent ──(client does not read for 15 s)──> closed
       v
     HEAD of the next, or idle until the keep-alive limit

Must not know the content of answers. (docs/security/attacks.md HD-3, HD-8, RS-1, RS-2, RS-4.)
"""

from __future__ import annotations

import asyncio
import re
from asyncio.events import TimerHandle
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, Final

import httptools
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from menshen.core.networks import network_of, parse_address
from menshen.wire.http.body import BODY_LIMIT
from menshen.wire.http.plain import HARDENING, answer

_UNLIMITED_PATHS: Final = frozenset({"/auth/verify", "/livez", "/readyz"})
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_USUAL: Final = frozenset({b"GET ", b"POST"})
_PARSED: Final = frozenset({b"GET", b"POST", b"HEAD", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT"})
_REQUEST_LINE: Final = re.compile(rb"([A-Za-z-]{1,20}) /")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Hold the limits of one worker. Times in seconds, sizes in bytes.

    `per_address` 0 sets no limit, as behind a proxy. At shutdown, idle connections stay open for `farewell_seconds`.
    """

    connections: int = 4096
    per_address: int = 100
    requests: int = 512
    head_seconds: float = 10.0
    body_seconds: float = 15.0
    write_seconds: float = 15.0
    farewell_seconds: float = 0.5
    head_bytes: int = 32 * 1024
    headers: int = 100
    ahead: int = 16
    """Requests of one connection that may wait for earlier answers: one read of 64 KiB could hold thousands."""


@dataclass(slots=True)
class _ConnectionCounts:
    """Count the open connections of one worker, in all and for each address."""

    total: int = 0
    by_address: Counter[str] = field(default_factory=Counter)

    def admits(self, address: str, limits: ConnectionLimits) -> bool:
        """Count a new connection until `leave`, and check that it is within the limits."""
        self.total += 1
        self.by_address[address] += 1
        crowded = bool(limits.per_address and address) and self.by_address[address] > limits.per_address
        return self.total <= limits.connections and not crowded

    def leave(self, address: str) -> None:
        self.total -= 1
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]


def guarded(limits: ConnectionLimits) -> type[GuardedProtocol]:
    """Return a protocol class with `limits`, for uvicorn's `http` setting. Its connections are counted together."""
    return type("GuardedProtocol", (GuardedProtocol,), {"limits": limits, "counts": _ConnectionCounts()})


class NotOneRequestError(Exception):
    """Stop the parser: a head is too large or ambiguous, or too many requests wait."""


class GuardedProtocol(HttpToolsProtocol):
    """Serve one connection. uvicorn makes the object; `guarded` makes the class.

    Nearly every request arrives in one read. Such a request costs no timer, and its size is checked only when the read
    is large.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    counts: ClassVar[_ConnectionCounts] = _ConnectionCounts()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take uvicorn's arguments."""
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._arrived = 0
        self._head_count = 0
        self._held: tuple[RequestResponseCycle, Any] | None = None
        self._working: RequestResponseCycle | None = None
        self._ignores_input = False
        self._shutting_down = False
        self._deadline: TimerHandle | None = None
        self._write_deadline: TimerHandle | None = None
        self._address = ""

    # --- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = _limit_key(self.client[0]) if self.client else ""
        if self.counts.admits(self._address, self.limits):
            self._start_clock(self.limits.head_seconds)
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        self.counts.leave(self._address)
        self._stop_clock()
        self.resume_writing()
        self._held = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ignores_input:
            return
        self._unset_keepalive_if_required()
        if self._in_head and not self._arrived and data[:4] not in _USUAL:
            data = _with_known_method(data)
        self._arrived += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No upgrade is offered. The bytes that follow could be read as a body or as the next request.
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
        else:
            self._start_clock(self.limits.body_seconds)

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
            self.transport.close()

    def _is_idle(self) -> bool:
        """Check that no request is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    # --- the request --------------------------------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        self._check_head()
        self._in_head = False
        self._head_count = len(self.headers)
        if self._deadline is not None:
            self._stop_clock()
        super().on_headers_complete()
        if self._shutting_down:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self._held is not None and len(self._held[0].body) > BODY_LIMIT:
            self._begin(*self._held)

    def on_message_complete(self) -> None:
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
        self._working = None
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # A client that waits for 100 Continue sends its body only after the application starts to read.
        if cycle.more_body and not cycle.waiting_for_100_continue:
            self._held = (cycle, app)
            return
        self._begin(cycle, app)

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._held = None
        self._working = cycle
        if len(self.tasks) >= self.limits.requests and cycle.scope["path"] not in _UNLIMITED_PATHS:
            app = _overloaded
        super()._start_asgi_task(cycle, app)

    def _check_head(self) -> None:
        """Refuse a head that is too large, of an unknown HTTP version, ambiguous, or behind too many others.

        Raises:
            NotOneRequestError: into the parser, which raises its own error in `data_received`.
        """
        limits, version = self.limits, self.parser.get_http_version()
        if len(self.pipeline) >= limits.ahead:
            raise NotOneRequestError
        if len(self.headers) > limits.headers or version not in _VERSIONS:
            raise NotOneRequestError
        if self._arrived > limits.head_bytes and self._head_size() > limits.head_bytes:
            raise NotOneRequestError
        if self.url[:1] != b"/":
            self._check_absolute_url()
        if version == "1.0" and any(name == b"transfer-encoding" for name, _ in self.headers):
            raise NotOneRequestError

    def _check_absolute_url(self) -> None:
        """Refuse `GET http://host/…` unless its host equals the Host header (RFC 9112 section 3.2.2)."""
        scheme, _, rest = self.url.partition(b"://")
        named = rest.partition(b"/")[0].lower()
        hosts = [value.lower() for name, value in self.headers if name == b"host"]
        if scheme.lower() not in {b"http", b"https"} or hosts != [named]:
            raise NotOneRequestError

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    # --- refusals -----------------------------------------------------------------------------------------------------

    def _refuse(self, status: HTTPStatus) -> None:
        """Send an error answer and close. An answer under way is finished instead, so that two answers do not mix."""
        self._held = None
        if self._working is not None and not self._working.response_complete:
            self._close_after_this()
            return
        self._ignores_input = True
        self._stop_clock()
        if self.transport.is_closing():
            return
        text = status.phrase.encode() + b"\n"
        retry = b"retry-after: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else b""
        head = b"".join(name + b": " + value + b"\r\n" for name, value in HARDENING)
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n%s%sconnection: close"
            b"\r\n\r\n%s" % (status, status.phrase.encode(), len(text), retry, head, text)
        )
        self.transport.close()

    def _close_after_this(self) -> None:
        self._ignores_input = True
        self._stop_clock()
        self.pipeline.clear()
        if self._working is not None and not self._working.response_complete:
            self._working.keep_alive = False
        else:
            self.transport.close()

    def _close_after_those_ahead(self) -> None:
        """Answer the waiting requests, then close. The client may repeat the others on a new connection."""
        self._ignores_input = True
        self._stop_clock()
        last, _ = self.pipeline[0]
        last.keep_alive = False

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
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 503 with Retry-After."""
    body = b'{"error":"overloaded","retry_after":1}'
    await answer(send, 503, body, b"application/json; charset=utf-8", [(b"retry-after", b"1")])


def _with_known_method(data: bytes) -> bytes:
    """Replace a method that the parser does not know by UNLINK, which it knows and no application answers.

    The parser would close the connection. So the application refuses it in its own style instead
    (docs/contracts/careyshop.md section 1.1).
    """
    line = _REQUEST_LINE.match(data)
    if line is None or line[1] in _PARSED:
        return data
    return b"UNLINK" + data[line.end(1) :]


def _limit_key(ip: str) -> str:
    """Return the key that connections are counted under.

    It is the IPv4 address itself, or the /64 of an IPv6 address, because one customer has a whole /64. It is "" for
    loopback, which has no limit.
    """
    address = parse_address(ip)
    if address is None or address.is_loopback:
        return ""
    return str(address) if address.version == 4 else network_of(ip)
