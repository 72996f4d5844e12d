"""Requests are bounded in time, size and number, and none hides in another."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from menshen.wire.http.body import BODY_LIMIT
from menshen.wire.http.connection_limits import ConnectionLimits
from menshen.wire.http.protocol import GuardedProtocol, guarded

Talk = Callable[..., Coroutine[Any, Any, bytes]]
CLOSES = 60.0
"""Patience with a server that closes by itself."""
LIMITS = ConnectionLimits()
MOST_HEAD_BYTES, MOST_HEADERS = LIMITS.head_bytes, LIMITS.headers


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells how long the body was; at /headers, which headers came."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"%d\n" % size
    if scope["path"] == "/headers":
        body = b" ".join(name for name, _ in scope["headers"])
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def protocol() -> type[GuardedProtocol]:
    """The class that `talk` speaks to; a test may change its limits."""
    return guarded(LIMITS)


async def settle() -> None:
    """Give everything that is ready its turn: server and client live on one loop, and nowhere else."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.fixture
async def talk(protocol: type[GuardedProtocol]) -> AsyncIterator[Talk]:
    """`await talk(piece, piece, …, pause=seconds)`: everything that came back until it was closed, or was silent.

    It is silent when `patience` seconds are over and there is nothing left to do.
    """
    config = uvicorn.Config(
        app, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False, timeout_keep_alive=60
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()

    def make() -> asyncio.Protocol:
        return protocol(config=config, server_state=state, app_state={}, _loop=loop)

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
                if pause:
                    await settle()
            await asyncio.wait([listening], timeout=patience)
            before = -1
            while not listening.done() and before != len(heard):
                before = len(heard)
                await settle()
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


def test_the_limits_are_these() -> None:
    assert (LIMITS.head_seconds, LIMITS.body_seconds, LIMITS.write_seconds) == (10, 15, 15)
    assert (LIMITS.per_address, LIMITS.connections, LIMITS.requests) == (100, 4096, 512)


async def test_requests_follow_one_another(talk: Talk) -> None:
    one = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    assert statuses(await talk(one, one, pause=0.05)) == [b"200", b"200"]
    assert statuses(await talk(one + one + one)) == [b"200"] * 3
    assert statuses(await talk(one[:9], one[9:], pause=0.05)) == [b"200"]


async def test_only_so_many_requests_run_ahead_of_their_answers(talk: Talk) -> None:
    """The one at work and those that may wait are answered; of what comes behind them nothing is begun."""
    one = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    heard = await talk(one * (LIMITS.ahead + 1), patience=0.3)
    assert statuses(heard) == [b"200"] * (LIMITS.ahead + 1)
    assert not heard.endswith(b"<closed>")
    heard = await talk(one * 2_000, patience=CLOSES)
    assert statuses(heard) == [b"200"] * (LIMITS.ahead + 1)
    assert heard.endswith(b"<closed>")


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
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(MOST_HEADERS + 1)) + b"\r\n",),
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(5000)),),
    ],
    ids=["long header", "endless header", "long path", "endless path", "many headers", "endlessly many headers"],
)  # fmt: skip
async def test_a_head_too_large_is_refused_and_closed(talk: Talk, pieces: tuple[bytes, ...]) -> None:
    heard = await talk(*pieces, patience=CLOSES)
    assert statuses(heard) in ([b"400"], [b"431"], [])
    assert heard.endswith(b"<closed>")
    assert b"200" not in heard


@pytest.mark.attack("RS-2")
async def test_a_slow_head_is_cut_off(talk: Talk, protocol: type[GuardedProtocol]) -> None:
    protocol.limits = ConnectionLimits(head_seconds=0.3)
    drops = [bytes([byte]) for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n" * 4]
    assert (await talk(*drops, pause=0.05, patience=CLOSES)).endswith(b"<closed>")
    assert (await talk(b"", patience=CLOSES)).endswith(b"<closed>")
    assert (await talk(b"GET / HT", patience=CLOSES)).endswith(b"<closed>")


async def test_a_slow_second_head_is_cut_off_too(talk: Talk, protocol: type[GuardedProtocol]) -> None:
    protocol.limits = ConnectionLimits(head_seconds=1.0)
    first = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    drops = [bytes([byte]) for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n" * 4]
    heard = await talk(first, *drops, pause=0.05, patience=CLOSES)
    assert statuses(heard) == [b"200", b"408"]
    assert heard.endswith(b"<closed>")
    # Empty lines between requests are allowed, but not for ever.
    heard = await talk(first, *[b"\r\n"] * 40, pause=0.05, patience=CLOSES)
    assert heard.endswith(b"<closed>")


async def test_a_slow_body_is_not_the_heads_fault(talk: Talk, protocol: type[GuardedProtocol]) -> None:
    protocol.limits = ConnectionLimits(head_seconds=1.0, body_seconds=CLOSES)
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n"
    assert statuses(await talk(head, *[b"x"] * 8, pause=0.15)) == [b"200"]


HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.mark.attack("HD-8")
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
        b"GET / HTTP/1.2\r\nhost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length : 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\nx: y\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nabcde\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\n: chunked\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=[
        "length and chunked", "chunked and length", "two lengths", "the same length twice", "signed length",
        "list of lengths", "blank before colon", "chunked not last", "folded header", "bare line feeds",
        "bare carriage return", "nul", "line feed in a chunk's extension", "another version", "next version",
        "hex length", "blank in the length's name", "folded coding", "one bare line feed", "another coding",
        "two codings", "vertical tab", "negative chunk", "endless chunk", "no colon", "no name", "connect", "tls",
    ],
)  # fmt: skip
async def test_what_two_servers_could_read_differently_is_refused(talk: Talk, raw: bytes) -> None:
    heard = await talk(raw + HIDDEN, patience=CLOSES)
    assert statuses(heard) == [b"400"]
    assert heard.endswith(b"<closed>")


