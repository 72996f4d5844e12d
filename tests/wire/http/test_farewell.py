"""A server that ends: what was asked before the news arrived is answered, with a close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from menshen.wire.http.connection_limits import ConnectionLimits
from menshen.wire.http.protocol import GuardedProtocol, guarded
from tests.server import running

ASKED = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def serving(farewell_seconds: float) -> AsyncIterator[tuple[Callable[[], Awaitable[Streams]], ServerState]]:
    """A way to connect, and the state that knows the connections."""
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    protocol = guarded(ConnectionLimits(farewell_seconds=farewell_seconds))
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}, _loop=loop), "127.0.0.1", 0
    )
    async with server:
        yield lambda: asyncio.open_connection(*server.sockets[0].getsockname()[:2]), state


async def met(state: ServerState) -> GuardedProtocol:
    while not state.connections:  # noqa: ASYNC110 - a transport tells nobody that it was accepted
        await asyncio.sleep(0)
    (connection,) = state.connections
    assert isinstance(connection, GuardedProtocol)
    return connection


@pytest.mark.parametrize("fresh", [True, False])
async def test_who_asks_while_the_server_ends_is_answered_and_told_to_go(fresh: bool) -> None:
    async with serving(farewell_seconds=60) as (connect, state):
        reader, writer = await connect()
        connection = await met(state)
        if not fresh:
            writer.write(ASKED)
            assert b"connection: close" not in await reader.readuntil(b"\r\n\r\n")
        connection.shutdown()
        writer.write(ASKED)
        heard = await reader.read()
        assert heard.startswith(b"HTTP/1.1 204 ")
        assert b"connection: close" in heard.lower()
        writer.close()


async def test_who_asks_nothing_is_not_waited_for_long() -> None:
    async with serving(farewell_seconds=0.05) as (connect, state):
        reader, writer = await connect()
        (await met(state)).shutdown()
        assert await reader.read() == b""
        writer.close()


def test_notice_is_given_before_the_door_closes(tmp_path: Path) -> None:
    """[server] notice_seconds: balancers hear 503 at /readyz, everybody else is served on new connections too."""
    with running(tmp_path / "data", environ={"MENSHEN_SERVER__NOTICE_SECONDS": "600"}) as server:
        server.process.terminate()
        while server.call("GET", "/readyz").status == 200:
            pass
        assert server.call("GET", "/livez").status == 200
        assert server.call("GET", "/auth/verify").status == 401
        assert server.call("GET", "/weidu/api/v1/users/behavior/challenge").status == 200
        # Told twice, it goes at once.
        assert server.stop() == 0
