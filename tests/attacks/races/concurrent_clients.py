"""Run many clients at once in a process of their own: `python -m tests.attacks.races.concurrent_clients`.

A line of stdin is a JSON object with a folder, its environment, a clock, limits and calls. The process opens that
installation, prints `ready`, waits for a line, makes all calls at once, and prints one line of JSON: of each call its
tries, [begun, ended, status] on the clock that all processes share.

Of a call, "after" begins it so many seconds late, "after_good" once so many answers 204 came to this process for its
headers; "until" repeats it until that is the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.harness import Clock, Harness, open_harness

Tries = list[list[float]]
AGAIN = 5
"""How often in a row "until" must be answered so."""
_GIVE_UP_SECONDS = 300.0


async def call(harness: Harness, asked: dict[str, Any], good: Counter[str]) -> Tries:
    await asyncio.sleep(asked.get("after", 0))
    headers = asked.get("headers")
    whose = str(headers)
    while good[whose] < asked.get("after_good", 0):  # noqa: ASYNC110 - another call of this process counts
        await asyncio.sleep(0.002)
    tries: Tries = []
    left = AGAIN
    async with harness.client_from("127.0.0.1") as client:
        while True:
            begun = time.monotonic()
            response = await client.request(asked["verb"], asked["path"], json=asked.get("json"), headers=headers)
            tries.append([begun, time.monotonic(), response.status_code])
            good[whose] += response.status_code == 204
            left = left - 1 if response.status_code == asked.get("until") else AGAIN
            if "until" not in asked or not left or tries[-1][0] - tries[0][0] > _GIVE_UP_SECONDS:
                return tries
            await asyncio.sleep(0.002)


async def race(task: dict[str, Any]) -> list[Tries]:
    folder, environ, clock = Path(task["folder"]), task["environ"], Clock(task["clock"])
    async with open_harness(folder, environ, clock=clock, **task["limits"]) as harness:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        good: Counter[str] = Counter()
        return list(await asyncio.gather(*(call(harness, asked, good) for asked in task["calls"])))


def main() -> None:
    while line := sys.stdin.readline():
        print(json.dumps(asyncio.run(race(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
