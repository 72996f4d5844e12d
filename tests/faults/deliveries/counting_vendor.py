"""A vendor and a mail relay on loopback, on a thread of their own: they count what arrives, by receiver, and hang."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from tests.faults.waiting import GUARD


class Mood(Enum):
    """What is done with a request that arrived whole."""

    ANSWERS = auto()
    REFUSES = auto()
    HOLDS = auto()
    """Say nothing until the mood changes or the caller leaves."""


@dataclass
class CountingVendor:
    """Speaks as the vendor of `specimen` and the receiver of `webhook`, on a path for each sender; and SMTP."""

    port: int = 0
    mail_port: int = 0
    asked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By receiver: the numbers by which requests named their message, in the order of arrival."""
    arrived: dict[str, float] = field(default_factory=dict)
    """By receiver: when the first request arrived, in the seconds of the loop's clock (time.monotonic)."""
    by_sender: Counter[str] = field(default_factory=Counter)
    moods: dict[str, Mood] = field(default_factory=dict)
    """By sender, or by receiver, which comes first."""
    holding: Counter[str] = field(default_factory=Counter)
    most_held: Counter[str] = field(default_factory=Counter)

    def mood(self, sender: str, receiver: str) -> Mood:
        """What a request of this sender for this receiver meets."""
        return self.moods.get(receiver) or self.moods.get(sender, Mood.ANSWERS)

    def times(self, receiver: str) -> int:
        """How many requests for this receiver arrived whole."""
        return len(self.asked.get(receiver, ()))

    @property
    def most(self) -> int:
        """How many requests arrived for the receiver that got most."""
        return max(map(len, self.asked.values()), default=0)

    def table(self, name: str, **more: Any) -> dict[str, Any]:
        """The settings of a sender of this vendor, which drops nothing that it has already."""
        own = {"access_key": "k" * 16, "sender": "S", "endpoint": f"http://127.0.0.1:{self.port}/{name}"}
        return {"name": name, "type": "specimen", **own, **more}

    def hook(self, name: str, **more: Any) -> dict[str, Any]:
        """The settings of a sender whose receiver drops what it has already."""
        own = {"url": f"http://127.0.0.1:{self.port}/{name}", "secret": "s" * 32}
        return {"name": name, "type": "webhook", **own, **more}

    def environ(self, *tables: dict[str, Any]) -> dict[str, str]:
        return {
            "MENSHEN_SMS__SENDERS": json.dumps(tables),
            "MENSHEN_SMS__COUNTRIES": '["+86", "+852"]',
            "MENSHEN_OUTWARD__NETWORKS": '["127.0.0.0/8"]',
        }

    def mail_environ(self, seconds: float) -> dict[str, str]:
        own = {"HOST": "127.0.0.1", "PORT": str(self.mail_port), "FROM": "us@shop.example", "TLS": "none"}
        own |= {"TIMEOUT_SECONDS": str(seconds)}
        return {"MENSHEN_EMAIL__SENDER": "smtp"} | {f"MENSHEN_EMAIL__SMTP_{name}": own[name] for name in own}

    # --- on its own thread ---

    def note(self, sender: str, receiver: str, number: str) -> None:
        self.by_sender[sender] += 1
        self.arrived.setdefault(receiver, asyncio.get_running_loop().time())
        self.asked[receiver].append(number)

    async def hold(self, sender: str, receiver: str, reader: asyncio.StreamReader) -> Mood:
        """Wait while the mood says so, and return what it is then."""
        self.holding[sender] += 1
        self.most_held[sender] = max(self.most_held[sender], self.holding[sender])
        try:
            while self.mood(sender, receiver) is Mood.HOLDS:
                if reader.at_eof():
                    raise ConnectionResetError
                await asyncio.sleep(0.005)
        finally:
            self.holding[sender] -= 1
        return self.mood(sender, receiver)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(line for line in head.lower().split("\r\n") if line.startswith("content-length:"))
        told = json.loads(await reader.readexactly(int(length.partition(":")[2])))
        sender, number = head.split()[1].strip("/"), told.get("reference") or told["id"]
        self.note(sender, told["to"], number)
        mood = await self.hold(sender, told["to"], reader)
        code = "TOO_MANY_CALLS" if mood is Mood.REFUSES else "OK"
        body = json.dumps({"code": code, "id": f"r-{number}"}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver = ""
        writer.write(b"220 relay\r\n")
        while line := (await reader.readline()).decode().strip():
            if line.upper().startswith("RCPT"):
                receiver = line.partition("<")[2].partition(">")[0]
            if line.upper() == "DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.note("mail", receiver, "")
                await self.hold("mail", receiver, reader)
            writer.write(b"250 fine\r\n")
            await writer.drain()


@dataclass
class _Thread:
    vendor: CountingVendor
    started: threading.Event = field(default_factory=threading.Event)
    loop: asyncio.AbstractEventLoop | None = None
    ended: asyncio.Event | None = None
    talks: set[asyncio.Task[None]] = field(default_factory=set)

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop, self.ended = asyncio.get_running_loop(), asyncio.Event()
        vendor = await asyncio.start_server(lambda *ends: self._meet(self.vendor.talk, *ends), "127.0.0.1", 0)
        relay = await asyncio.start_server(lambda *ends: self._meet(self.vendor.relay, *ends), "127.0.0.1", 0)
        self.vendor.port = vendor.sockets[0].getsockname()[1]
        self.vendor.mail_port = relay.sockets[0].getsockname()[1]
        self.started.set()
        await self.ended.wait()
        vendor.close()
        relay.close()
        for task in self.talks:
            task.cancel()
        await asyncio.gather(*self.talks, return_exceptions=True)
        # The loop closes the sockets a turn later.
        await asyncio.sleep(0.01)

    async def _meet(self, talk: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.talks.add(task)
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The caller left.
        finally:
            writer.close()
            self.talks.discard(task)


@contextmanager
def counting_vendor() -> Iterator[CountingVendor]:
    """Listen while the block runs."""
    vendor = CountingVendor()
    running = _Thread(vendor)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    assert running.started.wait(GUARD)
    try:
        yield vendor
    finally:
        assert running.loop
        assert running.ended
        running.loop.call_soon_threadsafe(running.ended.set)
        thread.join(GUARD)
