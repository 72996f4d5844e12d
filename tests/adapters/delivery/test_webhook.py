"""The webhook sender against a real HTTP server: what it sends, and what it makes of each answer."""

import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from menshen.adapters.delivery.sms.webhook import Settings, WebhookSender
from menshen.adapters.outward.client import HttpOutward
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown
from menshen.testing.handovers import handover_of
from tests.harness import open_harness

SECRET = "a secret of the webhook"
MESSAGE = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", Instant(1_795_219_200_000), code="482913")


@dataclass
class Carrier:
    url: str
    status: int = 204
    hang_up: bool = False
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            if made.hang_up:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(made.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Carrier(f"http://127.0.0.1:{server.server_port}/send?from=menshen")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def sender(url: str) -> WebhookSender:
    # No network is named: an address of your own may be on loopback.
    return WebhookSender(Settings(url=url, secret=Secret(SECRET), timeout_seconds=60), HttpOutward())


async def test_it_posts_a_signed_message(carrier: Carrier) -> None:
    await sender(carrier.url).send(handover_of(MESSAGE))
    ((headers, body),) = carrier.got
    told = json.loads(body)
    assert (told["to"], told["code"], told["template"]) == ("+8613544285662", "482913", "code_login")
    assert told["text"] == "验证码482913，用于登录，5分钟内有效。请勿告诉他人。"
    stamp = headers["x-menshen-timestamp"]
    wanted = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    assert headers["x-menshen-signature"] == wanted


@pytest.mark.parametrize("status", [429, 503])
async def test_a_carrier_that_took_nothing_is_tried_again(carrier: Carrier, status: int) -> None:
    carrier.status = status
    with pytest.raises(DeliveryFailed):
        await sender(carrier.url).send(handover_of(MESSAGE))


@pytest.mark.parametrize("status", [302, 400, 500, 502])
async def test_a_carrier_that_may_have_taken_it_is_not(carrier: Carrier, status: int) -> None:
    carrier.status = status
    with pytest.raises(DeliveryUnknown):
        await sender(carrier.url).send(handover_of(MESSAGE))
    assert len(carrier.got) == 1


async def test_a_connection_cut_behind_the_request_is_unknown(carrier: Carrier) -> None:
    carrier.hang_up = True
    with pytest.raises(DeliveryUnknown):
        await sender(carrier.url).send(handover_of(MESSAGE))


async def test_nobody_there_is_a_failure_that_sent_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryFailed):
            await sender(f"http://127.0.0.1:{taken.getsockname()[1]}/").send(handover_of(MESSAGE))


@pytest.mark.parametrize(("status", "posts"), [(204, 1), (500, 1), (503, 2)])
async def test_the_outbox_sends_once_unless_nothing_was_taken(
    carrier: Carrier, tmp_path: Path, status: int, posts: int
) -> None:
    carrier.status = status
    async with open_harness(tmp_path) as h:
        await h.store.write(lambda tx: tx.outbox.put(replace(MESSAGE, created_at=h.clock.now())))
        for _ in range(2):
            await h.deliver(sender(carrier.url))
            h.clock.advance(25_000)
        assert len(carrier.got) == posts
