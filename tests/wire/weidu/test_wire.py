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
from menshen.testing.scripted_flows import APP
from menshen.wire.weidu import DIALECT, ROUTES
from menshen.wire.weidu.routing import PREFIX
from tests.wire.weidu.scripted import TOKEN, ScriptedWeidu, granted, hold_to_the_rules

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
async def test_no_path_but_its_own_is_answered(script: ScriptedWeidu) -> None:
    app = script.asgi()
    for path in (
        "/users/nobody",
        "/users/login//x",
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
        "/users/sessions//",
        "//users//sessions/",
        "/users/sessions/a/b",
        "/users/login/%2F",
        "/%2Fusers/login",
        "/users/sessions/" + "a" * 65,
        "/users/sessions/a%00b",
        "/",
    ):
        raw = (PREFIX + path).encode()
        for verb in ("POST", "GET", "DELETE"):
            start, end = await ask(app, method=verb, path=unquote(PREFIX + path), raw_path=raw)
            assert (start["status"], json.loads(end["body"])["error"]) == (404, "not_found"), path
    assert script.asked == []


@pytest.mark.attack("HD-6")
@pytest.mark.parametrize(
    "path", ["/users/login/", "/users//login", "//users/login", "//users///login//", "/users/login//"]
)
async def test_doubled_slashes_and_one_at_the_end_are_the_same_call(script: ScriptedWeidu, path: str) -> None:
    script.answers["login.password"] = granted()
    app = script.asgi()
    body = {"type": "http.request", "body": b'{"login_id":"ken_88","password":"x"}'}
    answers = []
    for spelling in (PREFIX + "/users/login", PREFIX + path, "/" + PREFIX + path, PREFIX.replace("/", "//") + path):
        start, _ = await ask(app, body, method="POST", path=spelling, raw_path=spelling.encode())
        answers.append(start["status"])
    assert answers == [200] * 4
    assert len({ask.login_id for ask, _ in script.asks("login.password")}) == 1
    assert len(script.asks("login.password")) == 4
    refused_verb, _ = await ask(app, method="DELETE", path=PREFIX + path, raw_path=(PREFIX + path).encode())
    assert refused_verb["status"] == 405


@pytest.mark.attack("HD-6")
async def test_a_session_without_an_id_is_none_and_ends_no_other(script: ScriptedWeidu) -> None:
    script.log_in()
    app = script.asgi()
    for path in ("/users/sessions/", "/users//sessions//", "//users/sessions///"):
        for verb in ("GET", "DELETE"):
            start, _ = await ask(app, method=verb, path=PREFIX + path, raw_path=(PREFIX + path).encode())
            assert start["status"] == 404
    assert script.asked == []


@pytest.mark.attack("HD-7")
@pytest.mark.parametrize("verb", ["HEAD", "OPTIONS", "PATCH", "TRACE", "GET", "POST", "PUT", "DELETE", "FOO"])
async def test_other_verbs_are_refused_and_told_which_are_allowed(script: ScriptedWeidu, verb: str) -> None:
    async with script.client() as client:
        for path in EXACT:
            verbs = sorted(route.verb for route in ROUTES if route.path == path)
            if verb in verbs:
                continue
            response = await client.request(verb, path, headers={"x-http-method-override": verbs[0]})
            assert response.status_code == 405
            assert verb == "HEAD" or refused(response) == (405, "method_not_allowed")
            assert response.headers["allow"] == ", ".join(verbs)
    assert script.asked == []


