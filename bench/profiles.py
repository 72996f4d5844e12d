"""Profile the frequent calls: one worker on SQLite under cProfile, the most expensive functions by own time.

`python -m bench.profiles` prints them and puts them into docs/measured/performance.md. Each call is profiled by two
runs, a short and a long one. Their difference leaves out the start. cProfile adds about the cost of a short function
to each function call, so the shares are more exact than the sums. Only the event loop's thread is profiled: hashing
and syncing are not in it.
"""

import pstats
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from bench import report, servers
from bench.installation import Installation, Request
from bench.load import Job
from bench.servers import load
from bench.stage import open_stage

SECONDS = 4.0
LINES = 10
_SITE = "site-packages/"


@dataclass(frozen=True)
class Call:
    """Describe one kind of request and how to send it."""

    name: str
    requests: list[Request]
    connections: int = 32
    again: bool = True


def calls_of(here: Installation) -> list[Call]:
    """Return the five most frequent calls. Codes and pairs are valid once."""
    codes = here.most_codes(12_000)
    here.put_codes(codes)
    return [
        Call("token check, bearer", here.checks(1000)),
        Call("password login, weidu", here.weidu_logins(1000), 16),
        Call("password login, CareyShop", here.careyshop_logins(1000), 16),
        Call("SMS login, weidu", here.sms_logins(codes), again=False),
        Call("refresh, CareyShop", here.refreshes(here.first_pairs(12_000)), again=False),
    ]


def profile(here: Installation, call: Call) -> str:
    """Return a Markdown block: the loop thread's ten most expensive functions, with own microseconds a request."""
    half = len(call.requests) // 4 if not call.again else len(call.requests)
    few, short = _run(here, replace(call, requests=call.requests[:half]), SECONDS / 4)
    many, long = _run(here, replace(call, requests=call.requests[half if not call.again else 0 :]), SECONDS)
    count = many - few
    spent = {key: (own - short.get(key, (0, 0.0))[1], calls - short.get(key, (0, 0.0))[0])
             for key, (calls, own) in long.items() if key[2] not in _WAITS}  # fmt: skip
    rows = sorted(((own, calls, key) for key, (own, calls) in spent.items()), reverse=True)
    total = sum(own for own, _, _ in rows)
    lines = [
        f"**{call.name}**: {total / count * 1e6:,.0f} us under the profiler", "", "| us | share | calls | where |",
        "|---|---|---|---|",
    ]  # fmt: skip
    for own, calls, (file, line, function) in rows[:LINES]:
        place = _place(file, line, function)
        lines.append(f"| {own / count * 1e6:.1f} | {own / total:.0%} | {calls / count:.1f} | `{place}` |")
    return "\n".join(lines)


Function = tuple[str, int, str]
_WAITS = {"run", "<method 'run_until_complete' of 'uvloop.Loop' objects>"}
"""Where the loop itself runs, and waits."""


def _run(here: Installation, call: Call, seconds: float) -> tuple[int, dict[Function, tuple[int, float]]]:
    """Return the number of answered requests, and the calls and own seconds of each function meanwhile."""
    port = servers.free_port()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "profile")
        program: list[str | Path] = [sys.executable, "-m", "cProfile", "-o", kept, *servers.menshen(here.data, port)]
        with servers.running(program, port, here.settings) as server:
            (result,) = load(Job(server.port, call.requests, seconds, call.connections, again=call.again))
        stats = pstats.Stats(str(kept)).stats  # type: ignore[attr-defined]
    if set(result.statuses) - {200, 204}:
        raise RuntimeError(f"unexpected answers: {result.statuses}\n{result.sample[:1000]!r}")
    return len(result.good), {key: (calls, own) for key, (_, calls, own, _, _) in stats.items()}


def _place(file: str, line: int, function: str) -> str:
    if file == "~":
        return function.strip("<>")
    short = file.rpartition(_SITE)[2] if _SITE in file else file.rpartition("/src/")[2].rpartition("lib/python")[2]
    return f"{short}:{line} {function}"


def main() -> None:
    """Profile each call in its own server."""
    with open_stage(rounds=1, seconds=SECONDS, accounts=1000, many=0, logins=0) as stage:
        here = stage.installation("sqlite")
        blocks = [profile(here, call) for call in calls_of(here)]
    text = "\n\n".join(blocks)
    print(text)
    report.put("profiles", text)


if __name__ == "__main__":
    main()
