"""Paths, verbs, headers, and what is said when something breaks. (docs/contracts/weidu.md sections 1 and 6.)"""

import asyncio
import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.routing import Mount

from menshen.core.problems import Problem, ProblemCode
from menshen.wire.weidu import DIALECT, ROUTES
from menshen.wire.weidu.routing import PREFIX
from tests.wire.weidu.paper import APP, TOKEN, Paper, granted, hold_to_the_rules

LOGIN = b'{"login_id":"ken","password":"Zk12345678"}'
EXACT = sorted({route.path for route in ROUTES if "{" not in route.path})


def refused(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_the_route_table_tells_who_answers() -> None:
    assert DIALECT.name == "weidu"
    assert DIALECT.prefix == "/weidu/api/v1"
    lines = {(line.verb, line.path): (line.flow, line.module) for line in DIALECT.endpoints}
    assert len(lines) == len(DIALECT.endpoints) == len(ROUTES)
    assert lines["POST", "/weidu/api/v1/users/login"] == ("login.password", "menshen.wire.weidu.calls.login_password")
    assert lines["DELETE", "/weidu/api/v1/users/sessions/{id}"] == ("sessions.end", "menshen.wire.weidu.calls.session")


@pytest.mark.attack("HD-6")
async def test_no_path_but_its_own_is_answered(paper: Paper) -> None:
    app = paper.asgi()
    for path in (
        "/users/nobody",
        "/users/login/",
        "/users//login",
        "//users/login",
        "/users/./login",
        "/Users/login",
        "/users/LOGIN",
        "/users/login.json",
        "/users/login;x",
        "/users%2flogin",
        "/users/log%69n",
        "/x/../users/login",
        "/users/login%00",
        "/users/login%20",
        "/users/login/..",
        "\\users/login",
        "/users/sessions/",
        "/users/sessions/a/b",
        "/users/sessions/" + "a" * 65,
        "/users/sessions/a%00b",
        "/",
    ):
        raw = (PREFIX + path).encode()
        for verb in ("POST", "GET", "DELETE"):
            start, end = await ask(app, method=verb, path=unquote(PREFIX + path), raw_path=raw)
            assert (start["status"], json.loads(end["body"])["error"]) == (404, "not_found"), path
    assert paper.asked == []


@pytest.mark.attack("HD-7")
@pytest.mark.parametrize("verb", ["HEAD", "OPTIONS", "PATCH", "TRACE", "GET", "POST", "PUT", "DELETE", "FOO"])
async def test_other_verbs_are_refused_and_told_which_are_allowed(paper: Paper, verb: str) -> None:
    async with paper.client() as client:
        for path in EXACT:
            verbs = sorted(route.verb for route in ROUTES if route.path == path)
            if verb in verbs:
                continue
            response = await client.request(verb, path, headers={"x-http-method-override": verbs[0]})
            assert response.status_code == 405
            assert verb == "HEAD" or refused(response) == (405, "method_not_allowed")
            assert response.headers["allow"] == ", ".join(verbs)
    assert paper.asked == []


@pytest.mark.parametrize("strip", [False, True])
async def test_it_lives_below_a_mount_too(paper: Paper, strip: bool) -> None:
    paper.answers["login.password"] = granted()
    inner = paper.asgi()

    async def cut(scope: Any, receive: Any, send: Any) -> None:
        """As older servers did: the path without the mount's."""
        await inner({**scope, "path": scope["path"].removeprefix(PREFIX)}, receive, send)

    app = Starlette(routes=[Mount(PREFIX, cut if strip else inner)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1" + PREFIX) as client:
        response = await client.post("/users/login", content=LOGIN)
        assert response.status_code == 200
        assert (await client.post("/users/nobody", content=LOGIN)).status_code == 404


async def test_a_path_outside_the_prefix_is_not_found_even_unmounted(paper: Paper) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(paper.asgi()), base_url="http://127.0.0.1") as client:
        assert (await client.post("/users/login", content=LOGIN)).status_code == 404
        assert (await client.post("/weidu/api/v10/users/login", content=LOGIN)).status_code == 404


async def test_every_answer_has_an_id_of_its_own(paper: Paper) -> None:
    drawn: list[int] = []

    def random_bits(count: int) -> bytes:
        drawn.append(count)
        return bytes([len(drawn)]) * count

    app = DIALECT.build(replace_luck(paper, random_bits))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        ids = {(await client.get(PREFIX + "/users/info")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert drawn == [16, 16, 16]
    assert all(len(one) == 26 and set(one) <= set("ybndrfg8ejkmcpqxot1uwisza345h769") for one in ids)


def replace_luck(paper: Paper, random_bits: Any) -> Any:
    from menshen.wire.dialect import DialectContext

    return DialectContext(paper.flows(), 0, random_bits)


async def test_the_language_follows_the_request(paper: Paper) -> None:
    paper.answers["login.password"] = granted()
    async with paper.client() as client:
        english = await client.get("/users/info", headers={"accept-language": "en-GB,en;q=0.9"})
        chinese = await client.get("/users/info")
        await client.post("/users/login", content=LOGIN, headers={"accept-language": "en"})
    assert english.json()["result"] == "Not logged in, or the login has expired"
    assert chinese.json()["result"] == "未登录或登录已过期"
    assert paper.asks("login.password")[0][1].language == "en"


@pytest.mark.parametrize(
    ("failure", "status", "word"),
    [
        (Problem(ProblemCode.UNAVAILABLE, "disk at /var/lib is full"), 503, "unavailable"),
        (Problem(ProblemCode.DELIVERY_FAILED), 503, "delivery_failed"),
        (RuntimeError(f"secret {TOKEN} in /etc/passwd: SELECT 1"), 500, "internal"),
        (KeyError(TOKEN), 500, "internal"),
        (RecursionError(), 500, "internal"),
    ],
)
async def test_what_breaks_is_told_without_a_word_of_why(
    paper: Paper, failure: Exception, status: int, word: str
) -> None:
    paper.answers["login.password"] = failure
    with structlog.testing.capture_logs() as logs:
        async with paper.client() as client:
            response = await client.post("/users/login", content=LOGIN)
    assert refused(response) == (status, word)
    assert "retry-after" not in response.headers
    assert not any(piece in response.text for piece in ("secret", "/", "SELECT", "Error", TOKEN))
    (line,) = logs
    assert line["request_id"] == response.headers["x-request-id"]
    assert TOKEN not in json.dumps(line)
    if status == 500:
        assert line["event"] == "weidu.internal"
        assert line["error"] == type(failure).__name__
        assert line["at"].startswith("tests.wire.weidu.paper:")
        assert line["log_level"] == "error"


async def test_a_disabled_apps_requests_are_refused(paper: Paper) -> None:
    paper.app = replace(APP, disabled=True)
    async with paper.client() as client:
        assert refused(await client.post("/users/login", content=LOGIN)) == (403, "forbidden")
        assert refused(await client.get("/users/info", headers={"authorization": f"Bearer {TOKEN}"})) == (
            403,
            "forbidden",
        )
    assert paper.asked == []


async def test_two_hosts_are_none(paper: Paper) -> None:
    async with paper.client() as client:
        response = await client.post(
            "/users/login", content=LOGIN, headers=[("host", "a.example"), ("host", "b.example")]
        )
    assert refused(response) == (400, "invalid_request")


async def ask(app: Any, *messages: dict[str, Any], end: Exception | None = None, **scope: Any) -> list[dict[str, Any]]:
    """Speak ASGI by hand: what no well-behaved client sends. Behind the messages nothing comes, or `end` is raised."""
    sent: list[dict[str, Any]] = []
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        for message in waiting:
            return message
        if end is not None:
            raise end
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    full = {"type": "http", "method": "POST", "path": PREFIX + "/users/login", "headers": [], "scheme": "http", **scope}
    await app(full, receive, send)
    return sent


async def test_a_request_without_host_or_address_is_answered(paper: Paper) -> None:
    paper.answers["login.password"] = granted()
    start, _ = await ask(paper.asgi(), {"type": "http.request", "body": LOGIN})
    assert start["status"] == 200
    assert paper.asks("login.password")[0][1].ip == "0.0.0.0"


async def test_a_slow_body_is_given_up(paper: Paper) -> None:
    for first in ([], [{"type": "http.request", "body": b"{", "more_body": True}]):
        start, body = await ask(paper.asgi(), *first, end=TimeoutError())
        assert start["status"] == 400
        assert (b"connection", b"close") in start["headers"]
        assert json.loads(body["body"])["error"] == "invalid_request"


async def test_a_client_that_went_away_gets_nothing(paper: Paper) -> None:
    assert await ask(paper.asgi(), {"type": "http.disconnect"}) == []


async def test_a_body_in_pieces_is_one_body(paper: Paper) -> None:
    paper.answers["login.password"] = granted()
    pieces = [{"type": "http.request", "body": bytes([byte]), "more_body": True} for byte in LOGIN]
    start, _ = await ask(paper.asgi(), *pieces, {"type": "http.request"})
    assert start["status"] == 200


async def test_no_websocket_is_opened(paper: Paper) -> None:
    assert await ask(paper.asgi(), type="websocket") == [{"type": "websocket.close", "code": 1000}]


@pytest.mark.attack("RS-1")
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [16 * 1024 + 1, 1024 * 1024])
async def test_a_body_over_the_limit_is_refused_and_the_connection_closed(
    paper: Paper, size: int, chunked: bool
) -> None:
    body = b'{"login_id":"' + b"x" * (size - 15) + b'"}'
    assert len(body) == size

    async def pieces() -> Any:
        for start in range(0, size, 4096):
            yield body[start : start + 4096]

    async with paper.client() as client:
        response = await client.post("/users/login", content=pieces() if chunked else body)
    assert refused(response) == (413, "payload_too_large")
    assert response.headers["connection"] == "close"


async def test_a_body_of_exactly_the_limit_is_read(paper: Paper) -> None:
    paper.answers["login.password"] = granted()
    body = b'{"login_id":"ken","password":"p","x":"' + b"x" * (16 * 1024 - 40) + b'"}'
    assert len(body) == 16 * 1024
    async with paper.client() as client:
        assert (await client.post("/users/login", content=body)).status_code == 200


class TestSharingWithListedOrigins:
    SHOP = "https://shop.example"

    @pytest.fixture
    def paper(self) -> Paper:
        return Paper(origins=frozenset({self.SHOP}), answers={"login.password": granted()})

    async def test_a_listed_origin_may_read(self, paper: Paper) -> None:
        async with paper.client() as client:
            headers = {"origin": self.SHOP, "sec-fetch-site": "cross-site"}
            response = await client.post("/users/login", content=LOGIN, headers=headers)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == self.SHOP
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Token" in response.headers["access-control-expose-headers"]
        assert response.headers["vary"] == "Origin"

    @pytest.mark.attack("CK-6")
    @pytest.mark.parametrize(
        "origin", ["https://shop.example.evil", "http://shop.example", "https://shop.example:444", "null", "*", ""]
    )
    async def test_no_other_may(self, paper: Paper, origin: str) -> None:
        async with paper.client() as client:
            response = await client.get("/users/info", headers={"origin": origin})
            asked = await client.options(
                "/users/login", headers={"origin": origin, "access-control-request-method": "POST"}
            )
        assert "access-control-allow-origin" not in response.headers
        assert response.headers["vary"] == "Origin"
        assert refused(asked) == (405, "method_not_allowed")

    async def test_a_listed_page_may_ask_first(self, paper: Paper) -> None:
        async with paper.client() as client:
            asked = {"origin": self.SHOP, "access-control-request-method": "DELETE"}
            response = await client.options("/users/sessions", headers=asked)
            plain = await client.options("/users/sessions", headers={"origin": self.SHOP})
        assert response.status_code == 204
        assert response.content == b""
        assert response.headers["access-control-allow-origin"] == self.SHOP
        assert response.headers["access-control-allow-methods"] == "GET, DELETE"
        assert "X-CSRF-Token" in response.headers["access-control-allow-headers"]
        assert "*" not in str(response.headers)
        assert refused(plain) == (405, "method_not_allowed")
        assert paper.asked == []


@pytest.mark.attack("CK-6")
async def test_nothing_is_shared_when_no_origin_is_listed(paper: Paper) -> None:
    async with paper.client() as client:
        headers = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        response = await client.options("/users/login", headers=headers)
    assert refused(response) == (405, "method_not_allowed")
    assert not any(name.startswith("access-control") or name == "vary" for name in response.headers)


@pytest.mark.attack("HD-1")
async def test_forwarded_addresses_count_only_behind_a_trusted_proxy() -> None:
    for proxies, seen in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        paper = Paper(proxies=proxies, answers={"login.password": granted()})
        async with paper.client() as client:
            await client.post("/users/login", content=LOGIN, headers={"x-forwarded-for": "1.1.1.1, 203.0.113.9"})
        assert paper.asks("login.password")[0][1].ip == seen


def test_the_rules_themselves_can_fail() -> None:
    request = httpx.Request("GET", "http://127.0.0.1" + PREFIX + "/users/info")
    with pytest.raises(KeyError):
        asyncio.run(hold_to_the_rules(httpx.Response(200, request=request, json={"code": 200})))
