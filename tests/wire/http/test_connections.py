"""Connections are counted by address, and whoever does not read loses theirs."""

import asyncio
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from menshen.wire.http.connection_limits import ConnectionLimits
from menshen.wire.http.protocol import guarded


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("no request comes")


@pytest.mark.parametrize(
    ("address", "admitted"),
    [("203.0.113.7", 3), ("::ffff:203.0.113.7", 3), ("2001:db8::1", 3), ("127.0.0.1", 9), ("::1", 9), ("", 9)],
)
async def test_connections_are_counted_by_address(address: str, admitted: int) -> None:
    made = guarded(ConnectionLimits(per_address=3))
    config = uvicorn.Config(app, http=made, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    loop = asyncio.get_running_loop()
    connections = [made(config=config, server_state=ServerState(), app_state={}, _loop=loop) for _ in range(9)]
    transports = [StatedPeer(address) for _ in connections]
    for one, transport in zip(connections, transports, strict=True):
        one.connection_made(transport)
    assert [transport.is_closing() for transport in transports] == [False] * admitted + [True] * (9 - admitted)
    other = StatedPeer("198.51.100.1")
    last = made(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    last.connection_made(other)
    assert not other.is_closing()
    for one in (*connections, last):
        one.connection_lost(None)
    assert made.counts.total == 0
    assert not made.counts.by_address


class StatedPeer(asyncio.Transport):
    """A transport whose peer is whoever it says."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 4711) if address else None})
        self.closed = False
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.mark.attack("RS-2")
async def test_whoever_does_not_read_is_cut_off() -> None:
    made = guarded(ConnectionLimits(write_seconds=0.05))
    config = uvicorn.Config(app, http=made, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    connection = made(config=config, server_state=ServerState(), app_state={}, _loop=asyncio.get_running_loop())
    transport = StatedPeer("203.0.113.7")
    connection.connection_made(transport)
    connection.pause_writing()
    connection.resume_writing()
    await asyncio.sleep(0.1)
    assert not transport.is_closing()
    connection.pause_writing()
    await asyncio.sleep(0.1)
    assert transport.is_closing()
    connection.connection_lost(None)
