"""Measure writes: password logins, SMS logins, refreshes, and an overload of logins."""

import re
from statistics import median

from bench.installation import USUAL, Installation, Request
from bench.load import Job, Result
from bench.servers import Server, load
from bench.stage import Stage
from bench.stats import Row, Verdict, at_least, at_most, curve, paired, percentile, ratios, under
from menshen.adapters.hashing.argon2id import Parameters

_PAIR = rb'"token":"([0-9a-f]{32})".*"refresh":"([0-9a-f]{32})"'
_OLD = re.compile(rb'"token": "([0-9a-f]{32})"')
AT_SATURATION = 16
CONNECTIONS = 32
_FLOORS = {"sqlite": 1000.0, "postgres": 700.0}


def password_login(stage: Stage, dialect: str, store: str, cost: Parameters = USUAL) -> Row:
    """Measure password logins with all cores hashing. The gap to the bare rate is the cost beside the hash."""
    here = stage.installation(store, cost=cost)
    requests = _logins(here, dialect)
    named = "" if cost == USUAL else f", a hash of {cost.memory_kib // 1024} MiB and {cost.passes} passes"
    with here.serving() as server:
        load(Job(server.port, requests, 1.0, AT_SATURATION))
        pairs = paired(
            lambda: stage.bare("hashes", str(cost.memory_kib), str(cost.passes)),
            lambda: load(Job(server.port, requests, stage.seconds, AT_SATURATION, warm_seconds=0.5))[0],
            stage.rounds,
        )
    ratio, spread = ratios([(bare, result.rate) for bare, result in pairs])
    results = [result for _, result in pairs]
    slow = _median_of(results, 0.99) / _median_of(results, 0.5)
    return Row(
        f"password login, {dialect}, {store}{named}", "bare PyNaCl on as many threads", ratio, spread,
        f"{median(r.rate for r in results):.1f} of {median(bare for bare, _ in pairs):.1f} a second, "
        f"p50 {_ms(results, 0.5)}, p99 {_ms(results, 0.99)}",
        [at_least("ratio", ratio, 0.95), at_most("p99/p50", slow, 3.0)],
        {"latency": curve(r.good for r in results), "bare_per_second": [bare for bare, _ in pairs],
         "per_second": [r.rate for r in results]},
    )  # fmt: skip


def _logins(here: Installation, dialect: str) -> list[Request]:
    count = min(here.accounts, 20_000)
    return here.weidu_logins(count) if dialect == "weidu" else here.careyshop_logins(count)


def overload(stage: Stage) -> Row:
    """Measure token checks during ten times as many logins as there is room for."""
    here = stage.installation("sqlite")
    requests, checks = here.weidu_logins(1000), here.checks(1000)
    with here.serving() as server:
        load(Job(server.port, requests, 1.0, AT_SATURATION))
        memory = [server.resident_mb]

        def peak() -> Result:
            return load(Job(server.port, requests, stage.seconds, AT_SATURATION, warm_seconds=0.5))[0]

        def flood() -> tuple[Result, Result]:
            rate = 10 * median(peaks) if peaks else 10 * peak().rate
            seconds = 2 * stage.seconds
            flooded, checked = load(
                Job(server.port, requests, seconds, 200, warm_seconds=1.5, rate=rate),
                Job(server.port, checks, seconds, 8, warm_seconds=1.5, rate=100),
            )
            memory.append(server.resident_mb)
            return flooded, checked

        peaks: list[float] = []
        pairs: list[tuple[Result, tuple[Result, Result]]] = []
        for one, two in paired(peak, flood, stage.rounds):
            peaks.append(one.rate)
            pairs.append((one, two))
    ratio, spread = ratios([(calm.rate, flooded.rate) for calm, (flooded, _) in pairs])
    floods, checked = [f for _, (f, _) in pairs], [c for _, (_, c) in pairs]
    strange = {status for f in floods for status in f.statuses if status not in {200, 503}}
    growth = memory[-1] - memory[1]
    refused = sum(len(f.refused) for f in floods)
    return Row(
        "10 times the logins there is room for", "its own peak", ratio, spread,
        f"{median(f.rate for f in floods):.1f} of {median(calm.rate for calm, _ in pairs):.1f} a second, "
        f"{refused} refused, refusals p99 {_ms_of([f.refused for f in floods], 0.99)}, "
        f"token checks p99 {_ms(checked, 0.99)}",
        [
            at_least("goodput/peak", ratio, 0.9),
            under("refusals p99, ms", _worst(floods, refused=True) * 1000, 100, 1),
            under("token checks p99, ms", _worst(checked) * 1000, 50, 1),
            under("memory growth, MB", growth, 5, 1),
            Verdict("only 200 and 503 with Retry-After", "yes" if not strange else f"{sorted(strange)}", not strange),
        ],
        {"latency": curve(r.good for r in checked), "memory_mb": memory},
    )  # fmt: skip


