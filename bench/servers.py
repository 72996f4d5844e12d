"""Run the processes under test: start them as a user does, watch them from outside, and end them by their id."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Job, Result

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
STARTS_WITHIN = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """Hold a server process. `pids` are its workers, or itself without workers."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children] or [self.process.pid]

    @property
    def resident_mb(self) -> float:
        """Return the memory of the largest worker in MB (10^6 bytes)."""
        return max(_status(pid, "VmRSS") for pid in self.pids)

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU time of all workers so far."""
        return sum(_cpu(pid) for pid in self.pids)


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def menshen(data: Path, port: int, workers: int = 1) -> list[str | Path]:
    """Return the command that serves `data`."""
    return [BIN / "menshen", "serve", "--data", data, "--port", str(port), "--workers", str(workers)]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `settings`, and without other settings of Menshen."""
    return {k: v for k, v in os.environ.items() if not k.startswith("MENSHEN_")} | dict(settings)


@contextmanager
def running(command: list[str | Path], port: int, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server, wait until it answers, and end it."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=environment(settings or {})
        )
        try:
            wait_for_answer(port, process)
            yield Server(process, port)
        except BaseException:
            log.seek(0)
            print(log.read()[-3000:].decode(errors="replace"), file=sys.stderr)
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when a token check is answered. Polls every 2 ms: the start-up row times this.

    Raises:
        RuntimeError: the server died, or does not answer for a minute.
    """
    ask = b"GET /auth/verify HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
                probe.sendall(ask)
                if probe.recv(100)[9:12] in {b"401", b"204"}:
                    return
        except OSError:
            pass
        time.sleep(0.002)
    raise RuntimeError("the server does not answer")


def load(*jobs: Job) -> list[Result]:
    """Run the jobs at the same time, each in its own process. Return their results in order.

    Raises:
        RuntimeError: a client failed, or an answer was another account's.
    """
    with tempfile.TemporaryDirectory() as folder:
        started = []
        for number, job in enumerate(jobs):
            job_path, result_path = Path(folder, f"{number}.job"), Path(folder, f"{number}.result")
            job_path.write_bytes(pickle.dumps(job))
            started.append(
                (subprocess.Popen([sys.executable, "-m", "bench.load", job_path, result_path], cwd=ROOT), result_path)
            )
        # All clients are waited for, also after one has failed.
        codes = [process.wait() for process, _ in started]
        if any(codes):
            raise RuntimeError("a client failed")
        results: list[Result] = [pickle.loads(path.read_bytes()) for _, path in started]
    for result in results:
        if result.foreign or result.without_retry_after:
            counts = f"{result.foreign} foreign, {result.without_retry_after} without Retry-After"
            raise RuntimeError(f"wrong answers: {counts}\n{result.sample[:2000]!r}")
    return results
