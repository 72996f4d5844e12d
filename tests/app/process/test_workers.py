"""Worker processes: replaced when they die, given up when they cannot live, ended when they will not go."""

import json
import signal
import subprocess
import sys
import time

import pytest

HEAD = """
import os, signal, sys, time
from menshen.app.process import workers
from menshen.app.telemetry.logs import configure_logs
configure_logs("info")
"""


def supervised(body: str, *, number: signal.Signals | None = None) -> tuple[int, float, str, list[dict[str, object]]]:
    """Exit code, seconds from the signal on (or the start), standard output, log lines of a script."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEAD + body], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    began = time.monotonic()
    try:
        if number is not None:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            began = time.monotonic()
            process.send_signal(number)
        out, log = process.communicate(timeout=90)
    finally:
        process.kill()
        process.wait()
    return process.returncode, time.monotonic() - began, out, [json.loads(line) for line in log.splitlines()]


def give_up(short_life: float | None = None) -> float:
    """Seconds in which workers that cannot live are given up."""
    body = f"workers.EARLY_SECONDS = {short_life}\n" if short_life else ""
    code, seconds, _, log = supervised(body + "sys.exit(workers.supervise(2, lambda: 7, 1))")
    assert code == 1
    assert {line["code"] for line in log} == {7}
    assert len(log) <= 2 * workers_most()
    return seconds


def test_workers_that_cannot_live_are_given_up() -> None:
    # However long a busy machine takes to start and to bury them.
    give_up(short_life=60.0)


@pytest.mark.timing
def test_workers_that_cannot_live_are_given_up_soon() -> None:
    assert give_up() < 10


def workers_most() -> int:
    from menshen.app.process.workers import MAX_EARLY_ENDS

    return MAX_EARLY_ENDS


def test_a_worker_that_raises_ends_with_a_code() -> None:
    code, _, _, log = supervised("sys.exit(workers.supervise(1, lambda: 1 // 0, 1))")
    assert code == 1
    assert {line["code"] for line in log} == {1}


def end_in_order(drain: float) -> float:
    """Seconds from the signal on until worker and parent have gone."""
    body = f"""
def work():
    time.sleep(0.3)
    print("up", flush=True)
    signal.sigwait({{signal.SIGTERM}})
    print("down", flush=True)
    return 0
signal.pthread_sigmask(signal.SIG_BLOCK, [])
sys.exit(workers.supervise(1, lambda: (signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]), work())[1], {drain}))
"""
    code, seconds, out, log = supervised(body, number=signal.SIGTERM)
    assert (code, out, log) == (0, "down\n", [])
    return seconds


def test_an_orderly_end() -> None:
    # Nobody waits until the time to drain is over.
    end_in_order(drain=600)


@pytest.mark.timing
def test_an_orderly_end_is_soon() -> None:
    assert end_in_order(drain=1) < 3


def kill() -> float:
    """Seconds from the signal on until a worker that does not go is killed."""
    body = """
workers._FORCE_AFTER = 0.5
def work():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("up", flush=True)
    while True:
        time.sleep(1)
sys.exit(workers.supervise(1, work, 0.5))
"""
    code, seconds, _, _ = supervised(body, number=signal.SIGTERM)
    assert code == 0
    return seconds


def test_a_worker_that_does_not_go_is_killed() -> None:
    assert kill() > 0.8


@pytest.mark.timing
def test_a_worker_that_does_not_go_is_killed_soon() -> None:
    assert kill() < 5
