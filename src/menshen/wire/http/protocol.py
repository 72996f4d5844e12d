"""A client's connection: uvicorn's HTTP/1.1 with bounds on time, size and number.

What uvicorn leaves open is closed here: how long a head and a body may take and how large a head may be, how
many connections one address may have, how many requests are worked on at once. An application is called when
the whole request is there, so that slow clients occupy connections, which are many and cheap, and no place
among the requests. What two servers could read differently is refused and the connection closed.

    accepted ──(too many)──> 503 ──> closed
       │
       v
     HEAD ──(10 s, 32 KiB, 100 headers, not HTTP/1.x)──> 4xx ──> closed
       │    (16 requests wait for the answer of one before them)──> their answers ──> closed
       │ complete
       v
     BODY ──(15 s, or what does not parse)──> 4xx ──> closed
       │ complete, or longer than any body may be (the application says no in its own words)
       v
    ANSWER ──(requests at work ≥ limit, and no token check)──> 503, Retry-After
       │ sent ──(client does not read for 15 s)──> closed
       v
     HEAD of the next, or idle until the keep-alive limit

Must not know what is answered. (docs/security/attacks.md HD-3, HD-8, RS-1, RS-2, RS-4.)
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
    """Per worker. Times in seconds, sizes in bytes; `per_address` 0 counts none, as behind a proxy.

    `farewell_seconds`: how long a connection that nothing happens on is kept when the server ends.
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
    """Requests that may wait for the answer of one before them: one piece of 64 KiB could hold thousands."""


@dataclass(slots=True)
class _Door:
    """Who is inside: shared by the connections of one worker."""

    total: int = 0
    by_address: Counter[str] = field(default_factory=Counter)

    def admits(self, address: str, limits: ConnectionLimits) -> bool:
        """Whether one more fits; it is counted either way, until `leave`."""
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
    """The protocol class under `limits`, for uvicorn's `http` setting; its connections are counted together."""
    return type("GuardedProtocol", (GuardedProtocol,), {"limits": limits, "door": _Door()})


class NotOneRequestError(Exception):
    """Raised into the parser: the head is too large, could be read in two ways, or is one too many."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. Made by uvicorn; the class by `guarded`.

    Nearly every request comes whole in one piece: such a one costs no timer, and is weighed only when the piece
    is large.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    door: ClassVar[_Door] = _Door()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn makes it, once for each connection."""
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._arrived = 0
        self._head_count = 0
        self._held: tuple[RequestResponseCycle, Any] | None = None
        self._working: RequestResponseCycle | None = None
        self._deaf = False
        self._leaving = False
        self._deadline: TimerHandle | None = None
        self._write_deadline: TimerHandle | None = None
        self._address = ""

    # --- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = _counted_as(self.client[0]) if self.client else ""
        if self.door.admits(self._address, self.limits):
            self._start_clock(self.limits.head_seconds)
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.leave(self._address)
        self._stop_clock()
        self.resume_writing()
        self._held = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        if self._in_head and not self._arrived and data[:4] not in _USUAL:
            data = _with_parsed_verb(data)
        self._arrived += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nobody is upgraded here, and what follows could be body to some and a next request to others.
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
            # The parser hoards a header that does not end: it is weighed by what came in.
            if self._arrived > self.limits.head_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif len(self.headers) > self.limits.headers or self._arrived > 4 * (self.limits.head_bytes + BODY_LIMIT):
            # Trailers, and extensions of chunks, are no body and have no end of their own.
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._start_clock(self.limits.body_seconds)

    def shutdown(self) -> None:
        """The server ends: what is under way is answered, and what was asked before the news arrived, with a close.

        A proxy that sends into a connection which is just being closed cannot know whether a POST was heard.
        """
        self._leaving = True
        if self._is_idle():
            self._unset_keepalive_if_required()
            self.loop.call_later(self.limits.farewell_seconds, self._take_leave)
        else:
            super().shutdown()

    def _take_leave(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _is_idle(self) -> bool:
        """Whether no request has come so far that its application is known."""
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
        self._judge_head()
        self._in_head = False
        self._head_count = len(self.headers)
        if self._deadline is not None:
            self._stop_clock()
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self._held is not None and len(self._held[0].body) > BODY_LIMIT:
            self._begin(*self._held)

    def on_message_complete(self) -> None:
        if len(self.headers) > self._head_count:
            # Trailers come after everything was checked: none of them is a header.
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
        # Who waits to be told to go on would never send the body.
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

    def _judge_head(self) -> None:
        """Refuse what is too large, too new, one too many, or what another server could read in another way.

        Raises:
            NotOneRequestError: into the parser, which tells `data_received`.
        """
        limits, version = self.limits, self.parser.get_http_version()
        if len(self.pipeline) >= limits.ahead:
            raise NotOneRequestError
        if len(self.headers) > limits.headers or version not in _VERSIONS:
            raise NotOneRequestError
        if self._arrived > limits.head_bytes and self._weight() > limits.head_bytes:
            raise NotOneRequestError
        if self.url[:1] != b"/":
            self._judge_absolute()
        if version == "1.0" and any(name == b"transfer-encoding" for name, _ in self.headers):
            raise NotOneRequestError

    def _judge_absolute(self) -> None:
        """`GET http://host/…` counts when it says the same as the Host header (RFC 9112 section 3.2.2)."""
        scheme, _, rest = self.url.partition(b"://")
        named = rest.partition(b"/")[0].lower()
        hosts = [value.lower() for name, value in self.headers if name == b"host"]
        if scheme.lower() not in {b"http", b"https"} or hosts != [named]:
            raise NotOneRequestError

    def _weight(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    # --- saying no ----------------------------------------------------------------------------------------------------

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer and close; an answer that is under way is finished first, so that no two mix."""
        self._held = None
        if self._working is not None and not self._working.response_complete:
            self._close_after_this()
            return
        self._deaf = True
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
        self._deaf = True
        self._stop_clock()
        self.pipeline.clear()
        if self._working is not None and not self._working.response_complete:
            self._working.keep_alive = False
        else:
            self.transport.close()

    def _close_after_those_ahead(self) -> None:
        """Answer what waits and no more; whoever asked for more may ask again on another connection."""
        self._deaf = True
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
            # Nothing was asked: there is nothing to answer.
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """There is too much to do: come back."""
    body = b'{"error":"overloaded","retry_after":1}'
    await answer(send, 503, body, b"application/json; charset=utf-8", [(b"retry-after", b"1")])


def _with_parsed_verb(data: bytes) -> bytes:
    """A request whose verb the parser has never heard of, under one that it knows and nothing here answers.

    The parser would hang up; so the application says no in its own style (docs/contracts/careyshop.md section 1.1).
    """
    line = _REQUEST_LINE.match(data)
    if line is None or line[1] in _PARSED:
        return data
    return b"UNLINK" + data[line.end(1) :]


def _counted_as(ip: str) -> str:
    """An IPv4 address itself, of an IPv6 one its /64, which one customer has all of; "" for this machine's own."""
    address = parse_address(ip)
    if address is None or address.is_loopback:
        return ""
    return str(address) if address.version == 4 else network_of(ip)
