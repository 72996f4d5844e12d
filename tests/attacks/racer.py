"""One of two processes that race: `python -m tests.attacks.racer`, told what to do line by line on stdin.

A line is a JSON object with a folder, its environment, a clock and calls. The process opens that installation, says
`ready`, waits for `go`, makes all calls at once, and answers with one line of JSON. A call is a request, or with "flow"
what an operator does; "after" begins it so many seconds late, "after_good" once so many answers 204 came to this
process for its headers; "until" repeats it until that is the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from menshen.app.assemble import Assembled, assemble
from menshen.flows.admin.accounts import close_account, disable_account
from menshen.flows.apps.manage import ensure_default_app
from tests.harness import KEYRING, Clock, Harness, open_harness, settings_for

ImportResult = list[Any]
"""Status, header lines, body, and of each try [begun, ended, status] on the clock that all processes share."""
AGAIN = 5
"""How often in a row "until" must be answered so."""
_GIVE_UP_SECONDS = 300.0

FLOWS: dict[str, Callable[[Assembled], Awaitable[Any]]] = {
    "disable": lambda here: disable_account("#1", store=here.store, world=here.world),
    "close": lambda here: close_account("#1", store=here.store, world=here.world),
    "first app": lambda here: ensure_default_app(store=here.store, world=here.world),
}


@asynccontextmanager
async def opened(task: dict[str, Any]) -> AsyncIterator[tuple[Assembled, Harness | None]]:
    """The installation; without a harness, which would make the first app itself, where a flow makes it."""
    folder, environ, clock = Path(task["folder"]), task["environ"], Clock(task["clock"])
    if any(asked.get("flow") == "first app" for asked in task["calls"]):
        async with assemble(settings_for(folder, environ, **task["limits"]), KEYRING, clock) as assembled:
            yield assembled, None
    else:
        async with open_harness(folder, environ, clock=clock, **task["limits"]) as harness:
            yield harness.assembled, harness


async def call(
    assembled: Assembled, harness: Harness | None, asked: dict[str, Any], good: Counter[str]
) -> ImportResult:
    await asyncio.sleep(asked.get("after", 0))
    whose = str(asked.get("headers"))
    while good[whose] < asked.get("after_good", 0):  # noqa: ASYNC110 - another call of this process counts
        await asyncio.sleep(0.002)
    if "flow" in asked:
        begun = time.monotonic()
        made = await FLOWS[asked["flow"]](assembled)
        text = str(getattr(made, "app_id", type(made).__name__))
        return [200, [], text, [[begun, time.monotonic(), 200]]]
    assert harness is not None
    tries: list[list[float]] = []
    left = AGAIN
    async with harness.client_from(asked.get("ip", "127.0.0.1")) as client:
        while True:
            begun = time.monotonic()
            response: httpx.Response = await client.request(
                asked["verb"], asked["path"], json=asked.get("json"), data=asked.get("data"),
                headers=asked.get("headers"),
            )  # fmt: skip
            tries.append([begun, time.monotonic(), response.status_code])
            good[whose] += response.status_code == 204
            left = left - 1 if response.status_code == asked.get("until") else AGAIN
            if "until" not in asked or not left or tries[-1][0] - tries[0][0] > _GIVE_UP_SECONDS:
                return [response.status_code, response.headers.multi_items(), response.text, tries]
            await asyncio.sleep(0.002)


async def race(task: dict[str, Any]) -> list[ImportResult]:
    async with opened(task) as (assembled, harness):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        good: Counter[str] = Counter()
        return list(await asyncio.gather(*(call(assembled, harness, asked, good) for asked in task["calls"])))


def main() -> None:
    while line := sys.stdin.readline():
        print(json.dumps(asyncio.run(race(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
