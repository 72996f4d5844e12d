"""Compare token checks, logins and the sweep at two sizes, in one process: `python -m bench.at_scale`.

The bench's own generator makes the data. Hashes are cheap here, because the database is measured. Each figure is a
median. The sweep has its rate and its slowest transaction, which a login may have to wait for.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import generate
from bench.installation import make_installation
from menshen.app.assemble import assemble
from menshen.app.keys_file import keyring_for
from menshen.app.settings.reader import load_settings
from menshen.app.world import SystemWorld
from menshen.core.login.asks import PasswordLogin
from menshen.core.networks import scales_of
from menshen.core.rules import DialectRules, Origin
from menshen.core.time import DAY
from menshen.core.tokens import digest
from menshen.flows.upkeep.sweep import SWEEP_BATCH, sweep
from menshen.wire.careyshop.call import RULES
from tests.postgres import PostgresServer

CHECKS, LOGINS = 20_000, 400
CHEAP = {
    "MENSHEN_HASH__MEMORY_KIB": "64",
    "MENSHEN_HASH__PASSES": "1",
    "MENSHEN_TEST_HASH": "1",
}


def spread(count: int, many: int) -> list[int]:
    """Return numbers from 1 to `many`, far apart from one another."""
    return [1 + n * 7919 % many for n in range(count)]


async def measure(environ: dict[str, str], data: Path, accounts: int) -> dict[str, float]:
    settings = load_settings(None, environ | CHEAP, data)
    world = SystemWorld()
    async with assemble(settings, keyring_for(settings, world), world) as here:
        store = getattr(here.store, "inner", here.store)
        took = []
        for n in spread(CHECKS, accounts):
            wanted = digest(generate.token(n, n % generate.SESSIONS))
            began = time.perf_counter()
            found = await store.read.sessions.check(wanted)
            took.append(time.perf_counter() - began)
            assert found is not None
        figures = {"check_us": statistics.median(took) * 1e6, "check_p99_us": _at(took, 0.99) * 1e6}
        app = (await store.read.apps.list_all())[1]
        rules: DialectRules = RULES
        took = []
        for n in spread(LOGINS, accounts):
            ip = f"198.{n % 200}.{n // 200 % 250}.9"
            ask = PasswordLogin(generate.username(n), generate.PASSWORD, "web")
            began = time.perf_counter()
            await here.flows.login.password(ask, Origin(app, rules, ip, scales_of(ip)))
            took.append(time.perf_counter() - began)
        # The first login of each account replaces its hash by a cheap one.
        took = []
        for n in spread(LOGINS, accounts):
            ip = f"198.{n % 200}.{n // 200 % 250}.9"
            ask = PasswordLogin(generate.username(n), generate.PASSWORD, "web")
            began = time.perf_counter()
            await here.flows.login.password(ask, Origin(app, rules, ip, scales_of(ip)))
            took.append(time.perf_counter() - began)
        figures |= {"login_ms": statistics.median(took) * 1e3, "login_p99_ms": _at(took, 0.99) * 1e3}
        figures |= await sweeping(here, settings, accounts)
    return {name: round(value, 1) for name, value in figures.items()}


async def sweeping(here: Any, settings: Any, accounts: int) -> dict[str, float]:
    """Sweep a tenth of the sessions. Return rows a second and the time of the slowest transaction."""
    dead = here.world.now() - 2 * DAY
    change = f"UPDATE sessions SET expires_at = {dead}, refresh_expires_at = {dead} WHERE account_number % 10 = 0"
    if settings.sqlite_path is not None:
        import sqlite3

        connection = sqlite3.connect(settings.sqlite_path, isolation_level=None, timeout=30)
        connection.execute(change)
        connection.close()
    else:
        import asyncpg

        other = await asyncpg.connect(settings.storage.url)
        await other.execute(change)
        await other.close()
    await asyncio.sleep(0.5)
    took, gone, began = [], 0, time.perf_counter()
    while True:
        start = time.perf_counter()
        went = await sweep(store=here.store, world=here.world, audit_days=180)
        took.append(time.perf_counter() - start)
        gone += went
        if went < SWEEP_BATCH:
            break
    rate = gone / (time.perf_counter() - began)
    return {"swept": gone, "sweep_rows_a_second": rate, "sweep_slowest_ms": max(took) * 1e3}


def _at(took: Sequence[float], part: float) -> float:
    return sorted(took)[int(len(took) * part)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.at_scale", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1000, 1_000_000])
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    with PostgresServer(durable=True) as server, tempfile.TemporaryDirectory(prefix="menshen-scale-") as folder:
        for store in asked.stores:
            for accounts in asked.accounts:
                data = Path(folder) / f"{store}-{accounts}"
                url = server.create() if store == "postgresql" else ""
                began = time.monotonic()
                made = make_installation(f"{store} {accounts}", data, accounts, url)
                filled = time.monotonic() - began
                figures = asyncio.run(measure(made.settings, data, accounts))
                print(
                    json.dumps({"store": store, "accounts": accounts, "fill_s": round(filled, 1)} | figures), flush=True
                )
                if url:
                    server.drop(url)
                else:
                    for file in data.glob("menshen.db*"):
                        file.unlink()
    print("done", file=sys.stderr)


if __name__ == "__main__":
    main()
