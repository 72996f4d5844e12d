"""Measure the bare rates behind the ratios: ASGI, argon2id, durable commits. `python -m bench.bare WHAT …`."""

import asyncio
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Send the smallest answer that a token check can have: three headers with the account, and no body."""
    await send({"type": "http.response.start", "status": 204, "headers": [
        (b"x-account-id", b"ybndrfg8ejkmcpqxot1uwisza3"),
        (b"x-account-number", b"1"),
        (b"x-roles", b"general_user"),
    ]})  # fmt: skip
    await send({"type": "http.response.body", "body": b""})


def serve(port: int) -> None:
    """Run uvicorn as the product does: uvloop, httptools, no log, one process."""
    import uvicorn

    uvicorn.run(application, port=port, loop="uvloop", http="httptools", ws="none", lifespan="off", log_config=None,
                access_log=False, server_header=False, proxy_headers=False)  # fmt: skip


def hashes(seconds: float, memory_kib: int, passes: int) -> float:
    """Return verifications a second by PyNaCl, with one thread for each core."""
    from nacl.pwhash import argon2id

    threads = len(os.sched_getaffinity(0))
    stored = argon2id.str(b"Bench-Pass-71", opslimit=passes, memlimit=memory_kib * 1024).rstrip(b"\0")
    end = time.perf_counter() + seconds

    def work(_: int) -> tuple[int, float]:
        count, start = 0, time.perf_counter()
        while time.perf_counter() < end:
            argon2id.verify(stored, b"Bench-Pass-71")
            count += 1
        return count, time.perf_counter() - start

    with ThreadPoolExecutor(threads) as pool:
        return sum(count / took for count, took in pool.map(work, range(threads)))


def commits_sqlite(seconds: float, folder: str) -> float:
    """Return durable commits a second of one row each, one after the other, with the product's pragmas."""
    from menshen.adapters.storage.sql.engines.sqlite import connect

    with tempfile.TemporaryDirectory(dir=folder) as made:
        connection = connect(Path(made, "commits.db"))
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER) STRICT")
        count, start = 0, time.perf_counter()
        while (now := time.perf_counter()) < start + seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO t (at) VALUES (?)", (count,))
            connection.execute("COMMIT")
            count += 1
        connection.close()
        return count / (now - start)


def commits_postgres(seconds: float, url: str) -> float:
    """Return the same on PostgreSQL by asyncpg, over as many connections as the product's pool has."""

    async def run() -> float:
        import asyncpg

        connections = [await asyncpg.connect(url) for _ in range(10)]
        await connections[0].execute("CREATE TABLE IF NOT EXISTS bench_commits (id bigserial PRIMARY KEY, at bigint)")
        start = time.perf_counter()

        async def work(connection: Any) -> int:
            count = 0
            while time.perf_counter() < start + seconds:
                async with connection.transaction():
                    await connection.execute("INSERT INTO bench_commits (at) VALUES ($1)", count)
                count += 1
            return count

        total = sum(await asyncio.gather(*map(work, connections)))
        took = time.perf_counter() - start
        await connections[0].execute("DROP TABLE bench_commits")
        for connection in connections:
            await connection.close()
        return total / took

    return asyncio.run(run())


def main() -> None:
    """Run `serve PORT`, or print a rate: `hashes SECONDS KIB PASSES`,
    `sqlite SECONDS FOLDER`, `postgres SECONDS URL`.
    """
    what, *arguments = sys.argv[1:]
    if what == "serve":
        serve(int(arguments[0]))
    elif what == "hashes":
        print(hashes(float(arguments[0]), *map(int, arguments[1:])))
    elif what == "sqlite":
        print(commits_sqlite(float(arguments[0]), arguments[1]))
    elif what == "postgres":
        print(commits_postgres(float(arguments[0]), arguments[1]))


if __name__ == "__main__":
    main()
