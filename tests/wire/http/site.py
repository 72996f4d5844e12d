"""A started protocol on this loop, and clients that read only when they are told to."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from menshen.wire.http.body import BodyTooLargeError, read_body
from menshen.wire.http.connection_limits import ConnectionLimits
from menshen.wire.http.protocol import GuardedProtocol, guarded

PATIENCE = 10.0
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: a\r\n"
EXPECT = b"expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LARGE, FAIR = 300_000, 50_000
"""Bodies of answers: one that makes the transport complain of its reader, and one that does not."""


@dataclass
class Site:
    """A server on this loop: its connections, and how its application was called."""

    limits: ConnectionLimits
    begun: list[str] = field(default_factory=list)
    at_work: int = 0
    made: list[GuardedProtocol] = field(default_factory=list)
    state: ServerState = field(default_factory=ServerState)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    address: tuple[str, int] = ("", 0)
    sockets: list[socket.socket] = field(default_factory=list)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the length of the body.

        `/large`, `/fair`: with so much; `/later`: when `go_on` is set; `/raw`: with the kind of the first message.
        The paths of checks: without reading. `/open`: as `/`, without `connection: close`.
        """
        self.begun.append(scope["path"])
        self.at_work += 1
        try:
            if scope["path"] == "/later":
                await self.go_on.wait()
            length = next((value.decode() for name, value in scope["headers"] if name == b"content-length"), None)
            status, body = 200, b"x" * (LARGE if scope["path"] == "/large" else FAIR)
            if scope["path"] == "/raw":
                body = (await receive())["type"].encode()
            elif scope["path"].startswith(("/auth/verify", "/livez", "/readyz")):
                body = b"read nothing\n"
            elif scope["path"] not in {"/large", "/fair"}:
                try:
                    body = b"%d\n" % len(await read_body(receive, length))
                except BodyTooLargeError:
                    status, body = 413, b"too large\n"
            headers = [(b"content-length", str(len(body)).encode())]
            if status == 413 and scope["path"] != "/open":
                headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        finally:
            self.at_work -= 1

    async def connect(self, sent: bytes, room: int = 0) -> Caller:
        """Connect and send. `room` is the size of the receive buffer, 0 for the usual one."""
        raw = socket.socket()
        self.sockets.append(raw)
        raw.setblocking(False)
        if room:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, self.address)
        await loop.sock_sendall(raw, sent)
        return Caller(raw)


@dataclass
class Caller:
    """A client that reads only when it is told to."""

    raw: socket.socket
    heard: bytes = b""

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.raw, data)

    async def hear(self, until: bytes) -> bytes:
        """Read until `until` was heard, b"" for the end of the connection; everything so far."""
        async with asyncio.timeout(PATIENCE):
            while not until or until not in self.heard:
                try:
                    piece = await asyncio.get_running_loop().sock_recv(self.raw, 1 << 16)
                except ConnectionError:
                    piece = b""
                if not piece:
                    assert not until, self.heard
                    break
                self.heard += piece
        return self.heard

    def statuses(self) -> list[bytes]:
        return re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", self.heard)


async def until(done: Callable[[], object]) -> None:
    """Wait until `done` says so."""
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110 - what is waited for reports no event
            await asyncio.sleep(0.001)


async def settle() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


Start = Callable[..., Any]


@asynccontextmanager
async def starting() -> AsyncIterator[Start]:
    """`await start(keep_alive=60, write_seconds=…)`: a `Site` with those limits."""
    servers, sites = [], []

    async def begin(keep_alive: float = 60, **limits: Any) -> Site:
        site = Site(ConnectionLimits(**limits))
        protocol = guarded(site.limits)
        config = uvicorn.Config(
            site.app, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False, interface="asgi3"
        )
        config.timeout_keep_alive = keep_alive  # type: ignore[assignment]
        config.load()
        loop = asyncio.get_running_loop()

        def make() -> asyncio.Protocol:
            site.made.append(protocol(config=config, server_state=site.state, app_state={}, _loop=loop))
            return site.made[-1]

        server = await loop.create_server(make, "127.0.0.1", 0)
        # Connections inherit it: what a client does not read stays in this process.
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        site.address = server.sockets[0].getsockname()[:2]
        servers.append(server)
        sites.append(site)
        return site

    yield begin
    for server, site in zip(servers, sites, strict=True):
        site.go_on.set()
        for raw in site.sockets:
            raw.close()
        server.close()
        for one in list(site.state.connections):
            one.transport.abort()
        await server.wait_closed()
