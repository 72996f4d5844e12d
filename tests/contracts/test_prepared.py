"""The texts kept beside the code are what its statements compile to, and what an edit makes of them is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from menshen.storage.sql import prepared
from menshen.storage.sql.compiling import Statement
from menshen.storage.sql.prepared import DIALECTS, Prepared, compiled, text_path
from tests.harness import KEYRING

HOW = "statements changed: run python -m menshen.storage.sql.statements"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_texts_are_what_compiling_gives(dialect: str) -> None:
    assert msgspec.json.decode(text_path(dialect).read_bytes()) == compiled(dialect), HOW


@pytest.mark.parametrize("dialect", DIALECTS)
def test_texts_of_other_sources_are_not_believed(dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = msgspec.json.decode(text_path(dialect).read_bytes())
    known["statements"]["accounts"]["by_number"]["text"] = "SELECT of another day"
    stale = tmp_path / "stale.json"
    monkeypatch.setattr(prepared, "text_path", lambda _: stale)
    stale.write_bytes(msgspec.json.encode(known))
    believed: Any = Prepared(dialect, _sealer()).accounts.by_number
    assert believed.text == "SELECT of another day"
    stale.write_bytes(msgspec.json.encode(known | {"sources": "others"}))
    again: Any = Prepared(dialect, _sealer()).accounts.by_number
    assert isinstance(again, Statement)
    assert "FROM accounts" in again.text


def _sealer() -> Any:
    from menshen.adapters.sealing import KeyringSealer

    return KeyringSealer(KEYRING)
