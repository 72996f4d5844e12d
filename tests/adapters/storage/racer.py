"""One of two processes that race on a SQLite file. Lines of JSON come in, what was won goes out."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.core.codes.one_time_codes import Taken
from menshen.core.factors.pending import TRIES
from menshen.core.gates.limits import Claim, Hit
from menshen.core.time import HOUR
from menshen.core.tokens import digest
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store
from menshen.testing.store_contract import codes
from menshen.testing.store_contract.proofs.records import BEGUN, CODES, KIND, passkey_of
from menshen.testing.store_contract.records import NOW, newcomer, open_session, session_of
from tests.adapters.storage.sealer import SEALER
from tests.patience import LONG

RACERS = 25


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


async def ticket(store: Store, mine: str) -> Any:
    return await store.write(lambda tx: tx.pending_logins.take(digest("ticket"), NOW)) is not None


async def step(store: Store, mine: str) -> Any:
    return await store.write(lambda tx: tx.pending_logins.count_step(digest("tried"), NOW, most=TRIES)) is not None


async def confirm(store: Store, mine: str) -> Any:
    return await store.write(lambda tx: tx.factors.confirm(1, KIND, BEGUN, counter=1, now=NOW))


async def advance(store: Store, mine: str) -> Any:
    return await store.write(lambda tx: tx.factors.advance(1, KIND, BEGUN, counter=2, now=NOW))


async def recover(store: Store, mine: str) -> Any:
    return await store.write(lambda tx: tx.recovery_codes.spend(1, CODES[0], NOW))


async def passkey(store: Store, mine: str) -> Any:
    alice = await store.read.accounts.find(1)
    assert alice is not None
    # As each of them read it before the first one wrote.
    key = passkey_of(alice, "key", counter=0)
    return await store.write(lambda tx: tx.passkeys.use(key, counter=0, backed_up=False, now=NOW))


async def trust(store: Store, mine: str) -> Any:
    device = digest("device")
    used = await store.write(
        lambda tx: tx.trusted_devices.use(
            digest("trust"), digest(mine), account_number=1, app_id=3, device=device, now=NOW
        )
    )
    return used is not None


SCENARIOS = {
    run.__name__: run
    for run in (
        take, guess, hit, charge, register, login, rotate, ticket, step, confirm, advance, recover, passkey, trust,
    )
}  # fmt: skip


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
