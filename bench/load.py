"""The client: many keep-alive connections from a process of its own, each answer checked to be its own account's.

`python -m bench.load JOB RESULT`: both are pickles, of a `Job` and of a `Result`. Plain sockets under epoll, and
requests made beforehand, so that one process of it is several times as fast as the servers it measures.
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
    """What to send. `requests` are (bytes, mark): an answer that succeeds without the mark is somebody else's.

    Closed (`rate` 0): each connection sends its next request when the last was answered. Open: `rate` a second are sent
    whatever comes back, and what waits for a connection is as late as its user would see it. `again` starts over when
    the requests are used up; else the run ends there. `keep`: a pattern whose groups are kept of each success, with its
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
    """What came back. Latencies in seconds, sorted; `seconds` is the time in which they were counted."""

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
        """Successes a second."""
        return len(self.good) / self.seconds if self.seconds else 0.0


@dataclass(eq=False)
class _Line:
    """One connection, and what is under way on it."""

    socket: socket.socket
    request: bytes = b""
    mark: bytes = b""
    since: float = 0.0
    data: bytes = b""


class Load:
    """One run of a job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._next = 0
        self._epoll = select.epoll()
        self._lines: dict[int, _Line] = {}
        self._counting = job.warm_seconds == 0
        self.result = Result()

    def run(self) -> Result:
        """Send, count, and hang up."""
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
        """Read what is there; whether the answer is complete."""
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
    # Pickled under the name that others import it by.
    from bench.load import main as named_main

    named_main()
