"""2E: nobody becomes somebody else, or goes another way, by a header, a name, a verb or a way of spelling a path."""

from __future__ import annotations

import itertools
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from starlette.datastructures import Headers

from menshen.core.networks import network_of
from menshen.wire.http.address import client_ip
from tests.attacks.looking import look
from tests.harness import Harness, open_harness
from tests.server import Server
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

BASE = "/weidu/api/v1"
FORWARDING = (
    "x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip", "x-client-ip",
    "x-cluster-client-ip", "fastly-client-ip", "x-original-forwarded-for", "via", "x-forwarded",
)  # fmt: skip


def address(*lines: str, proxies: int, peer: str = "192.0.2.1") -> str:
    headers = Headers(raw=[(b"x-forwarded-for", line.encode("latin-1")) for line in lines])
    return client_ip({"client": (peer, 1)}, headers, proxies)


async def test_hd_1_without_a_proxy_no_header_says_where_a_caller_is(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    statuses = []
    for number in range(5):
        headers = {name.replace("-", "_"): f"for=203.0.113.{number}" for name in FORWARDING}
        headers["x_forwarded_for"] = f"203.0.113.{number}"
        answer = await Client(harness).call(
            "POST", "/users/login", {"login_id": "alice1", "password": "wrong"}, **headers
        )
        statuses.append(answer.status_code)
    assert statuses == [401, 401, 401, 428, 428]
    assert {event.ip for event in await harness.events()} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("lines", "proxies", "found"),
    [
        (("203.0.113.7",), 0, "192.0.2.1"),
        (("203.0.113.7",), 1, "203.0.113.7"),
        (("1.1.1.1, 203.0.113.7",), 1, "203.0.113.7"),
        (("1.1.1.1, 203.0.113.7, 10.0.0.1",), 2, "203.0.113.7"),
        (("1.1.1.1", "203.0.113.7"), 1, "203.0.113.7"),
        (("1.1.1.1", "203.0.113.7, 10.0.0.1"), 2, "203.0.113.7"),
        (("203.0.113.7",), 2, "192.0.2.1"),
        ((), 1, "192.0.2.1"),
        (("203.0.113.7, ",), 1, "192.0.2.1"),
        (("unknown",), 1, "192.0.2.1"),
        (("203.0.113.7:4711",), 1, "203.0.113.7"),
        (("[2001:db8::7]:4711",), 1, "2001:db8::7"),
        (("::ffff:203.0.113.7",), 1, "203.0.113.7"),
    ],
)
def test_hd_1_behind_proxies_the_nth_from_the_right_counts(lines: tuple[str, ...], proxies: int, found: str) -> None:
    assert address(*lines, proxies=proxies) == found


JUNK = (
    "a", "", " ", ",", ",,,,", "\xff\xfe", "x" * 65536, ",".join(["1.2.3.4"] * 1000), "fe80::1%eth0",
    "1.2.3.4, <script>", "999.1.1.1", "0x7f000001", "2130706433", "127.1", "1.2.3.4/8", "::ffff:1.2.3.4",
    "[::1", "]", "::", "1.2.3.4\t",
)  # fmt: skip


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
async def test_hd_2_junk_for_an_address_is_no_way_around_anything(tmp_path: Path, junk: str) -> None:
    async with open_harness(tmp_path, {"MENSHEN_SERVER__TRUSTED_PROXIES": "1"}) as h:
        statuses = []
        for _ in range(4):
            answer = await h.client.post(
                f"{BASE}/users/login", json={"login_id": "nobody1", "password": "wrong"},
                headers=[(b"x-forwarded-for", junk.encode("latin-1"))],
            )  # fmt: skip
            statuses.append(answer.status_code)
        assert statuses == [401, 401, 401, 428]


def test_hd_2_one_network_under_all_its_spellings() -> None:
    assert network_of("::ffff:1.2.3.4") == network_of("1.2.3.99") == "1.2.3.0/24"
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::") != network_of("2001:db8:1:2::")
    assert network_of("fe80::1%eth0") == "fe80::/64"