@pytest.mark.attack("RS-2")
async def test_a_slow_body_is_cut_off(talk: Talk, protocol: type[GuardedProtocol]) -> None:
    protocol.limits = ConnectionLimits(body_seconds=0.3)
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n"
    heard = await talk(head, *[b"x"] * 20, pause=0.05, patience=CLOSES)
    assert statuses(heard) == [b"408"]
    assert heard.endswith(b"<closed>")
    chunked = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    heard = await talk(chunked, *[b"1\r\nx\r\n"] * 20, pause=0.05, patience=CLOSES)
    assert statuses(heard) == [b"408"]


@pytest.mark.attack("RS-2")
async def test_nobody_works_for_a_body_that_is_not_there_yet(talk: Talk, protocol: type[GuardedProtocol]) -> None:
    protocol.limits = ConnectionLimits(requests=1)
    slow = asyncio.create_task(talk(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n", b"x", b"y", pause=0.3))
    await settle()
    assert statuses(await talk(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", patience=0.1)) == [b"200"]
    assert statuses(await slow) == [b"200"]


async def test_who_waits_to_be_told_to_go_on_is_told(talk: Talk) -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    assert statuses(await talk(head, b"xy", pause=0.1)) == [b"100", b"200"]


@pytest.mark.parametrize("ending", [b"x" * 40_000, b"20000\r\n" + b"x" * 0x20000 + b"\r\n0\r\n\r\n"])
async def test_a_body_that_is_too_long_comes_to_the_application_as_such(talk: Talk, ending: bytes) -> None:
    """It alone knows how its house says no."""
    assert len(ending) > BODY_LIMIT
    how = b"content-length: 40000" if ending[:1] == b"x" else b"transfer-encoding: chunked"
    heard = await talk(b"POST / HTTP/1.1\r\nhost: a\r\n" + how + b"\r\n\r\n" + ending)
    assert statuses(heard) == [b"200"]


@pytest.mark.attack("HD-8")
async def test_extensions_of_chunks_have_an_end(talk: Talk) -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;"
    heard = await talk(head, *[b"e" * 60_000] * 20, patience=CLOSES)
    assert statuses(heard) in ([b"413"], [])
    assert heard.endswith(b"<closed>")


async def test_too_many_connections_of_one_address(talk: Talk, protocol: type[GuardedProtocol]) -> None:
    protocol.limits = ConnectionLimits(connections=2)
    idle = [asyncio.create_task(talk(b"", patience=3600)) for _ in range(2)]
    while protocol.counts.total < 2:  # noqa: ASYNC110 - no event reports a count
        await asyncio.sleep(0)
    heard = await talk(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", patience=CLOSES)
    assert statuses(heard) == [b"503"]
    assert b"retry-after: 1" in heard
    assert heard.endswith(b"<closed>")
    for one in idle:
        one.cancel()
    while protocol.counts.total:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    assert statuses(await talk(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")) == [b"200"]


async def test_at_the_limit_only_token_checks_and_health_go_on(talk: Talk, protocol: type[GuardedProtocol]) -> None:
    protocol.limits = ConnectionLimits(requests=0)
    served = ("/auth/verify", "/auth/verify/proved-phone", "/livez", "/readyz")
    shed = ("/x", "/auth/verifyx", "/livez/x", "/auth")
    for path, status in (*((path, b"200") for path in served), *((path, b"503") for path in shed)):
        heard = await talk(b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path.encode(), patience=0.1)
        assert statuses(heard) == [status], path
        assert (b"retry-after: 1" in heard) == (status == b"503")


@pytest.mark.attack("HD-3")
@pytest.mark.parametrize(
    ("line", "host", "status"),
    [
        (b"http://a/", b"a", b"200"),
        (b"HTTP://A/", b"a", b"200"),
        (b"http://evil/", b"a", b"400"),
        (b"http://a@evil/", b"a", b"400"),
        (b"ftp://a/", b"a", b"400"),
        (b"*", b"a", b"400"),
        (b"a:443", b"a", b"400"),
    ],
)
async def test_a_whole_address_says_the_same_as_host(talk: Talk, line: bytes, host: bytes, status: bytes) -> None:
    assert statuses(await talk(b"GET " + line + b" HTTP/1.1\r\nhost: " + host + b"\r\n\r\n")) == [status]


@pytest.mark.attack("HD-8")
async def test_no_trailer_becomes_a_header(talk: Talk) -> None:
    raw = b"POST /headers HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nauthorization: Bearer x\r\n\r\n"
    heard = await talk(raw)
    assert statuses(heard) == [b"200"]
    assert b"authorization" not in heard
    assert b"transfer-encoding" in heard


@pytest.mark.attack("HD-8")
async def test_chunked_is_nothing_that_http_1_0_knows(talk: Talk) -> None:
    raw = b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    assert statuses(await talk(raw)) == [b"400"]
    assert statuses(await talk(b"GET / HTTP/2.0\r\nhost: a\r\n\r\n")) == [b"400"]


async def test_what_breaks_behind_a_good_request_does_not_spoil_its_answer(talk: Talk) -> None:
    heard = await talk(b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nx y z\r\n\r\n")
    assert statuses(heard) == [b"200"]
    assert heard.endswith(b"<closed>")


async def test_verbs_that_no_parser_knows_reach_the_application(talk: Talk) -> None:
    assert statuses(await talk(b"BREW / HTTP/1.1\r\nhost: a\r\n\r\n")) == [b"200"]
