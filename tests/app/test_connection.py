"""Heads of requests are bounded in time and size, and no request hides in another."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from menshen.app import connection
from menshen.app.connection import MOST_HEAD_BYTES, MOST_HEADERS, BoundedProtocol

Talk = Callable[..., Coroutine[Any, Any, bytes]]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells how long the body was."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"%d\n" % size
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """`await talk(piece, piece, …, pause=seconds)`: everything that came back until it was closed or half a second."""
    config = uvicorn.Config(
        app, http=BoundedProtocol, ws="none", lifespan="off", log_config=None, access_log=False, timeout_keep_alive=1
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()

    def make() -> asyncio.Protocol:
        return BoundedProtocol(config=config, server_state=state, app_state={}, _loop=loop)

    server = await loop.create_server(make, "127.0.0.1", 0)

    async def say(*pieces: bytes, pause: float = 0.0, patience: float = 0.5) -> bytes:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        heard = b""

        async def listen() -> None:
            nonlocal heard
            while piece := await reader.read(65536):
                heard += piece
            heard += b"<closed>"

        listening = asyncio.create_task(listen())
        try:
            for piece in pieces:
                if listening.done():
                    break
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            await asyncio.wait([listening], timeout=patience)
        except ConnectionError:
            heard += b"<closed>"
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            if not listening.cancelled() and isinstance(listening.exception(), ConnectionError):
                heard += b"<closed>"
            writer.close()
        return heard

    yield say
    server.close()
    for open_connection in list(state.connections):
        open_connection.transport.abort()
    await server.wait_closed()


def statuses(heard: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", heard)


async def test_requests_follow_one_another(talk: Talk) -> None:
    one = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    assert statuses(await talk(one, one, pause=0.05)) == [b"200", b"200"]
    assert statuses(await talk(one + one + one)) == [b"200"] * 3
    assert statuses(await talk(one[:9], one[9:], pause=0.05)) == [b"200"]


async def test_a_large_body_is_no_large_head(talk: Talk) -> None:
    size = 3 * MOST_HEAD_BYTES
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size
    heard = await talk(head + b"x" * size, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", pause=0.1)
    assert statuses(heard) == [b"200", b"200"]
    assert b"%d\n" % size in heard


async def test_a_head_just_below_the_limit_passes(talk: Talk) -> None:
    head = b"GET / HTTP/1.1\r\nhost: a\r\nx-long: " + b"y" * (MOST_HEAD_BYTES - 200) + b"\r\n\r\n"
    assert statuses(await talk(head)) == [b"200"]
    many = b"".join(b"x-%d: y\r\n" % number for number in range(MOST_HEADERS - 1))
    assert statuses(await talk(b"GET / HTTP/1.1\r\nhost: a\r\n" + many + b"\r\n")) == [b"200"]


@pytest.mark.parametrize(
    "pieces",
    [
        (b"GET / HTTP/1.1\r\nhost: a\r\nx-long: " + b"y" * MOST_HEAD_BYTES + b"\r\n\r\n",),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx-long: ", *[b"y" * 4096] * 32),
        (b"GET /" + b"y" * MOST_HEAD_BYTES + b" HTTP/1.1\r\nhost: a\r\n\r\n",),
        (b"GET /", *[b"y" * 4096] * 32),
        (
            b"GET / HTTP/1.1\r\nhost: a\r\n"
            + b"".join(b"x-%d: y\r\n" % number for number in range(MOST_HEADERS + 1))
            + b"\r\n",
        ),
        (
            b"GET / HTTP/1.1\r\nhost: a\r\n"
            + b"".join(b"x-%d: y\r\n" % number for number in range(5000)),
        ),
    ],
    ids=["long header", "endless header", "long path", "endless path", "many headers", "endlessly many headers"],
)  # fmt: skip
async def test_a_head_too_large_is_refused_and_closed(talk: Talk, pieces: tuple[bytes, ...]) -> None:
    heard = await talk(*pieces)
    assert statuses(heard) in ([b"400"], [])
    assert heard.endswith(b"<closed>")
    assert b"200" not in heard


async def test_a_slow_head_is_cut_off(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    drops = [bytes([byte]) for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n" * 4]
    assert (await talk(*drops, pause=0.05)).endswith(b"<closed>")
    assert (await talk(b"", patience=2)).endswith(b"<closed>")
    assert (await talk(b"GET / HT", patience=2)).endswith(b"<closed>")


async def test_a_slow_second_head_is_cut_off_too(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    first = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    drops = [bytes([byte]) for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n" * 4]
    heard = await talk(first, *drops, pause=0.05)
    assert statuses(heard) == [b"200"]
    assert heard.endswith(b"<closed>")
    # Empty lines between requests are allowed, but not for ever.
    heard = await talk(first, *[b"\r\n"] * 40, pause=0.05)
    assert heard.endswith(b"<closed>")


async def test_a_slow_body_is_not_the_heads_fault(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n"
    assert statuses(await talk(head, *[b"x"] * 8, pause=0.06)) == [b"200"]


HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n folded: z\r\n\r\n",
        b"GET / HTTP/1.1\nhost: a\n\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: y\rz: w\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: y\0z\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5;\n\r\nabcde\r\n0\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=[
        "length and chunked", "chunked and length", "two lengths", "the same length twice", "signed length",
        "list of lengths", "blank before colon", "chunked not last", "folded header", "bare line feeds",
        "bare carriage return", "nul", "line feed in a chunk's extension", "another version", "tls",
    ],
)  # fmt: skip
async def test_what_two_servers_could_read_differently_is_refused(talk: Talk, raw: bytes) -> None:
    heard = await talk(raw + HIDDEN)
    assert statuses(heard) == [b"400"]
    assert heard.endswith(b"<closed>")
