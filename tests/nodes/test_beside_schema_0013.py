"""The program before second factors goes on beside this one: it changes nothing that it does not know.

It is real: it is taken out of this repository's history. It knows schema 0013, and asks for no second step.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from menshen.adapters.storage.sql.engines.postgres import open_postgres
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.adapters.storage.sql.schema.migrate import migrate_sqlite
from menshen.core.apps import App, SecondFactorRule
from menshen.core.time import DAY, NEVER, after
from menshen.core.tokens import digest
from menshen.ports.store.store import Store
from menshen.testing.store_contract.proofs.records import give_all, held_by
from menshen.testing.store_contract.records import NOW, open_session, session_of, settle
from tests.nodes.test_rolling_upgrade import older_program
from tests.patience import LONG

BEFORE = "373ec2f"
"""The last commit at schema 0013."""

PROGRAM = """
import asyncio, sys
from dataclasses import fields, replace
from pathlib import Path
from menshen.adapters.storage.sql.engines.postgres import open_postgres
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.adapters.storage.sql.schema.migrate import HEAD, migrate_postgres, migrate_sqlite
from menshen.core.account.accounts import Account
from menshen.core.tokens import digest
from menshen.testing.store_contract.records import NOW, open_session, session_of, settle

class Open:
    def seal(self, text): return text.encode()
    def open(self, sealed): return bytes(sealed).decode()

SEALER = Open()

async def go(where):
    assert HEAD == "0013" and not {"second_step"} & {field.name for field in fields(Account)}
    if where.startswith("postgresql"):
        assert not await migrate_postgres(where)
        store = await open_postgres(where, SEALER)
    else:
        assert not migrate_sqlite(Path(where))
        store = SqliteStore(Path(where), SEALER)
    session, alice = await store.read.sessions.find(digest("one"))
    assert await store.read.sessions.check(digest("one"))
    await open_session(store, session_of(alice, "old program's"))
    assert await store.write(lambda tx: tx.sessions.prove("one", NOW + 5))
    rotated = replace(session, seen_at=NOW + 6)
    assert await store.write(lambda tx: tx.sessions.rotate(
        digest("one"), digest("refresh"), digest("two"), digest("newer"), rotated
    ))
    assert await store.write(lambda tx: tx.accounts.set_password(alice.number, "$new$", now=NOW + 7))
    app = await store.read.apps.find_by_name("shop")
    await store.write(lambda tx: tx.apps.save(replace(app, app_name="old program's")))
    await settle(store, "carol")
    await store.write(lambda tx: tx.upkeep.sweep(NOW, audit_days=180, batch=500))
    await store.close()

asyncio.run(go(sys.argv[1]))
"""


class Open:
    """A sealer that both programs have: what it seals lies open."""

    def seal(self, text: str) -> bytes:
        return text.encode()

    def open(self, sealed: bytes) -> str:
        return sealed.decode()


SEALER: Any = Open()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_it_changes_nothing_that_it_does_not_know(
    tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    store: Store
    if database == "sqlite":
        where = str(tmp_path / "menshen.db")
        assert migrate_sqlite(Path(where), LONG)
        store = SqliteStore(Path(where), SEALER, LONG)
    else:
        where = request.getfixturevalue("migrated_url")
        store = await open_postgres(where, SEALER, patience=LONG)
    shop = await store.write(
        lambda tx: tx.apps.add(
            App(0, "shop", "12345678", "s" * 32, second_factor=SecondFactorRule.REQUIRED, trusted_days=3, enrol_by=4)
        )
    )
    alice = await settle(store, "alice")
    await store.write(lambda tx: tx.accounts.change_factors(alice.number, now=NOW, second_step=True))
    await give_all(store, alice)
    session = session_of(
        alice, "one", level=2, methods="pwd otp", second_at=NOW, refresh_expires_at=after(NOW, DAY)
    )  # fmt: skip
    await open_session(store, session, digest("refresh"))
    held = await held_by(store, alice)

    environment = os.environ | {"PYTHONPATH": older_program(tmp_path / "older", BEFORE)}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM, where],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    assert await held_by(store, alice) == held
    present = await store.read.accounts.find(alice.number)
    assert present is not None
    assert (present.second_step, present.factors_version, present.password_hash) == (True, 1, "$new$")
    assert await store.read.apps.find_by_name("shop") == replace(shop, app_name="old program's")
    found = await store.read.sessions.find(digest("two"))
    assert found is not None
    assert found[0] == replace(session, proved_at=after(NOW, 5), seen_at=after(NOW, 6))
    opened = await store.read.sessions.find(digest("old program's"))
    assert opened is not None
    assert (opened[0].level, opened[0].methods, opened[0].second_at) == (1, "", NEVER)
    carol = await store.read.accounts.find(2)
    assert carol is not None
    assert (carol.username, carol.second_step, carol.factors_version) == ("carol", False, 0)
    await store.close()
