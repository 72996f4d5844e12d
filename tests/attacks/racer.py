"""One of two processes that race: `python -m tests.attacks.racer`, told what to do line by line on stdin.

A line is a JSON object with a folder, its environment, a clock and calls. The process opens that installation, says
`ready`, waits for `go`, makes all calls at once, and answers with one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.harness import Clock, Harness, open_harness


async def call(harness: Harness, asked: dict[str, Any]) -> list[Any]:
    async with harness.client_from(asked.get("ip", "127.0.0.1")) as client:
        response: httpx.Response = await client.request(
            asked["verb"], asked["path"], json=asked.get("json"), data=asked.get("data"), headers=asked.get("headers")
        )
    return [response.status_code, response.headers.multi_items(), response.text]


async def race(task: dict[str, Any]) -> list[Any]:
    clock = Clock(task["clock"])
    async with open_harness(Path(task["folder"]), task["environ"], clock=clock, **task["limits"]) as harness:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        return list(await asyncio.gather(*(call(harness, asked) for asked in task["calls"])))


def main() -> None:
    while line := sys.stdin.readline():
        print(json.dumps(asyncio.run(race(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
