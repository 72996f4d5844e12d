"""Statements compiled once for a whole run of tests instead of at each opened store: they do not change between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from menshen.ports.sealing import Sealer
from menshen.storage.sql import postgres, sqlite
from menshen.storage.sql.compiling import Compiler
from menshen.storage.sql.transactions import Prepared


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    known: dict[bool, Prepared] = {}

    def prepared(sql: Compiler, sealer: Sealer) -> Prepared:
        first = known.get(sql.postgres) or known.setdefault(sql.postgres, Prepared(sql, sealer))
        made = object.__new__(Prepared)
        made.__dict__.update(first.__dict__, sealer=sealer)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "Prepared", prepared)
        patch.setattr(postgres, "Prepared", prepared)
        yield