async def test_hd_3_no_answer_repeats_a_name_that_a_caller_made_up(tmp_path: Path) -> None:
    environ = {"MENSHEN_SERVER__TRUSTED_PROXIES": "1", "MENSHEN_SERVER__HOSTS": '["login.example"]'}
    async with open_harness(tmp_path, environ) as h:
        shop = Shop(h)
        asked = shop.asked("get.app.captcha.callurl")
        plain = look(await h.client.post("/api/v1/app", data=asked, headers={"host": "login.example"}))
        for name in (
            "x-forwarded-host",
            "x-forwarded-port",
            "x-forwarded-prefix",
            "x-host",
            "forwarded",
            "x-original-url",
        ):
            headers = {"host": "login.example", name: "host=evil.example" if name == "forwarded" else "evil.example"}
            assert look(await h.client.post("/api/v1/app", data=asked, headers=headers)) == plain
        for host in ("evil.example", "login.example.evil.example", "login.example@evil.example"):
            answer = await h.client.post("/api/v1/app", data=asked, headers={"host": host})
            assert answer.status_code in {400, 421}
            assert "evil" not in answer.text
        mail = await h.add_account("alice1", email="alice@b.example")
        client = Client(h, base_url="http://login.example")
        await client.code("alice@b.example", "reset")
        # Codes, no links: there is nothing in a message that a name could poison.
        assert "http" not in str((await h.messages())[-1])
        assert mail.email == "alice@b.example"


@pytest.mark.parametrize("line", ["GET http://evil.example/livez HTTP/1.1", "GET /livez HTTP/1.1\r\nHost: a"])
def test_hd_3_two_names_in_one_request_are_refused(served: Server, line: str) -> None:
    rest = "\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = talk(served, f"{line}{rest}".encode())
    if "http://" in line:
        assert answer.startswith(b"HTTP/1.1 400 ")
    raw = f"{line.replace('/livez', '/openapi.json')}{rest}".encode()
    assert talk(served, raw).startswith(b"HTTP/1.1 400 ")


IDENTITY = (
    "x-user", "x_user", "x-account-id", "x-account-number", "x-roles", "x-remote-user", "remote-user",
    "x-auth-request-user", "x-forwarded-user", "x-token", "token", "x-appkey", "x-authenticated", "x-admin",
)  # fmt: skip


async def test_hd_4_headers_that_name_a_person_name_nobody(harness: Harness) -> None:
    account = await harness.add_account("alice1", password=PASSWORD)
    for name in IDENTITY:
        for value in ("1", account.public_id, "alice1", "admin"):
            headers = {name: value}
            assert (await harness.client.get("/auth/verify", headers=headers)).status_code == 401
            assert (await harness.client.get(f"{BASE}/users/info", headers=headers)).status_code == 401
    client = Client(harness)
    await client.log_in("alice1")
    pair = [("authorization", f"Bearer {client.token}"), ("authorization", f"Bearer {client.token}")]
    assert (await harness.client.get("/auth/verify", headers=pair)).status_code == 401
    assert (await harness.client.get(f"{BASE}/users/info", headers=pair)).status_code == 401
    verified = await harness.client.get(
        "/auth/verify",
        headers={"authorization": f"Bearer {client.token}", "x-account-number": "99", "x-roles": "admin"},
    )
    assert verified.headers.get_list("x-account-number") == ["1"]
    assert verified.headers.get_list("x-roles") == ["general_user"]


@pytest.mark.parametrize(
    "agent", [None, "", "kube-probe/1.27", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "curl", "x" * 5000]
)
async def test_hd_5_nothing_depends_on_the_user_agent(harness: Harness, agent: str | None) -> None:
    await harness.add_account("alice1", password=PASSWORD)

    async def ask(client: httpx.AsyncClient, named: str | None) -> list[Any]:
        headers: dict[str, str] = {} if named is None else {"user-agent": named}
        looks = [
            look(await client.get("/auth/verify", headers=headers)),
            look(await client.get(f"{BASE}/users/info", headers=headers)),
            look(await client.post("/api/v1/user?method=get.user.info", headers=headers)),
        ]
        body = {"login_id": "alice1", "password": "wrong"}
        looks += [look(await client.post(f"{BASE}/users/login", json=body, headers=headers)) for _ in range(5)]
        return looks

    async with harness.client_from("192.0.2.1") as usual, harness.client_from("192.0.3.1") as other:
        assert await ask(usual, "Mozilla/5.0") == await ask(other, agent)


def spelled(path: str) -> list[str]:
    return [
        "/" + path, path.replace("/users", "//users"), path.replace("/users", "/./users"), path + "/", path + ".json",
        path.replace("/users", "/x/../users"), path + ";x=1", path.replace("/users", "%2fusers"), path + "%00",
        path.replace("login", "%6cogin"), path.upper(), path.replace("users", "Users"), path + "%20", path + "%2f",
        path.replace("/users", "\\users"), "/x" + path, path + "/..", path.replace("/v1", "/V1"),
    ]  # fmt: skip


