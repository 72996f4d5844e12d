"""Worker processes: replaced when they die, given up when they cannot live, ended when they will not go."""

import json
import signal
import subprocess
import sys
import time

HEAD = """
import os, signal, sys, time
from menshen.app import workers
from menshen.app.logs import configure_logs
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
        out, log = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    return process.returncode, time.monotonic() - began, out, [json.loads(line) for line in log.splitlines()]


def test_workers_that_cannot_live_are_given_up() -> None:
    code, seconds, _, log = supervised("sys.exit(workers.supervise(2, lambda: 7, 1))")
    assert code == 1
    assert seconds < 10
    assert {line["code"] for line in log} == {7}
    assert len(log) <= 2 * workers_most()


def workers_most() -> int:
    from menshen.app.workers import MOST_SHORT_LIVES

    return MOST_SHORT_LIVES


def test_a_worker_that_raises_ends_with_a_code() -> None:
    code, _, _, log = supervised("sys.exit(workers.supervise(1, lambda: 1 // 0, 1))")
    assert code == 1
    assert {line["code"] for line in log} == {1}


def test_an_orderly_end() -> None:
    body = """
def work():
    time.sleep(0.3)
    print("up", flush=True)
    signal.sigwait({signal.SIGTERM})
    print("down", flush=True)
    return 0
signal.pthread_sigmask(signal.SIG_BLOCK, [])
sys.exit(workers.supervise(1, lambda: (signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]), work())[1], 1))
"""
    code, seconds, out, log = supervised(body, number=signal.SIGTERM)
    assert (code, out, log) == (0, "down\n", [])
    assert seconds < 3


def test_a_worker_that_does_not_go_is_killed() -> None:
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
    assert 0.8 < seconds < 5
