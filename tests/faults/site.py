"""One installation with accounts to play with, and as many nodes of it as a test starts: real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.sealing import KeyringSealer
from menshen.app.installation.opening import open_installation
from menshen.app.keys_file import load_keyring
from menshen.app.parts.store import open_store
from menshen.app.settings.reader import Settings, load_settings
from menshen.app.world import SystemWorld
from menshen.core.account.accounts import NewAccount
from menshen.core.apps import App, CaptchaRule
from menshen.core.delivery.messages import Message
from menshen.ports.store.store import Store, WriteTx
from tests import server
from tests.canary import RUN, demand_clean_site
from tests.patience import AS_SHIPPED, PATIENT
from tests.server import CHEAP, Server

T = TypeVar("T")
APPKEY, SECRET = "77777777", "s" * 32
PASSWORD = "Quiet-Otter-17"
WIDE = {
    f"MENSHEN_LIMITS__{name}": "100000"
    for name in (
        "CAPTCHA_FROM", "PAUSE_AFTER", "NETWORK_CAPTCHA_FROM", "SUSPEND_AFTER", "CODE_TRIES_PER_NUMBER",
        "SEND_PER_MINUTE", "SEND_PER_HOUR", "SEND_PER_DAY", "SEND_PER_NETWORK", "SEND_BUDGET_PER_DAY",
        "CAPTCHA_PER_NETWORK", "PASSWORD_CHANGES_PER_ACCOUNT", "BINDS_PER_ACCOUNT", "EDITS_PER_ACCOUNT",
        "SESSION_CALLS_PER_SESSION", "REFRESHES_PER_SESSION",
    )
}  # fmt: skip


def username(number: int) -> str:
    return f"player{number}"


def phone(number: int) -> str:
    return f"1380013{8000 + number}"


@dataclass
class Site:
    """A data directory, the address of its PostgreSQL ("" for SQLite), and the nodes that run."""

    data: Path
    url: str
    extra: dict[str, str] = field(default_factory=dict)
    nodes: list[Server] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        store = {"MENSHEN_STORAGE__URL": self.url} if self.url else {}
        return CHEAP | AS_SHIPPED | WIDE | store | self.extra

    @property
    def start_environ(self) -> dict[str, str]:
        """The whole environment of a process of this site."""
        return {**os.environ, **self.environ}

    @property
    def settings(self) -> Settings:
        """What the test itself works with: it meets no faults, and waits for everything."""
        return load_settings(None, self.environ | PATIENT, self.data)

    def settle(self, accounts: int) -> None:
        """Make the database, an app and `accounts` accounts with a password and a proved phone."""
        _on_own_thread(lambda: self._settle(accounts))

    async def _settle(self, accounts: int) -> None:
        world = SystemWorld()
        hasher = Argon2idHasher(Parameters(64, 1), threads=1)
        stored = await hasher.hash(PASSWORD.encode())
        hasher.close()
        app = App(0, "faults", APPKEY, SECRET, captcha=CaptchaRule.NEVER, host="127.0.0.1")

        async def people(tx: WriteTx) -> None:
            for number in range(accounts):
                name = username(number)
                new = NewAccount(
                    name, name, name, phone=f"+86{phone(number)}", phone_verified=True, password_hash=stored
                )
                await tx.accounts.add(new)

        async with open_installation(self.settings, world) as here:
            await here.store.write(lambda tx: tx.apps.add(app))
            await here.store.write(people)

    def start(self, *arguments: str, port: int | None = None, **extra: str) -> Server:
        """One more node, ready."""
        node = server.start(self.data, *arguments, environ=self.environ | extra, port=port)
        self.nodes.append(node)
        return node

    def launch(self, *arguments: str, log: Path | None = None, **extra: str) -> Server:
        """One more node, without waiting for anything; `log` is a place for what it says."""
        port = server.free_port()
        log = log or self.data.parent / f"{self.data.name}.log"
        environ = {**os.environ, **self.environ, **extra}
        command = [str(server.MENSHEN), "serve", "--data", str(self.data), "--port", str(port), *arguments]
        with log.open("ab") as out:
            process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        node = Server(self.data, port, process, environ, log)
        self.nodes.append(node)
        return node

    def close(self) -> None:
        for node in self.nodes:
            if node.process.poll() is None:
                node.process.send_signal(signal.SIGCONT)
                node.process.kill()
                node.process.wait(60)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds, read past the program."""
        if not self.url:
            with closing(sqlite3.connect(self.data / "menshen.db")) as connection:
                return connection.execute(query).fetchall()
        url = self.url

        async def ask() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(url, timeout=60)
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        return _on_own_thread(ask)

    def run(self, *statements: str) -> None:
        """Change PostgreSQL past the program, each statement by itself."""

        async def change() -> None:
            connection = await asyncpg.connect(self.url, timeout=60)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        _on_own_thread(change)

    def with_store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        async def open_and_work() -> T:
            store = await open_store(self.settings, KeyringSealer(load_keyring(self.settings.keys_path)))
            try:
                return await work(store)
            finally:
                await store.close()

        return _on_own_thread(open_and_work)

    def messages(self) -> list[Message]:
        async def read(store: Store) -> list[Message]:
            return [stored.message for stored in await store.read.outbox.list_all(limit=10_000)]

        return self.with_store(read)


@contextmanager
def settled(folder: Path, url: str = "", accounts: int = 4, **extra: str) -> Iterator[Site]:
    """A site that is gone after the block. Raises AssertionError when a secret stands in its files, rows or log."""
    site = Site(folder / "data", url, extra)
    try:
        site.settle(accounts)
        yield site
    finally:
        site.close()
    for secret in (PASSWORD, SECRET):
        RUN.learn("password", secret)
    demand_clean_site(site.data, folder / "data.log", url, RUN)


def _on_own_thread(work: Callable[[], Awaitable[T]]) -> T:
    """Run it whether or not a loop runs here."""
    found: list[T] = []
    failed: list[BaseException] = []

    async def whole() -> T:
        return await work()

    def run() -> None:
        try:
            found.append(asyncio.run(whole()))
        except BaseException as error:  # noqa: BLE001 - handed to whoever asked
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
