"""Send requests over many keep-alive connections from its own process, and check the account of each answer.

`python -m bench.load JOB RESULT`: both are pickles, of a `Job` and of a `Result`. It uses plain sockets with epoll and
prepared requests, so that one client is several times as fast as the servers it measures.
"""

import pickle
import re
import select
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: (\d+)")
MOST_CONNECTIONS = 2000


@dataclass
class Job:
    """Hold what to send. `requests` are (bytes, mark): a successful answer without the mark is another account's.

    Closed loop (`rate` 0): each connection sends its next request after the last answer. Open loop: `rate` requests a
    second are sent, whatever the answers, and the wait for a connection counts as latency. `again` starts over after
    the last request; else the run ends there. `keep` is a pattern whose groups are stored for each success, with its
    request.
    """

    port: int
    requests: list[tuple[bytes, bytes]]
    seconds: float
    connections: int = 32
    warm_seconds: float = 0.0
    rate: float = 0.0
    again: bool = True
    keep: bytes = b""
    good: tuple[int, ...] = (200, 204)


@dataclass
class Result:
    """Hold the answers' figures. Latencies are in seconds and sorted; `seconds` is the time of measurement."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    good: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    foreign: int = 0
    broken: int = 0
    without_retry_after: int = 0
    kept: list[tuple[bytes, tuple[bytes, ...]]] = field(default_factory=list)
    sample: bytes = b""
    cpu_each: float = 0.0
    """CPU seconds of the server for each success, filled in by whoever watches the server."""

    @property
    def rate(self) -> float:
        """Return successes a second."""
        return len(self.good) / self.seconds if self.seconds else 0.0


@dataclass(eq=False)
class _Line:
    """Hold one connection and its current request."""

    socket: socket.socket
    request: bytes = b""
    mark: bytes = b""
    since: float = 0.0
    data: bytes = b""


class Load:
    """Run one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._next = 0
        self._epoll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._counting = job.warm_seconds == 0
        self.result = Result()

    def run(self) -> Result:
        """Send, count, and close all connections."""
        start = time.perf_counter()
        counted_from = start + self._job.warm_seconds
        end = counted_from + self._job.seconds
        if self._job.rate:
            self._open(start, counted_from, end)
        else:
            self._closed(counted_from, end)
        finished = min(time.perf_counter(), end) if self._job.rate else time.perf_counter()
        self.result.seconds = finished - counted_from
        for line in self._lines.values():
            line.socket.close()
        self.result.good.sort()
        self.result.refused.sort()
        return self.result

    def _closed(self, counted_from: float, end: float) -> None:
        busy = 0
        for _ in range(self._job.connections):
            busy += self._send(self._connect(), time.perf_counter())
        while busy:
            for number, _ in self._epoll.poll(1):
                line = self._lines[number]
                if not self._receive(line):
                    continue
                now = time.perf_counter()
                self._count(line, now)
                if not self._counting and now >= counted_from:
                    self._counting = True
                if now >= end or not self._send(line, now):
                    busy -= 1

    def _open(self, start: float, counted_from: float, end: float) -> None:
        free = deque(self._connect() for _ in range(self._job.connections))
        late: deque[float] = deque()
        gap, due = 1 / self._job.rate, start
        while (now := time.perf_counter()) < end:
            while due <= now:
                late.append(due)
                due += gap
            while late and (free or len(self._lines) < MOST_CONNECTIONS):
                self._send(free.popleft() if free else self._connect(), late.popleft())
            self._counting = now >= counted_from
            for number, _ in self._epoll.poll(max(0.0, min(due, end) - time.perf_counter())):
                line = self._lines[number]
                if self._receive(line):
                    self._count(line, time.perf_counter())
                    free.append(line)

    def _connect(self) -> _Line:
        made = socket.create_connection(("127.0.0.1", self._job.port), timeout=30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = self._lines[made.fileno()] = _Line(made)
        self._epoll.register(made.fileno(), select.EPOLLIN)
        return line

    def _send(self, line: _Line, since: float) -> bool:
        requests = self._job.requests
        if self._next >= len(requests):
            if not self._job.again:
                return False
            self._next = 0
        line.request, line.mark = requests[self._next]
        self._next += 1
        line.since, line.data = since, b""
        line.socket.send(line.request)
        return True

    def _receive(self, line: _Line) -> bool:
        """Read the bytes that have arrived. Return true if the answer is complete."""
        try:
            data = line.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.result.broken += 1
            raise SystemExit(f"the server hung up after {line.request[:200]!r}")
        line.data = data = line.data + data
        head = data.find(_HEAD_END)
        if head < 0:
            return False
        length = _LENGTH.search(data, 0, head)
        return length is None or len(data) >= head + 4 + int(length[1])

    def _count(self, line: _Line, now: float) -> None:
        result, status = self.result, int(line.data[9:12])
        if status in self._job.good:
            if line.mark not in line.data:
                result.foreign += 1
                result.sample = result.sample or line.request + b"\n--\n" + line.data
            if self._job.keep and (found := re.search(self._job.keep, line.data)):
                result.kept.append((line.request, found.groups()))
        elif status == 503 and b"\r\nretry-after: " not in line.data:
            result.without_retry_after += 1
        else:
            result.sample = result.sample or line.request + b"\n--\n" + line.data
        if self._counting:
            result.statuses[status] += 1
            (result.good if status in self._job.good else result.refused).append(now - line.since)


def main() -> None:
    """Read the job, run it, write the result."""
    job_path, result_path = map(Path, sys.argv[1:3])
    result = Load(pickle.loads(job_path.read_bytes())).run()
    result_path.write_bytes(pickle.dumps(result))


if __name__ == "__main__":
    # The pickle must name the module that readers import.
    from bench.load import main as named_main

    named_main()
