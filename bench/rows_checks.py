"""Measure reads: token checks by one and by several workers."""

import re
import shutil
import subprocess
from contextlib import ExitStack
from statistics import median

from bench import servers
from bench.load import Job, Result
from bench.servers import Server, load
from bench.stage import Stage
from bench.stats import Row, at_least, at_most, curve, paired, percentile, ratios

CONNECTIONS = 32
TOKENS = 2000
CAREYSHOP_RECORDED = 310.0
"""Token checks a second of CareyShop 1.3.1 on nginx and php-fpm, 2 cores: the better end of what was recorded."""


def token_check(stage: Stage, store: str, carrier: str) -> Row:
    """Measure `GET /auth/verify` of many sessions, with one worker."""
    here = stage.installation(store)
    requests = here.checks(TOKENS, cookie=carrier == "cookie")
    with stage.bare_server() as bare, here.serving() as server:

        def measure(one: Server) -> Result:
            before = one.cpu_seconds
            # The bare side always answers with account 1, so its requests have no marks.
            sent = requests if one is server else [(request, b"") for request, _ in requests]
            (result,) = load(Job(one.port, sent, stage.seconds, CONNECTIONS))
            result.cpu_each = (one.cpu_seconds - before) / len(result.good)
            return result

        for one in (bare, server):
            load(Job(one.port, [(r, b"") for r, _ in requests], 0.5))
        pairs = paired(lambda: measure(bare), lambda: measure(server), stage.rounds)
    ratio, spread = ratios([(one.rate, two.rate) for one, two in pairs])
    slow = median(percentile(two.good, 0.99) / percentile(one.good, 0.99) for one, two in pairs)
    rate = median(two.rate for _, two in pairs)
    cpu = [median(each.cpu_each for each in side) * 1e6 for side in zip(*pairs, strict=True)]
    return Row(
        f"token check, {carrier}, {store}, one worker", "a bare ASGI callable", ratio, spread,
        f"{rate:,.0f} of {median(one.rate for one, _ in pairs):,.0f} a second, {cpu[1]:.0f} us CPU each "
        f"(bare {cpu[0]:.0f}), p99 {median(percentile(two.good, 0.99) for _, two in pairs) * 1000:.1f} ms",
        [
            at_least("ratio", ratio, 0.6),
            at_most("p99/bare p99", slow, 2.0),
            at_least("CareyShop's, times", rate / CAREYSHOP_RECORDED, 20, 1),
        ],
        {"per_second": [two.rate for _, two in pairs], "bare_per_second": [one.rate for one, _ in pairs], "cpu_us": cpu,
         "latency": curve(two.good for _, two in pairs), "bare_latency": curve(one.good for one, _ in pairs)},
    )  # fmt: skip


def workers(stage: Stage, store: str) -> Row:
    """Measure one, two and four workers under the same token checks, in turns."""
    here = stage.installation(store)
    requests = here.checks(TOKENS)
    counts = (1, 2, 4)
    with ExitStack() as stack:
        fleet = {count: stack.enter_context(here.serving(count)) for count in counts}
        rates: dict[int, list[float]] = {count: [] for count in counts}
        for _ in range(stage.rounds):
            for count in counts:
                rates[count].append(_rate(fleet[count], requests, stage.seconds))
    each = list(zip(rates[1], rates[2], strict=True))
    ratio, spread = ratios(each)
    figures = ", ".join(f"{count}: {median(rates[count]):,.0f}" for count in counts)
    client = "wrk" if shutil.which("wrk") else "the bench's client"
    return Row(
        f"two workers, token check, {store}", "one worker", ratio, spread,
        f"{figures} a second ({client} on the same cores)",
        [at_least("ratio", ratio, 1.2)], {"workers": {str(count): median(rates[count]) for count in counts}},
    )  # fmt: skip


def _rate(server: Server, requests: list[tuple[bytes, bytes]], seconds: float) -> float:
    """Measure by wrk if it is installed, which leaves more of the cores to the workers. It checks no marks."""
    if shutil.which("wrk") is None:
        return load(Job(server.port, requests, seconds, 64))[0].rate
    token = re.search(rb"Bearer (\S+)", requests[0][0])
    assert token is not None
    done = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{max(1, round(seconds))}s", "-H", f"Authorization: Bearer {token[1].decode()}",
         f"http://127.0.0.1:{server.port}/auth/verify"],
        capture_output=True, text=True, check=True, cwd=servers.ROOT,
    )  # fmt: skip
    found = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    if found is None or "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    return float(found[1])
