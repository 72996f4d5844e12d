"""Measure the process: its start, its memory, and the cost of a thousand times the data."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import servers
from bench.load import Job
from bench.rows_checks import TOKENS
from bench.servers import Server, load
from bench.stage import Stage
from bench.stats import Row, at_most, paired, ratios, under

_IMPORTS = "import starlette, uvicorn"
_WARM_LOGINS = 2000


def start(stage: Stage) -> Row:
    """Measure the time from the command to the first answer, in a new installation."""

    def imports() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", _IMPORTS], check=True)
        return time.perf_counter() - begin

    def answer() -> float:
        with tempfile.TemporaryDirectory() as folder:
            port = servers.free_port()
            begin = time.perf_counter()
            with servers.running(servers.menshen(Path(folder, "data"), port), port):
                return time.perf_counter() - begin

    imports(), answer()
    pairs = paired(imports, answer, max(stage.rounds, 5))
    ratio, spread = ratios(pairs)
    took = median(two for _, two in pairs)
    return Row(
        "start to the first answer, empty data", f'python -c "{_IMPORTS}"', ratio, spread,
        f"{took * 1000:.0f} ms, imports alone {median(one for one, _ in pairs) * 1000:.0f} ms",
        [under("seconds", took, 1.0), under("ratio", ratio, 4.0)],
        {"seconds": [two for _, two in pairs], "imports": [one for one, _ in pairs]},
    )  # fmt: skip


def memory(stage: Stage) -> Row:
    """Measure the memory of one worker on SQLite, at rest, warm, and after many logins by code and by password."""
    here = stage.installation("sqlite")
    with here.serving() as server:
        at_start = server.resident_mb
        load(Job(server.port, here.weidu_logins(100), 2.0, 8), Job(server.port, here.careyshop_logins(100), 2.0, 8))
        _sms_logins(stage, server, _WARM_LOGINS)
        warm = server.resident_mb
        _sms_logins(stage, server, stage.logins)
        after = server.resident_mb
    growth = after - warm
    return Row(
        f"memory of a worker after {stage.logins:,} logins", "itself", after / warm, (after / warm, after / warm),
        f"{at_start:.1f} MB at the start, {warm:.1f} MB warm, {after:.1f} MB after",
        [under("MB at the start", at_start, 80, 1), under("MB after", after, 80, 1), under("growth, MB", growth, 5, 1)],
        {"start_mb": at_start, "warm_mb": warm, "after_mb": after},
    )  # fmt: skip


def _sms_logins(stage: Stage, server: Server, count: int) -> None:
    here = stage.installation("sqlite")
    while count > 0:
        lot = here.most_codes(min(count, 10_000))
        here.put_codes(lot)
        (result,) = load(Job(server.port, here.sms_logins(lot), 600, 32, again=False))
        if set(result.statuses) != {200}:
            raise RuntimeError(f"unexpected answers: {result.statuses}\n{result.sample[:1000]!r}")
        count -= lot


def scale(stage: Stage, store: str, what: str) -> Row:
    """Measure the same call with few accounts and with many, each on its own database, in turns."""
    few, many = stage.installation(store), stage.installation(store, stage.many)
    count = int(2000 * stage.seconds) if what == "SMS login" else 20_000
    refreshed = {id(few): 0, id(many): 0}
    with few.serving() as one, many.serving() as two:

        def measure(here, server: Server) -> float:
            if what == "token check":
                job = Job(server.port, here.checks(TOKENS), stage.seconds)
            elif what == "password login":
                job = Job(server.port, here.weidu_logins(count), stage.seconds, 16, warm_seconds=0.5)
            else:
                lot = here.most_codes(count)
                here.put_codes(lot)
                job = Job(server.port, here.sms_logins(lot), stage.seconds, again=False)
            (result,) = load(job)
            if set(result.statuses) - {200, 204}:
                raise RuntimeError(f"unexpected answers: {result.statuses}")
            refreshed[id(here)] += 1
            return result.rate

        measure(few, one), measure(many, two)
        pairs = paired(lambda: measure(many, two), lambda: measure(few, one), stage.rounds)
    ratio, spread = ratios(pairs)
    return Row(
        f"{what}, {store}, {stage.many:,} accounts", f"the same with {stage.accounts:,}", ratio, spread,
        f"{median(m for m, _ in pairs):,.0f} a second with many, {median(f for _, f in pairs):,.0f} with few",
        [at_most("cost ratio", ratio, 1.2)], {"many": [m for m, _ in pairs], "few": [f for _, f in pairs]},
    )  # fmt: skip


def sizes(stage: Stage) -> str:
    """Return the size of the large data on this disk, for the report."""
    data = stage.installation("sqlite", stage.many).data / "menshen.db"
    return f"{data.stat().st_size / 1e9:.2f} GB of SQLite, {shutil.disk_usage(data).free / 1e9:.0f} GB free"
