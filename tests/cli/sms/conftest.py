"""A vendor on this machine, and settings whose senders go to it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from menshen.app.installation.opening import Installation, open_installation
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from menshen.core.delivery.messages import Channel, Message, Template, Try
from tests.cli.conftest import Menshen

KEY = "k-5f2d1c9a7b"
NUMBER = "+8613800138001"


@dataclass
class Vendor:
    """What it was asked, and what it answers: a status and a body, or None to hang up."""

    port: int = 0
    answer: tuple[int, str] | None = (200, '{"code": "OK", "id": "m-1"}')
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    here = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            here.asked.append((self.command, self.path, body))
            if here.answer is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, text = here.answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST  # noqa: N815 - the name is that of the standard library

        def log_message(self, *_: object) -> None:
            """Tell nobody."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.port = server.server_port
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def home(vendor: Vendor, **more: Any) -> dict[str, Any]:
    """The table of a sender at the vendor."""
    return {
        "name": "home", "type": "specimen", "access_key": KEY, "sender": "Menshen", "endpoint": vendor.url,
        "cost_micros": 45_000, **more,
    }  # fmt: skip


Choose = Callable[..., None]


@pytest.fixture
def choose(menshen: Menshen, monkeypatch: pytest.MonkeyPatch) -> Choose:
    """`choose(table, …, KEY="value")` writes the senders into the settings, and makes the installation."""

    def chosen(*tables: dict[str, Any], **environ: str) -> None:
        given = {"SMS__SENDERS": json.dumps(tables), "OUTWARD__NETWORKS": '["127.0.0.0/8"]', **environ}
        for name, value in given.items():
            monkeypatch.setenv(f"MENSHEN_{name}", value)
        assert menshen("migrate").code == 0

    return chosen


def inside(data: Path, work: Callable[[Installation], Any]) -> Any:
    """Do something to the installation, as a server would."""

    async def run() -> Any:
        async with open_installation(load_settings(None, os.environ, data), SystemWorld()) as found:
            return await work(found)

    return asyncio.run(run())


def put(data: Path, sender: str = "", receipt: str = "", *, channel: Channel = Channel.SMS, to: str = NUMBER) -> int:
    """A message, handed over by `sender` unless that is ""; its number."""

    async def work(found: Installation) -> int:
        now = found.world.now()
        message = Message(channel, to, Template.CODE_LOGIN, "zh", now, code="482913")
        number: int = await found.store.write(lambda tx: tx.outbox.put(message))
        tried = Try(number, sender, now)
        if sender:
            await found.store.write(lambda tx: tx.outbox.claim(tried))
            await found.store.write(lambda tx: tx.outbox.mark_sent(tried, now, receipt=receipt))
        return number

    made: int = inside(data, work)
    return made
