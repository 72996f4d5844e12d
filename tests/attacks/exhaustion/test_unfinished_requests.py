"""RS-10 on sockets: what has not arrived, or is not read, takes no place among the requests at work.

The server has few places, and more callers than places leave a request unfinished in one way. Others are answered.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from menshen.wire.http.body import BODY_LIMIT
from menshen.wire.http.connection_limits import ConnectionLimits
from tests.figures import Figure
from tests.server import Server, running

PLACES = 8
CALLERS = 3 * PLACES
LOGIN = b"POST /weidu/api/v1/users/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SHOP = b"POST /api/v1/user HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHECK = b"HEAD /auth/verify HTTP/1.1\r\nHost: 127.0.0.1\r\n"
NOWHERE = b"PUT /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n"
EXPECT = b"Expect: 100-continue\r\n"
LENGTH = b"Content-Length: 100\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YWFhYQ==\r\n"
WHOLE = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
END = b"\r\n"

UNFINISHED = {
    "expect": LOGIN + EXPECT + LENGTH + END,
    "expect, careyshop": SHOP + EXPECT + LENGTH + END,
    "expect, token check": CHECK + EXPECT + LENGTH + END,
    "expect, no such call": NOWHERE + EXPECT + LENGTH + END,
    "expect in other letters": LOGIN + b"EXPECT: 100-CONTINUE\r\n" + LENGTH + END,
    "expect twice": LOGIN + EXPECT + EXPECT + LENGTH + END,
    "expect, chunked": LOGIN + EXPECT + CHUNKED + END,
    "expect, HTTP/1.0": LOGIN.replace(b"1.1", b"1.0") + EXPECT + LENGTH + END,
    "expect, body begun": LOGIN + EXPECT + LENGTH + END + b"{",
    "expect, keep-alive": LOGIN + EXPECT + LENGTH + b"Connection: keep-alive\r\n" + END,
    "expect, h2c": LOGIN + EXPECT + H2C + LENGTH + END,
    "expect, websocket": LOGIN + EXPECT + WEBSOCKET + LENGTH + END,
    "expect, behind a whole one": WHOLE + LOGIN + EXPECT + LENGTH + END,
    "expect, behind one of its kind": SHOP + EXPECT + b"Content-Length: 0\r\n\r\n" + LOGIN + EXPECT + LENGTH + END,
    "length": LOGIN + LENGTH + END,
    "length, HTTP/1.0": LOGIN.replace(b"1.1", b"1.0") + LENGTH + END,
    "h2c": LOGIN + H2C + LENGTH + END,
    "websocket": LOGIN + WEBSOCKET + LENGTH + END,
    "chunked": LOGIN + CHUNKED + END + b"1\r\n{\r\n",
    "chunk without an end": LOGIN + CHUNKED + END + b"64\r\n{",
    "extension without an end": LOGIN + CHUNKED + END + b"1;a=",
    "trailer without an end": LOGIN + CHUNKED + END + b"0\r\nX: y",
    "head": LOGIN + EXPECT + LENGTH,
    "head behind a whole one": WHOLE + LOGIN,
    "nothing": b"",
    "nothing behind a whole one": WHOLE,
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with few places."""
    environ = {"MENSHEN_SERVER__REQUESTS": str(PLACES)}
    with running(tmp_path_factory.mktemp("small") / "data", environ=environ) as server:
        yield server


@contextmanager
def callers(server: Server, sent: bytes, count: int = CALLERS, room: int = 0) -> Iterator[list[socket.socket]]:
    """So many connections that each sent `sent`, one by one. `room` is the receive buffer, 0 for the usual one.

    What is behind a whole request begins with its answer: each waits for the first byte of it. In one burst they would
    take the places from each other.
    """
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            if room:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            one.settimeout(60)
            one.connect(server.address)
            one.sendall(sent)
            if sent.startswith((b"GET ", SHOP + EXPECT + b"Content-Length: 0")):
                one.recv(1, socket.MSG_PEEK)
            made.append(one)
        yield made


def demand_room(server: Server, rounds: int = 3) -> None:
    """Others are answered, by every kind of call.

    Requests that have arrived are at work at first, which is their right. No caller is cut off so soon.
    """
    begun = time.monotonic()
    while server.call("GET", "/nothing").status == 503:
        assert time.monotonic() - begun < ConnectionLimits().head_seconds / 2
    for _ in range(rounds):
        assert server.call("POST", "/weidu/api/v1/users/login", "{}").status == 400
        assert server.call("POST", "/api/v1/user", "{}").status == 200
        assert server.call("GET", "/auth/verify").status == 401
        assert server.call("GET", "/nothing").status == 404


@pytest.mark.attack("RS-10")
@pytest.mark.parametrize("how", list(UNFINISHED))
def test_what_has_not_arrived_takes_no_place(small: Server, how: str) -> None:
    with callers(small, UNFINISHED[how]):
        demand_room(small)


@pytest.mark.attack("RS-10")
def test_more_idle_callers_than_places_that_wait_to_be_told_to_go_on(tmp_path: Path, figure: Figure) -> None:
    """With the server's own limits. Each is told to go on, and answered as soon as its body is there."""
    with running(tmp_path / "data") as server, callers(server, UNFINISHED["expect"], 520) as waiting:
        for one in waiting:
            assert one.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n"
        demand_room(server)
        for one in waiting[:: len(waiting) // 4]:
            one.sendall(b"{}".ljust(100))
            assert one.recv(64).startswith(b"HTTP/1.1 400 ")
        figure(f"RS-10: {len(waiting)} callers that wait for 100 Continue: others are answered, and they too")


@pytest.mark.attack("RS-10")
@pytest.mark.parametrize("door", [LOGIN, SHOP, CHECK, NOWHERE], ids=["weidu", "careyshop", "token check", "nowhere"])
@pytest.mark.parametrize("sent", [EXPECT, b""], ids=["expect", "begun"])
def test_a_body_that_is_too_long_is_refused_and_not_waited_for(small: Server, door: bytes, sent: bytes) -> None:
    """It is refused in the style of its dialect, without 100 Continue, or as soon as too much of it is there."""
    head = door + sent + b"Content-Length: 1000000\r\n" + END
    with callers(small, head if sent else head + b"x" * (BODY_LIMIT + 1)) as refused:
        demand_room(small)
        # As many at once as there are places, and more: some may hear that.
        heard = [one.recv(64) for one in refused]
        assert all(answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200 ", b"HTTP/1.1 503 ")) for answer in heard)
        assert not all(answer.startswith(b"HTTP/1.1 503 ") for answer in heard)


@pytest.mark.attack("RS-10")
def test_answers_that_nobody_reads_take_no_place(small: Server) -> None:
    """The answers fill every buffer on the way, of which the kernel's hold some MB. Requests behind them wait."""
    request = b"GET /openapi.json HTTP/1.1\r\nHost: [::1]\r\n\r\n"
    size = len(small.call("GET", "/openapi.json").body)
    with callers(small, request, room=4096) as silent:
        for _ in range(4_000_000 // size):
            for one in silent:
                one.sendall(request)
                # In one burst they would take the places from each other.
                time.sleep(0.002)
        demand_room(small)
