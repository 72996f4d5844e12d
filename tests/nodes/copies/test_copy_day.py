"""A day of mixed writes: accounts, sessions and codes are written while copies run, are cut, and are run once more.

A model keeps what each database acknowledged. After every step each database holds exactly that.
"""

from __future__ import annotations

import random
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.storage.sql.schema.marks import SchemaError
from menshen.app.installation.backups import put_back, take_backup
from menshen.app.installation.moving import copy_to_postgres, take_back
from menshen.app.installation.opening import in_use
from menshen.app.settings.reader import SettingsError
from menshen.app.world import SystemWorld
from menshen.core.account.accounts import Account
from menshen.core.codes.one_time_codes import CodeChallenge, CodeKey, Purpose
from menshen.core.time import HOUR, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store
from menshen.testing.store_contract.records import NOW, open_in, session_of, settle
from tests.faults.site import Site, settled
from tests.nodes.copies.test_copies import cut
from tests.postgres import PostgresServer


@dataclass
class Held:
    """What a database acknowledged: accounts by name, the account of each session, subjects of codes."""

    accounts: dict[str, Account] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)

    def copied(self) -> Held:
        return Held(dict(self.accounts), dict(self.sessions), set(self.codes))


class Day:
    """One SQLite database, the PostgreSQL databases it went to, and what the model knows of each."""

    def __init__(self, site: Site, server: PostgresServer, chance: random.Random) -> None:
        self.site, self.server, self.chance = site, server, chance
        self.world = SystemWorld()
        self.here = Held()
        self.theirs: dict[str, Held] = {}
        self.target = server.create()
        self.moved = self.half = False
        self.number = 0
        self.done: list[str] = []

    # --- what happens -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        act = self.chance.choice(
            [self.write, self.write, self.write, self.copy_beside, self.copy_whole, self.cut_copy, self.cut_copy,
             self.copy_again, self.write_there, self.take_back, self.restore]
        )  # fmt: skip
        self.done.append(act.__name__)
        act()
        self.judge()

    def write(self) -> None:
        """On the SQLite database, if it is in its place."""
        if self.moved:
            with pytest.raises(SchemaError, match="was moved"):
                self.acknowledge("", Held())
        else:
            self.acknowledge("", self.here)

    def write_there(self) -> None:
        """On the PostgreSQL databases: the one that is half a copy refuses, the others take it."""
        for url, held in self.theirs.items():
            self.acknowledge(url, held)
        if self.half:
            with pytest.raises(SchemaError, match="under way"):
                self.acknowledge(self.target, Held())

    def copy_beside(self) -> None:
        """While a server uses it."""
        with in_use(self.site.settings):
            if self.moved and not self.half:
                with pytest.raises(SettingsError, match="in use already"):
                    self.copy()
            else:
                assert self.copy() is False
                self.half = True

    def copy_whole(self) -> None:
        if self.moved and not self.half:
            with pytest.raises(SettingsError, match="in use already"):
                self.copy()
        else:
            assert self.copy() is True
            self.complete()

    def cut_copy(self) -> None:
        if self.moved and not self.half:
            return
        cut_at = cut(self.site.data, self.target, self.chance.randrange(1, 160))
        if cut_at.returncode == 0:
            self.complete()
            return
        assert cut_at.returncode == -signal.SIGKILL, cut_at.stderr
        # Whether its first and its last transaction have happened is seen in the databases themselves.
        self.half = self._asks(self.target, "SELECT 1 FROM pg_class WHERE relname = 'menshen_copy_under_way'")
        self.moved = bool(self.site.rows("SELECT 1 FROM sqlite_master WHERE name = 'menshen_moved'"))
        assert self.half or not self.moved

    def copy_again(self) -> None:
        """Onto every database that was used since."""
        for url in self.theirs:
            with pytest.raises(SettingsError, match="in use already"):
                copy_to_postgres(self.site.settings, "", url, lambda *_: None, self.world)

    def take_back(self) -> None:
        if not self.moved:
            with pytest.raises(SettingsError, match="nothing to take back"):
                take_back(self.site.settings, "", self.world)
            return
        take_back(self.site.settings, "", self.world)
        self.moved = False
        # All must log in again, and ask for codes again.
        self.here.sessions, self.here.codes = {}, set()
        if not self.half:
            self.target = self.server.create()

    def restore(self) -> None:
        """A backup is put back. What was there is kept under a name of its own, as often as that is done."""
        file = self.site.data.parent / f"backup{self.number}"
        self.number += 1
        if self.moved:
            with pytest.raises(SchemaError, match="was moved"):
                take_backup(self.site.settings, file)
            return
        take_backup(self.site.settings, file)
        before = self.here.copied()
        self.acknowledge("", self.here)
        names = set(self.here.accounts)
        kept = put_back(self.site.settings, file, self.world)
        assert kept is not None
        assert names <= {row[0] for row in rows_of(kept, "SELECT username FROM accounts")}
        self.here = before
        self.here.sessions, self.here.codes = {}, set()

    # --- how ----------------------------------------------------------------------------------------------------------

    def copy(self) -> bool:
        return copy_to_postgres(self.site.settings, "", self.target, lambda *_: None, self.world).final

    def complete(self) -> None:
        self.moved, self.half = True, False
        self.theirs[self.target] = self.here.copied()

    def acknowledge(self, url: str, held: Held) -> None:
        """Write something, and note it once it was acknowledged."""
        self.number += 1
        name = f"n{self.number}"
        what = self.chance.choice(["account", "session", "code", "end", "delete"])

        async def work(store: Store) -> None:
            if what == "session" and held.accounts:
                account = self.chance.choice(list(held.accounts.values()))
                await store.write(lambda tx: open_in(tx, session_of(account, name), most=1000))
                held.sessions[name] = account.number
            elif what == "code":
                await store.write(lambda tx: tx.codes.put(code(f"+86{name}")))
                held.codes.add(f"+86{name}")
            elif what == "end" and held.sessions:
                ended = self.chance.choice(sorted(held.sessions))
                await store.write(lambda tx: tx.sessions.end(ended, held.sessions[ended]))
                del held.sessions[ended]
            elif what == "delete" and held.codes:
                gone = self.chance.choice(sorted(held.codes))
                await store.write(lambda tx: tx.codes.drop(gone))
                held.codes.discard(gone)
            else:
                held.accounts[name] = await settle(store, name)

        self._at(url, lambda: self.site.with_store(work))

    def judge(self) -> None:
        for url, held in [("", self.here), *self.theirs.items()]:
            assert self._names(url, "SELECT username FROM accounts WHERE username LIKE 'n%'") == set(held.accounts), url
            # What is of an older epoch is refused, and its rows go later.
            now = "(SELECT epoch FROM installation)"
            assert self._names(url, f"SELECT session_id FROM sessions WHERE epoch = {now}") == set(held.sessions), url
            assert self._names(url, f"SELECT subject FROM codes WHERE epoch = {now}") == held.codes, url

    def _names(self, url: str, query: str) -> set[str]:
        return {row[0] for row in self._at(url, lambda: self.site.rows(query))}

    def _asks(self, url: str, query: str) -> bool:
        return bool(self._at(url, lambda: self.site.rows(query)))

    def _at(self, url: str, work: Callable[[], Any]) -> Any:
        self.site.url = url
        try:
            return work()
        finally:
            self.site.url = ""


def rows_of(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def code(subject: str) -> CodeChallenge:
    return CodeChallenge(CodeKey(1, Purpose.LOGIN, subject), digest(subject), b"", NOW, after(NOW, HOUR))


def play(tmp_path: Path, server: PostgresServer, seed: int, steps: int) -> None:
    with settled(tmp_path, accounts=1) as site:
        day = Day(site, server, random.Random(seed))
        for _ in range(steps):
            try:
                day.step()
            except BaseException:
                print(f"seed {seed}, step {len(day.done)}: {day.done[-12:]}")
                raise
        for url in {day.target, *day.theirs}:
            server.drop(url)


@pytest.mark.attack("AD-7")
@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_mixed_writes_loses_nothing(tmp_path: Path, postgres_server: PostgresServer, seed: int) -> None:
    play(tmp_path, postgres_server, seed, 25)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 108))
def test_a_day_of_mixed_writes_loses_nothing(tmp_path: Path, postgres_server: PostgresServer, seed: int) -> None:
    play(tmp_path, postgres_server, seed, 400)
