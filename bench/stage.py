"""Hold the setup of rows: durations, rounds, and the installations, made at their first use."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import servers
from bench.installation import USUAL, Installation, make_installation
from menshen.adapters.hashing.argon2id import Parameters
from tests.postgres import PostgresServer

STORES = ("sqlite", "postgres")


@dataclass
class Stage:
    """Hold the setup. `seconds` is the time of one side of a round; `many` is the large data's accounts, 0 for none."""

    folder: Path
    rounds: int
    seconds: float
    accounts: int
    many: int
    logins: int
    stack: ExitStack = field(default_factory=ExitStack)
    _made: dict[tuple[str, int, Parameters], Installation] = field(default_factory=dict)
    _postgres: PostgresServer | None = None

    def installation(self, store: str, accounts: int = 0, cost: Parameters = USUAL) -> Installation:
        """Return the installation of that store, size and hash cost. Rows share it."""
        key = (store, accounts or self.accounts, cost)
        if key not in self._made:
            url = self.postgres.create() if store == "postgres" else ""
            data = self.folder / f"{store}-{key[1]}-{cost.memory_kib}"
            self._made[key] = make_installation(store, data, key[1], url, cost)
        return self._made[key]

    @property
    def postgres(self) -> PostgresServer:
        """Return a real PostgreSQL server that syncs, over a Unix socket."""
        if self._postgres is None:
            self._postgres = self.stack.enter_context(PostgresServer(durable=True))
        return self._postgres

    def bare(self, what: str, *arguments: str) -> float:
        """Return a rate of `bench.bare`."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.bare", what, str(self.seconds), *arguments],
            cwd=servers.ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return float(done.stdout)

    def commits(self, store: str) -> float:
        """Return the store's own rate of durable commits."""
        url = self.installation("postgres").settings["MENSHEN_STORAGE__URL"] if store == "postgres" else ""
        return self.bare(store, url or str(self.folder))

    @contextmanager
    def bare_server(self) -> Iterator[servers.Server]:
        """Run a bare ASGI callable."""
        port = servers.free_port()
        with servers.running([sys.executable, "-m", "bench.bare", "serve", str(port)], port) as server:
            yield server


@contextmanager
def open_stage(*, rounds: int, seconds: float, accounts: int, many: int, logins: int) -> Iterator[Stage]:
    """Open a stage in a temporary folder on the disk that /tmp is on."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder, ExitStack() as stack:
        yield Stage(Path(folder), rounds, seconds, accounts, many, logins, stack)
