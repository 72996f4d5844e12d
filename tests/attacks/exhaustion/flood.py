"""Callers by the hundred from as many networks, in a process of their own: `python -m tests.attacks.exhaustion.flood`.

The first line of stdin is a task: {"port", "callers", "pause"}. Every caller logs in as nobody, from a network that the
proxy's header names, again and again; after a 503 it waits `pause` seconds. `full` is said once somebody heard a
503 and somebody a 401. The next line of stdin ends it, and a line of JSON tells what was heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from typing import Any


class Flood:
    """What all callers heard."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._port: int = task["port"]
        self._pause: float = task["pause"]
        self.statuses: Counter[int] = Counter()
        self.odd: list[str] = []
        self.refusals: list[float] = []
        self.full = asyncio.Event()

    async def caller(self, number: int) -> None:
        turn = 0
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    while True:
                        turn += 1
                        await self._try(reader, writer, number, turn)
                finally:
                    writer.close()

    async def _try(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, turn: int) -> None:
        body = json.dumps({"login_id": f"nobody{number}x{turn}", "password": "wrong"}).encode()
        network = f"198.{18 + number // 250}.{number % 250}.{turn % 250}"
        begun = time.monotonic()
        writer.write(
            b"POST /weidu/api/v1/users/login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: %s\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (network.encode(), len(body), body)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        said = (await reader.readexactly(length)).decode()
        status = int(head.split(" ", 2)[1])
        self.statuses[status] += 1
        if self.statuses[401] and self.statuses[503]:
            self.full.set()
        if status == 503:
            self.refusals.append(time.monotonic() - begun)
            if "\r\nretry-after: " not in head:
                self.odd.append("503 without Retry-After")
            await asyncio.sleep(self._pause)
        elif status != 401:
            self.odd.append(f"{status} {said[:200]}")


async def flood(task: dict[str, Any]) -> dict[str, Any]:
    made = Flood(task)
    callers = [asyncio.create_task(made.caller(number)) for number in range(task["callers"])]
    await made.full.wait()
    print("full", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for caller in callers:
        caller.cancel()
    ended = await asyncio.gather(*callers, return_exceptions=True)
    odd = [repr(end) for end in ended if not isinstance(end, asyncio.CancelledError)]
    return {"statuses": made.statuses, "odd": [*odd, *made.odd][:10], "refusals": sorted(made.refusals)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(flood(json.loads(sys.stdin.readline())))), flush=True)
