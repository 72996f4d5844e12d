"""A vendor on loopback that counts what arrives, and then behaves as badly as a test wants it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

Behave = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What is done on a connection. A writer that it closed ends the connection; else the next request is waited for."""

_LONGEST_WAIT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request as it arrived, whole."""

    method: str
    target: str
    body: bytes


@dataclass
class Vendor:
    """A listener on loopback: how often it was called, and each request that arrived whole."""

    port: int
    behave: Behave
    greet: Behave | None = None
    connections: int = 0
    requests: list[Arrived] = field(default_factory=list)
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def settle(self) -> None:
        """Wait until every caller has left, so that what was sent has been counted."""
        async with asyncio.timeout(_LONGEST_WAIT):
            # A caller may still wait to be let in.
            await asyncio.sleep(0)
            while self._talks:
                await asyncio.wait(self._talks)

    def let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.greet:
                await self.greet(writer)
            while not writer.is_closing():
                self.requests.append(await _request_from(reader))
                await self.behave(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # The caller left.
        finally:
            writer.close()


async def _request_from(reader: asyncio.StreamReader) -> Arrived:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    lengths = [line.partition(":")[2] for line in head if line.lower().startswith("content-length:")]
    return Arrived(method, target, await reader.readexactly(int(lengths[0]) if lengths else 0))


@asynccontextmanager
async def loopback_vendor(behave: Behave, *, greet: Behave | None = None) -> AsyncIterator[Vendor]:
    """Listen on loopback: `greet` each caller, then `behave` after each request."""
    made = Vendor(0, behave, greet)
    server = await asyncio.start_server(made.let_in, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
        await made.settle()


@contextmanager
def nobody_there() -> Iterator[str]:
    """Hold a port on which nobody listens, and give its origin."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


# --- ways to behave ---------------------------------------------------------------------------------------------------


def answering(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, missing: int = 0) -> Behave:
    """Answer; with `missing`, promise so many bytes more than come, and hang up."""
    lines = {**(headers or {}), "Content-Length": str(len(body) + missing)}
    if status == HTTPStatus.NO_CONTENT:
        del lines["Content-Length"]
    head = f"HTTP/1.1 {status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return saying(head.encode() + body)


def saying(answer: bytes) -> Behave:
    """Say these bytes and hang up."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    return behave


async def hanging(writer: asyncio.StreamWriter) -> None:
    """Say nothing, and keep the connection."""


async def trickling(writer: asyncio.StreamWriter) -> None:
    """Answer a byte at a time, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def resetting(writer: asyncio.StreamWriter) -> None:
    """Break the connection, so that the caller's system reports a reset and no end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
