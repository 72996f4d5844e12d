"""A started server, as a user starts it, and a plain HTTP client that keeps the bytes it sees.

What is secret in them is searched for at the end in log, files and rows (tests/canary.py).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import stores
from tests.canary import RUN, Canary, demand_clean_site
from tests.canary_listening import hear_answer, hear_request
from tests.patience import PATIENT

MENSHEN = Path(sys.executable).parent / "menshen"
CHEAP = {
    "MENSHEN_TEST_HASH": "1",
    "MENSHEN_HASH__MEMORY_KIB": "64",
    "MENSHEN_HASH__PASSES": "1",
    "MENSHEN_CAPTCHA__COST": "1",
}
STARTS_WITHIN = 60.0
_SHOWN = re.compile(r'"(code|secret)": ?"([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """Status, header lines in the order they came, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value


@dataclass
class Server:
    """One `menshen serve` and its data directory."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    environ: dict[str, str] = field(repr=False)
    log: Path
    canary: Canary = field(default_factory=lambda: Canary(RUN), repr=False)

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def call(
        self, verb: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=120)
        try:
            raw = body.encode() if isinstance(body, str) else body
            connection.request(verb, path, raw, headers or {})
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
            hear_request(self.canary, path, raw or b"")
            hear_answer(self.canary, answer.headers, answer.body)
            return answer
        finally:
            connection.close()

    def menshen(self, *arguments: str, stdin: str = "") -> str:
        """Run a command on the same data, and give its output."""
        done = subprocess.run(
            [MENSHEN, *arguments, "--data", str(self.data)],
            input=stdin.encode(),
            env=self.environ,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        shown = done.stdout.decode()
        if "--password-stdin" in arguments:
            self.canary.learn("password", stdin.rstrip("\n"))
        if "--secret" in arguments[:-1]:
            self.canary.learn("app secret", arguments[arguments.index("--secret") + 1])
        for kind, value in _SHOWN.findall(shown):
            self.canary.learn(kind, value)
        return shown

    def demand_clean(self) -> None:
        """No secret that passed through here stands in log, files or rows. Raises AssertionError."""
        demand_clean_site(self.data, self.log, self.environ.get("MENSHEN_STORAGE__URL", ""), self.canary)

    def kill(self) -> None:
        """As a power cut would: no handler runs."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def stop(self) -> int:
        """As an operator does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(data: Path, *arguments: str, environ: dict[str, str] | None = None, port: int | None = None) -> Server:
    """Start one and wait until it answers."""
    port = port or free_port()
    env = {**os.environ, **CHEAP, **PATIENT, **stores.environment(data), **(environ or {})}
    log = data.parent / f"{data.name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [MENSHEN, "serve", "--data", str(data), "--port", str(port), *arguments], env=env, stdout=out, stderr=out
        )
    server = Server(data, port, process, env, log)
    give_up = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            if server.call("GET", "/readyz").status == 200:
                return server
        except (OSError, http.client.HTTPException):
            pass
        if process.poll() is not None or time.monotonic() > give_up:
            process.kill()
            process.wait(60)
            raise AssertionError(f"the server did not start:\n{log.read_text('utf-8')[-4000:]}")
        time.sleep(0.02)


@contextmanager
def running(data: Path, *arguments: str, environ: dict[str, str] | None = None) -> Iterator[Server]:
    """A started server that is gone after the block. Raises AssertionError as `Server.demand_clean`."""
    server = start(data, *arguments, environ=environ)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(60)
    server.demand_clean()