def sms_login(stage: Stage, store: str) -> Row:
    """Measure SMS logins. Each spends a known code and opens a durable session, in two transactions."""
    here = stage.installation(store)
    count = here.most_codes(int(3000 * stage.seconds))
    requests = here.sms_logins(count)
    with here.serving() as server:

        def log_in() -> Result:
            here.put_codes(count)
            job = Job(server.port, requests, stage.seconds, CONNECTIONS, again=False)
            return _with_cpu(server, job)

        log_in()
        pairs = paired(lambda: stage.commits(store), log_in, stage.rounds)
    return _against_commits("SMS login", store, pairs)


def refresh(stage: Stage, store: str) -> Row:
    """Measure refreshes. Each pair is valid once, so a round uses the pairs that the last one returned."""
    here = stage.installation(store)
    pairs_now = {token: (n, token, spent) for n, token, spent in here.first_pairs(20_000)}
    with here.serving() as server:

        def rotate() -> Result:
            pairs = list(pairs_now.values())
            job = Job(server.port, here.refreshes(pairs), stage.seconds, CONNECTIONS, again=False, keep=_PAIR)
            result = _with_cpu(server, job)
            fresh = []
            for request, (token, spent) in result.kept:
                old = _OLD.search(request)
                assert old is not None
                account, _, _ = pairs_now.pop(old[1].decode())
                fresh.append((account, token.decode(), spent.decode()))
            pairs_now.update({token: (account, token, spent) for account, token, spent in fresh})
            _own_tokens(server, fresh)
            return result

        rotate()
        pairs = paired(lambda: stage.commits(store), rotate, stage.rounds)
    return _against_commits("refresh, CareyShop", store, pairs)


def _own_tokens(server: Server, fresh: list[tuple[int, str, str]]) -> None:
    """Check that each new token belongs to the old one's account. The answer to a refresh does not show it."""
    checks = [
        (f"GET /auth/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode(),
         f"x-account-number: {account}\r\n".encode())
        for account, token, _ in fresh
    ]  # fmt: skip
    (checked,) = load(Job(server.port, checks, 60, 8, again=False))
    if set(checked.statuses) != {204}:
        raise RuntimeError(f"new tokens are not good: {checked.statuses}")


def _with_cpu(server: Server, job: Job) -> Result:
    """Run a job, in which every answer must be a success, and measure the server's CPU time for each."""
    before = server.cpu_seconds
    (result,) = load(job)
    if set(result.statuses) - {200}:
        raise RuntimeError(f"unexpected answers: {result.statuses}\n{result.sample[:1000]!r}")
    result.cpu_each = (server.cpu_seconds - before) / max(1, len(result.good))
    return result


def _against_commits(what: str, store: str, pairs: list[tuple[float, Result]]) -> Row:
    ratio, spread = ratios([(commits, result.rate) for commits, result in pairs])
    results = [result for _, result in pairs]
    rate, commits = median(r.rate for r in results), median(c for c, _ in pairs)
    wanted = min(_FLOORS[store], 0.4 * commits)
    return Row(
        f"{what}, {store}, one worker", "the store's durable commits", ratio, spread,
        f"{rate:,.0f} of {commits:,.0f} a second, {median(r.cpu_each for r in results) * 1e6:,.0f} us CPU each, "
        f"p50 {_ms(results, 0.5)}, p99 {_ms(results, 0.99)}",
        [at_least("a second", rate, wanted, 0)],
        {"latency": curve(r.good for r in results), "commits_per_second": [c for c, _ in pairs],
         "per_second": [r.rate for r in results], "cpu_us": [r.cpu_each * 1e6 for r in results]},
    )  # fmt: skip


# --- figures of results -----------------------------------------------------------------------------------------------


def _median_of(results: list[Result], share: float) -> float:
    return median(percentile(result.good, share) for result in results)


def _ms(results: list[Result], share: float) -> str:
    return _ms_of([result.good for result in results], share)


def _ms_of(latencies: list[list[float]], share: float) -> str:
    return f"{median(percentile(each, share) for each in latencies) * 1000:.1f} ms"


def _worst(results: list[Result], *, refused: bool = False) -> float:
    """Return the median over the rounds of the 99th percentile."""
    return median(percentile(r.refused if refused else r.good, 0.99) for r in results)