async def post_raw(h: Harness, target: str, body: bytes) -> int:
    """The status for a path exactly as it stands on the request line."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http", "method": "POST", "path": unquote(path), "raw_path": path.encode(),
        "query_string": query.encode(), "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1),
        "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    await h.asgi(scope, receive, send)
    return int(sent[0]["status"])


async def test_hd_6_another_spelling_is_the_same_door_or_none(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    path = f"{BASE}/users/login"
    body = b'{"login_id":"alice1","password":"wrong"}'
    for spelling in spelled(path):
        assert await post_raw(harness, spelling, body) in {400, 404, 405}, spelling
    assert [await post_raw(harness, path + end, body) for end in ("", "?", "?x=1", "?/x")] == [401, 401, 401, 428]
    # The shop's address has many spellings; each is the same door to the same account.
    shop, told = Shop(harness), []
    for spelling in ("/api/v1/user", "/api/v1/USER/", "/index.php/api/v1/user", "/api/v1/user.html"):
        asked = shop.asked("login.user.user", username="alice1", password="wrong-one", platform="pc")
        told.append((await harness.client.post(spelling, data=asked)).json()["message"])
    assert set(told) == {"验证码不能为空"}


async def test_hd_7_verbs_do_what_they_are_and_nothing_else(harness: Harness) -> None:
    await harness.add_account("alice1", password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1")
    bearer = {"authorization": f"Bearer {client.token}"}
    overrides = ("x-http-method-override", "x-http-method", "x-method-override")
    body = {"login_id": "alice1", "password": PASSWORD}
    for verb, name in itertools.product(("GET", "HEAD", "OPTIONS", "PUT", "TRACE", "PATCH"), overrides):
        headers = {**bearer, name: "POST"}
        answer = await harness.client.request(verb, f"{BASE}/users/login?_method=POST", json=body, headers=headers)
        assert answer.status_code == 405
        assert "token" not in answer.headers
        assert "set-cookie" not in answer.headers
        answer = await harness.client.request(verb, f"{BASE}/users/logout", headers=headers)
        assert answer.status_code == 405
    for name in overrides:
        answer = await harness.client.post(f"{BASE}/users/sessions", headers={**bearer, name: "DELETE"})
        assert answer.status_code == 405
    assert (await harness.client.head("/auth/verify")).status_code == 401
    assert (await harness.client.head("/auth/verify", headers=bearer)).status_code == 204
    assert (await harness.client.head(f"{BASE}/users/info", headers=bearer)).status_code == 405
    answer = await harness.client.options("/api/v1/user?method=login.user.user&username=alice1&password=x&platform=p")
    assert (answer.status_code, answer.text) == (204, "")
    assert await client.alive()


def talk(server: Server, raw: bytes) -> bytes:
    """Everything that comes back until the server closes; it has a minute."""
    with socket.create_connection(server.address, 60) as client:
        client.sendall(raw)
        heard = b""
        try:
            while piece := client.recv(65536):
                heard += piece
        except TimeoutError:
            return heard
        return heard + b"<closed>"


HIDDEN = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Hidden: 1\r\n\r\n"
POST = b"POST /weidu/api/v1/users/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SMUGGLED = {
    "length and chunked": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "one length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "hex length": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "blank before colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "blank in length's name": POST + b"Content-Length : 2\r\n\r\n{}",
    "folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "folded header": POST + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "bare line feeds": POST.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\n{}",
    "one bare line feed": POST + b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare carriage return": POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n",
    "nul": POST + b"X: a\0b\r\n\r\n",
    "another coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "line feed in an extension": POST + b"Transfer-Encoding: chunked\r\n\r\n2;x\n{}\r\n0\r\n\r\n",
    "negative chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "endless chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no colon": POST + b"Transfer-Encoding\r\n\r\n",
    "no name": POST + b": chunked\r\n\r\n",
    "HTTP/2.0": b"GET /openapi.json HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "HTTP/1.2": b"GET /openapi.json HTTP/1.2\r\nHost: localhost\r\n\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
}


@pytest.mark.parametrize("raw", SMUGGLED.values(), ids=SMUGGLED)
def test_hd_8_what_two_servers_could_read_differently_is_refused_and_closed(served: Server, raw: bytes) -> None:
    heard = talk(served, raw + HIDDEN)
    assert re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", heard) == [b"400"], heard
    assert heard.endswith(b"<closed>")


def test_hd_8_an_extension_of_a_chunk_is_no_body_and_a_trailer_no_header(served: Server) -> None:
    body = b'{"login_id":"nobody1","password":"wrong"}'
    raw = (
        POST + b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%s\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\nHost: evil\r\n\r\n"
    )
    last = HIDDEN.replace(b"X-Hidden: 1", b"Connection: close")
    heard = talk(served, raw % (len(body), body) + last)
    assert re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", heard) == [b"401", b"200"]
