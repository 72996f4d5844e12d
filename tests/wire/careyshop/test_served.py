"""docs/contracts/careyshop.md section 1 over a real socket: what no in-process client can send."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.server import Server, running

REFUSED_VERB = '{"status":500,"message":"不支持的请求方式","data":null}'
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("shop") / "data") as started:
        yield started


def exchange(server: Server, raw: bytes) -> bytes:
    with socket.create_connection(server.address, 30) as connection:
        connection.sendall(raw)
        heard = b""
        while chunk := connection.recv(65536):
            heard += chunk
    return heard


@pytest.mark.parametrize("verb", ["FOO", "BREW", "get", "M-SEARCH", "UNLINK", "PUT"])
def test_verbs_that_nobody_knows(server: Server, verb: str) -> None:
    request = f"{verb} /api/v1/user?format=json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    heard = exchange(server, request.encode())
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert heard.endswith(REFUSED_VERB.encode())


def test_what_is_no_request_is_still_refused(server: Server) -> None:
    for junk in (b"\x16\x03\x01\x02\x00\x01", b"FOO\r\n\r\n", b"F" * 40 + b" / HTTP/1.1\r\n\r\n"):
        assert exchange(server, junk + b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_registration_and_a_login_by_path(server: Server) -> None:
    new = {
        "method": "add.user.item",
        "username": "bob_B-2",
        "password": "Secret/12",
        "password_confirm": "Secret/12",
        "mobile": "13800000002",
    }
    answer = server.call("POST", "/api/v1/user", urlencode(new), {"Content-Type": FORM})
    assert answer.json()["data"] is True
    appkey = json.loads(server.menshen("app", "show", "default", "--json"))["appkey"]
    pairs = f"username/bob_B-2/password/Secret%2F12/platform/pc/appkey/{appkey}/"
    for prefix in ("/api", "//api/", "/index.php/api"):
        answer = server.call("GET", f"{prefix}/v1/user/method/login.user.user/{pairs}")
        assert answer.json()["data"]["user"]["username"] == "bob_B-2", prefix
        assert answer.one("content-type") == "application/json; charset=utf-8"


def test_a_chunked_body(server: Server) -> None:
    body = b'{"method":"check.user.username","username":"fresh1"}'
    head = b"POST /api/v1/user HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    heard = exchange(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert heard.endswith(b'{"status":200,"message":"success","data":true}')


def test_a_body_that_is_too_large_ends_the_connection(server: Server) -> None:
    head = b"POST /api/v1/user HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    heard = exchange(server, head + b"x" * 20_000)
    assert b"connection: close\r\n" in heard.lower()
    assert heard.endswith('{"status":500,"message":"请求内容不能超过 16 KiB","data":null}'.encode())


def test_a_secret_is_in_no_log(server: Server) -> None:
    log = server.log.read_text("utf-8")
    assert "listening" in log
    assert "Secret/12" not in log
    assert "Secret%2F12" not in log
