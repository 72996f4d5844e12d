"""One of two processes that race on a SQLite file. Lines of JSON come in, what was won goes out."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.core.codes.one_time_codes import Taken
from menshen.core.gates.limits import Claim, Hit
from menshen.core.time import HOUR
from menshen.core.tokens import digest
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store
from menshen.testing.store_contract import codes
from menshen.testing.store_contract.records import NOW, newcomer, open_session, session_of
from tests.adapters.storage.sealer import SEALER
from tests.patience import LONG

RACERS = 12


async def take(store: Store, mine: str) -> Any:
    return await codes.take(store, codes.RIGHT) is Taken.MATCHED


async def guess(store: Store, mine: str) -> Any:
    return await codes.take(store, codes.WRONG) is Taken.WRONG


async def hit(store: Store, mine: str) -> Any:
    (count,) = await store.write(lambda tx: tx.counters.hit([Hit(b"k", HOUR, 1)], NOW))
    return count.tries


async def charge(store: Store, mine: str) -> Any:
    return await store.write(lambda tx: tx.counters.charge([Claim(b"q", 7, HOUR)], NOW)) is None


async def register(store: Store, mine: str) -> Any:
    try:
        await store.write(lambda tx: tx.accounts.add(newcomer("racer", public_id=mine)))
    except AlreadyTaken as taken:
        return taken.field
    return ""


async def login(store: Store, mine: str) -> Any:
    alice = await store.read.accounts.find(1)
    assert alice is not None
    await open_session(store, session_of(alice, mine, slot="platform:web"))
    return mine


async def rotate(store: Store, mine: str) -> Any:
    found = await store.read.sessions.find(digest("pair"))
    if found is None:
        return False
    return await store.write(
        lambda tx: tx.sessions.rotate(digest("pair"), digest("refresh"), digest(mine), digest(f"r{mine}"), found[0])
    )


SCENARIOS = {run.__name__: run for run in (take, guess, hit, charge, register, login, rotate)}


async def main(path: str, name: str) -> None:
    store = SqliteStore(Path(path), SEALER, LONG)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        run = SCENARIOS[asked["scenario"]]
        got = await asyncio.gather(*(run(store, f"{name}-{asked['round']}-{n}") for n in range(RACERS)))
        print(json.dumps(got), flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
