"""Go away in the middle of calls while others ask who they are: `python -m tests.attacks.races.disconnecting_client`.

One of two processes. The first line of stdin is a task: {"port", "path", "tokens": {name: token}, "disconnects"}; after
`ready` it waits for `go`. 25 clients: ten hang up so many times together, at every place of a request and its answer,
while fifteen ask, until the ten are done and there were some answers; a line of JSON tells how many there were and how
many were another's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys
from typing import Any

ASKERS, DISCONNECTING = 15, 10
LEAST_ANSWERS = 60
_RESET = struct.pack("ii", 1, 0)


async def disconnect(task: dict[str, Any], request: bytes, turn: int) -> None:
    """Send a part of the request or all of it, hear a part of the answer or none, and reset the connection."""
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", task["port"])
        writer.write(request[: len(request) * (turn % 4 + 1) // 4])
        if turn % 8 == 7:
            await reader.read(turn % 100 + 1)
        else:
            await asyncio.sleep(turn % 3 / 1000)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()


async def ask(task: dict[str, Any], name: str, request: bytes, over: asyncio.Event, heard: list[bool]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", task["port"])
    while not over.is_set() or len(heard) < LEAST_ANSWERS:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        body = await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
        heard.append(head.startswith("http/1.1 200 ") and f'"username":"{name}"'.encode() in body)
        await asyncio.sleep(0.005)
    writer.close()


async def play(task: dict[str, Any]) -> dict[str, int]:
    names = sorted(task["tokens"])
    requests = {
        name: f"GET {task['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {task['tokens'][name]}\r\n\r\n"
        for name in names
    }
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    over, heard = asyncio.Event(), list[bool]()
    askers = [
        asyncio.create_task(ask(task, name, requests[name].encode(), over, heard))
        for name in (names[number % len(names)] for number in range(ASKERS))
    ]

    async def disconnecting(first: int) -> None:
        for turn in range(first, task["disconnects"], DISCONNECTING):
            await disconnect(task, requests[names[turn % len(names)]].encode(), turn // DISCONNECTING)

    await asyncio.gather(*(disconnecting(number) for number in range(DISCONNECTING)))
    over.set()
    await asyncio.gather(*askers)
    return {"answers": len(heard), "wrong": heard.count(False)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(play(json.loads(sys.stdin.readline())))), flush=True)
