"""A service outside, as bad as a test wants it: a socket on loopback that says what it is told to say."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from menshen.adapters.outward.client import HttpOutward
from menshen.core.networks import NetworkSet

CERTIFICATE: Final = Path(__file__).with_name("vendor.example.pem")
"""A key and a certificate for `vendor.example` that signs itself: good for this test and for nothing else."""

LOOPBACK: Final = NetworkSet.of(["127.0.0.0/8"])

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Service:
    """What was heard: the bytes of each connection; and whether a caller left in the middle of a request."""

    port: int
    heard: list[bytes] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def service(say: Say, tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
    """Listen on loopback; read one request of each connection, then `say` something and close it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[16:]) for line in head.split(b"\r\n") if line.lower()[:15] == b"content-length:"), 0
            )
            made.heard.append(head + await reader.readexactly(length))
            await say(writer)
        except (OSError, asyncio.IncompleteReadError):
            made.left.set()
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    made = Service(server.sockets[0].getsockname()[1])
    async with server:
        yield made


def saying(answer: bytes) -> Say:
    """Say `answer` and no more."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return say


def with_a_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def client(*addresses: str, networks: NetworkSet = LOOPBACK, trusting: bool = False) -> HttpOutward:
    """A client for which every name has `addresses`, and that trusts the certificate above or the machine's roots."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses or ["127.0.0.1"])

    tls = ssl.create_default_context(cafile=CERTIFICATE) if trusting else None
    return HttpOutward(networks, resolve=resolve, tls=tls)