@pytest.mark.parametrize("strip", [False, True])
async def test_it_lives_below_a_mount_too(script: ScriptedWeidu, strip: bool) -> None:
    script.answers["login.password"] = granted()
    inner = script.asgi()

    async def cut(scope: Any, receive: Any, send: Any) -> None:
        """As older servers did: the path without the mount's."""
        await inner({**scope, "path": scope["path"].removeprefix(PREFIX)}, receive, send)

    app = Starlette(routes=[Mount(PREFIX, cut if strip else inner)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1" + PREFIX) as client:
        response = await client.post("/users/login", content=LOGIN)
        assert response.status_code == 200
        assert (await client.post("/users/nobody", content=LOGIN)).status_code == 404


async def test_a_path_outside_the_prefix_is_not_found_even_unmounted(script: ScriptedWeidu) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(script.asgi()), base_url="http://127.0.0.1") as client:
        assert (await client.post("/users/login", content=LOGIN)).status_code == 404
        assert (await client.post("/weidu/api/v10/users/login", content=LOGIN)).status_code == 404


async def test_every_answer_has_an_id_of_its_own(script: ScriptedWeidu) -> None:
    drawn: list[int] = []

    def random_bits(count: int) -> bytes:
        drawn.append(count)
        return bytes([len(drawn)]) * count

    app = DIALECT.build(replace_luck(script, random_bits))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        ids = {(await client.get(PREFIX + "/users/info")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert drawn == [16, 16, 16]
    assert all(len(one) == 26 and set(one) <= set("ybndrfg8ejkmcpqxot1uwisza345h769") for one in ids)


def replace_luck(script: ScriptedWeidu, random_bits: Any) -> Any:
    from menshen.wire.dialect import DialectContext

    return DialectContext(script.flows(), 0, random_bits)


async def test_the_language_follows_the_request(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = granted()
    async with script.client() as client:
        english = await client.get("/users/info", headers={"accept-language": "en-GB,en;q=0.9"})
        chinese = await client.get("/users/info")
        await client.post("/users/login", content=LOGIN, headers={"accept-language": "en"})
    assert english.json()["result"] == "Not logged in, or the login has expired"
    assert chinese.json()["result"] == "未登录或登录已过期"
    assert script.asks("login.password")[0][1].language == "en"


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
    script: ScriptedWeidu, failure: Exception, status: int, word: str
) -> None:
    script.answers["login.password"] = failure
    with structlog.testing.capture_logs() as logs:
        async with script.client() as client:
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
        assert line["at"].startswith("menshen.testing.scripted_flows:")
        assert line["log_level"] == "error"


async def test_a_disabled_apps_requests_are_refused(script: ScriptedWeidu) -> None:
    script.app = replace(APP, disabled=True)
    async with script.client() as client:
        assert refused(await client.post("/users/login", content=LOGIN)) == (403, "forbidden")
        assert refused(await client.get("/users/info", headers={"authorization": f"Bearer {TOKEN}"})) == (
            403,
            "forbidden",
        )
    assert script.asked == []


async def test_two_hosts_are_none(script: ScriptedWeidu) -> None:
    async with script.client() as client:
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


async def test_a_request_without_host_or_address_is_answered(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = granted()
    start, _ = await ask(script.asgi(), {"type": "http.request", "body": LOGIN})
    assert start["status"] == 200
    assert script.asks("login.password")[0][1].ip == "0.0.0.0"


async def test_a_slow_body_is_given_up(script: ScriptedWeidu) -> None:
    for first in ([], [{"type": "http.request", "body": b"{", "more_body": True}]):
        start, body = await ask(script.asgi(), *first, end=TimeoutError())
        assert start["status"] == 400
        assert (b"connection", b"close") in start["headers"]
        assert json.loads(body["body"])["error"] == "invalid_request"


async def test_a_client_that_went_away_gets_nothing(script: ScriptedWeidu) -> None:
    assert await ask(script.asgi(), {"type": "http.disconnect"}) == []


async def test_a_body_in_pieces_is_one_body(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = granted()
    pieces = [{"type": "http.request", "body": bytes([byte]), "more_body": True} for byte in LOGIN]
    start, _ = await ask(script.asgi(), *pieces, {"type": "http.request"})
    assert start["status"] == 200


async def test_no_websocket_is_opened(script: ScriptedWeidu) -> None:
    assert await ask(script.asgi(), type="websocket") == [{"type": "websocket.close", "code": 1000}]


@pytest.mark.attack("RS-1")
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [16 * 1024 + 1, 1024 * 1024])
async def test_a_body_over_the_limit_is_refused_and_the_connection_closed(
    script: ScriptedWeidu, size: int, chunked: bool
) -> None:
    body = b'{"login_id":"' + b"x" * (size - 15) + b'"}'
    assert len(body) == size

    async def pieces() -> Any:
        for start in range(0, size, 4096):
            yield body[start : start + 4096]

    async with script.client() as client:
        response = await client.post("/users/login", content=pieces() if chunked else body)
    assert refused(response) == (413, "payload_too_large")
    assert response.headers["connection"] == "close"


async def test_a_body_of_exactly_the_limit_is_read(script: ScriptedWeidu) -> None:
    script.answers["login.password"] = granted()
    body = b'{"login_id":"ken","password":"p","x":"' + b"x" * (16 * 1024 - 40) + b'"}'
    assert len(body) == 16 * 1024
    async with script.client() as client:
        assert (await client.post("/users/login", content=body)).status_code == 200


@pytest.mark.attack("HD-1")
async def test_forwarded_addresses_count_only_behind_a_trusted_proxy() -> None:
    for proxies, seen in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        script = ScriptedWeidu(proxies=proxies, answers={"login.password": granted()})
        async with script.client() as client:
            await client.post("/users/login", content=LOGIN, headers={"x-forwarded-for": "1.1.1.1, 203.0.113.9"})
        assert script.asks("login.password")[0][1].ip == seen


def test_the_rules_themselves_can_fail() -> None:
    request = httpx.Request("GET", "http://127.0.0.1" + PREFIX + "/users/info")
    with pytest.raises(KeyError):
        asyncio.run(hold_to_the_rules(httpx.Response(200, request=request, json={"code": 200})))
