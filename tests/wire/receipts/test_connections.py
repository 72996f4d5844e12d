"""Pushes at a started server: long ones, slow ones, and those that nobody may send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from menshen.wire.http.body import BODY_LIMIT
from menshen.wire.receipts.pushes import MOST_BODY
from tests import server
from tests.wire.receipts.site import ENVIRON

OFF = "/receipts/main/" + "y" * 32
NOT_FOUND = b'{"error":"not_found"}'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    environ = {**ENVIRON, "MENSHEN_SERVER__OUTBOX_ON_NETWORK": "true"}
    with server.running(tmp_path_factory.mktemp("receipts") / "data", environ=environ) as started:
        yield started


@pytest.fixture(scope="module")
def main(running: server.Server) -> str:
    rows = json.loads(running.menshen("sms", "list", "--json"))["senders"]
    return str(next(row["receipt_path"] for row in rows if row["sender"] == "main"))


def raw(running: server.Server, head: str, *parts: bytes) -> bytes:
    """Send a head, then parts without waiting; return everything that comes until the server closes."""
    with socket.create_connection(running.address, timeout=30) as caller:
        caller.sendall(f"{head}host: 127.0.0.1\r\n\r\n".encode())
        heard = b""
        for part in parts:
            caller.sendall(part)
        while piece := caller.recv(65536):
            heard += piece
        return heard


def test_a_push_as_long_as_a_push_may_be(running: server.Server, main: str) -> None:
    for size in (BODY_LIMIT, BODY_LIMIT + 1, MOST_BODY):
        told = running.call("POST", main, b"[]".ljust(size))
        assert (told.status, told.body) == (200, b'{"code":0,"msg":"OK"}')
    assert running.call("POST", main, b"[]".ljust(MOST_BODY + 1)).status == 413


@pytest.mark.attack("RC-5")
@pytest.mark.parametrize(
    ("head", "parts", "status"),
    [
        # What is announced as too long is not waited for.
        ("POST {main} HTTP/1.1\r\ncontent-length: 65537\r\nexpect: 100-continue\r\n", [], b"413"),
        ("POST {main} HTTP/1.1\r\ncontent-length: 9999999999\r\n", [b" " * 20_000], b"413"),
        # What is not announced is read as far as it may be long.
        (
            "POST {main} HTTP/1.1\r\ntransfer-encoding: chunked\r\n",
            [b"4000\r\n" + b" " * 0x4000 + b"\r\n"] * 4 + [b"1\r\n \r\n"],
            b"413",
        ),
        # Those without the secret are told before their body has come.
        (f"POST {OFF} HTTP/1.1\r\ncontent-length: 60000\r\n", [b" " * 17_000], b"404"),
        (f"POST {OFF} HTTP/1.1\r\ncontent-length: 60000\r\nexpect: 100-continue\r\n", [], b"404"),
        # A client that waits to be asked for a body of that length sends it without, when it hears this.
        ("POST {main} HTTP/1.1\r\ncontent-length: 60000\r\nexpect: 100-continue\r\n", [], b"417"),
    ],
)
def test_a_body_that_is_too_long_or_not_wanted_is_not_waited_for(
    running: server.Server, main: str, head: str, parts: list[bytes], status: bytes
) -> None:
    heard = raw(running, head.format(main=main), *parts)
    assert heard.split(b" ", 2)[1] == status
    assert heard.count(b"HTTP/1.1 ") == 1


def test_a_short_body_may_be_waited_for(running: server.Server, main: str) -> None:
    told = running.call("POST", main, b"[]", {"expect": "100-continue"})
    assert told.status == 200


@pytest.mark.attack("RC-8")
def test_neither_log_nor_metrics_show_the_address(running: server.Server, main: str, tmp_path: Path) -> None:
    running.call("POST", main, b"{}")
    running.call("GET", main)
    running.call("POST", main, b"[]")
    secret = main.rpartition("/")[2]
    assert secret not in running.log.read_text()
    told = running.call("GET", "/metrics").body.decode()
    assert secret not in told
    assert 'menshen_sms_receipts_total{outcome="refused",sender="main"} 1.0' in told
    assert 'menshen_sms_receipts_total{outcome="delivered",sender="home"} 0.0' in told
