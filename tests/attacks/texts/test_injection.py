"""2J and 2K: what people type stays text in logs, headers, messages, addresses and paths. (Statements: IN-1 beside.)"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from menshen.adapters.delivery.sms.webhook import Settings, WebhookSender
from menshen.adapters.outward.client import HttpOutward
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.delivery import DeliveryUnknown
from menshen.testing.handovers import handover_of
from menshen.wire.weidu import ROUTES
from tests.attacks.fingerprint import fingerprint
from tests.harness import Harness
from tests.server import Server
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client

PREFIX = "/weidu/api/v1"


@pytest.mark.attack("IN-4")
def test_what_is_logged_stays_on_its_line(served: Server) -> None:
    evil = 'x\r\n{"event":"forged"}\x1b[31m\u2028\x00'
    for path in (f"{PREFIX}/users/login", "/api/v1/user?method=login.user.user"):
        served.call("POST", path, json.dumps({"login_id": evil, "username": evil, "password": evil, "platform": evil}))
    served.call("GET", "/auth/verify", headers={"Authorization": "Bearer \x1b[31m", "User-Agent": "\x1b]0;x\x07"})
    with socket.create_connection(served.address, 60) as client:
        client.sendall(b"GET /\x1b[31m HTTP/1.1\r\n\r\n\x1b[31m\r\n")
        client.recv(1000)
    log = served.log.read_text("utf-8")
    assert "\x1b" not in log
    assert "forged" not in log
    for line in log.splitlines():
        if line.startswith("{"):
            assert isinstance(json.loads(line), dict)
    trail = served.menshen("audit", "--limit", "20")
    assert "\x1b" not in trail
    assert all("forged" not in line or line.startswith("20") for line in trail.splitlines()[1:])


@pytest.mark.attack("IN-6")
@pytest.mark.parametrize(
    "text", ["{{7*7}}", "{0.__class__}", "%s%s%n", "${jndi:ldap://x}", "<b>x</b>", "{code}", "{detail}"]
)
async def test_no_text_of_a_person_is_in_a_message_nor_a_template(harness: Harness, text: str) -> None:
    await harness.add_account("alice1", phone="13544285663", email="alice@b.example", password=PASSWORD)
    client = Client(harness)
    await client.log_in("alice1", device_name=text)
    await client.call("PUT", "/users/update", {"nickname": text})
    await client.code("13544285663", "proof")
    await client.post("/users/password", old_password=PASSWORD, password="another good secret")
    messages = await harness.messages()
    assert len(messages) == 2
    for message in messages:
        words = harness.assembled.texts.render(message)
        assert text not in f"{words.subject}\n{words.text}"
    # Even a detail, which is always a masked identifier, is put in and not read.
    odd = Message(Channel.EMAIL, "a@b.example", Template.IDENTIFIER_CHANGED, "en", Instant(0), detail=text)
    assert text in harness.assembled.texts.render(odd).text
    info = await client.get("/users/info")
    assert info.json()["user_info"]["nickname"] == text


SWITCHES = ("--env=debug", "debug=1", "api_debug=true", "env=test", "MENSHEN_HASH__TESTING=1", "trace=1", "XDEBUG=1")


@pytest.mark.attack("IN-7")
@pytest.mark.parametrize("switch", SWITCHES)
async def test_no_parameter_changes_how_the_server_runs(harness: Harness, switch: str) -> None:
    body = {"login_id": "nobody1", "password": "x"}
    name, _, value = switch.partition("=")
    async with harness.client_from("192.0.2.1") as usual, harness.client_from("192.0.3.1") as other:
        for path in (f"{PREFIX}/users/login", "/api/v1/user", "/livez", "/nothing"):
            plain = fingerprint(await usual.post(path, json=body))
            headers = {"x-debug": "1", f"x-{name.strip('-')}": value}
            assert fingerprint(await other.post(f"{path}?{switch}", json=body, headers=headers)) == plain
        shop = Shop(harness, other)
        denied = await shop.call("get.user.info", client_id="1", **{name.strip("-"): value})
        assert denied["status"] == 403


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """A carrier's address that sends everybody elsewhere on this machine; the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/sms", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.attack("IN-9")
async def test_nothing_is_fetched_and_no_redirect_is_followed(
    harness: Harness, redirecting: tuple[str, list[str]]
) -> None:
    url, asked = redirecting
    await harness.add_account("alice1", password=PASSWORD)
    client, shop = Client(harness), Shop(harness)
    await client.log_in("alice1")
    token = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    for address in (url, "http://169.254.169.254/latest", "http://[::1]/", "http://2130706433/", "file:///etc/passwd"):
        await client.call("PUT", "/users/update", {"avatar_url": address})
        await shop.call("set.user.item", client_id="1", head_pic=address, token=token)
    assert asked == []
    message = Message(Channel.SMS, "+8613544285663", Template.CODE_LOGIN, "zh", Instant(0), code="123456")
    with pytest.raises(DeliveryUnknown):
        await WebhookSender(Settings(url=url, secret=Secret("s" * 32)), HttpOutward()).send(handover_of(message))
    assert asked == ["/sms"]


PATHS = (
    "/../etc/passwd", "/docs/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/%252e%252e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd", "/.git/config", "/.env", "/keys.toml", "/data/menshen.db", "/menshen.db",
    "/menshen.db-wal", "//etc/passwd", "/docs/%00",
    "/static/../menshen.db", "/\\..\\..\\etc", "/docs/", "/openapi.json/x", "/docs.map", "/dev/zero",
)  # fmt: skip


@pytest.mark.attack("RD-2")
@pytest.mark.parametrize("path", PATHS)
async def test_no_path_reaches_a_file_and_no_answer_sends_anybody_away(harness: Harness, path: str) -> None:
    for base in ("", PREFIX, "/api"):
        url = httpx.URL("http://127.0.0.1:8400").copy_with(raw_path=(base + path).encode())
        answer = await harness.client.get(url)
        assert answer.status_code in {200, 400, 404, 405}
        assert "root:" not in answer.text
        assert "SQLite" not in answer.text
        if not base:
            assert answer.status_code in {400, 404}
        assert "location" not in answer.headers


@pytest.mark.attack("RD-2")
async def test_no_call_answers_with_a_redirect(harness: Harness) -> None:
    for route in ROUTES:
        path = PREFIX + route.path.replace("{id}", "x" * 26)
        for address in ("//evil.example", "/\\evil.example", "javascript:alert(1)", "https:evil.example"):
            answer = await harness.client.request(route.verb, f"{path}?next={address}&redirect={address}")
            assert not 300 <= answer.status_code < 400
            assert "location" not in answer.headers
            assert "evil.example" not in answer.text
