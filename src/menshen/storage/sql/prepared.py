"""Statements ready to run: compiled beforehand and kept as JSON beside this file.

Compiling takes SQLAlchemy, which takes longer to load than everything else of a start together and more memory than
everything else of a worker; running takes texts and names. The texts are believed only while the sources of the
statements are those that they were compiled from: whoever edits a statement gets it compiled, and a test that asks to
write the texts down. (Decision 0026.)
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from menshen.ports.sealing import Sealer
from menshen.storage.sql.compiling import Statement

if TYPE_CHECKING:
    from menshen.storage.sql.statements.accounts import AccountStatements
    from menshen.storage.sql.statements.captchas import CaptchaStatements
    from menshen.storage.sql.statements.codes import CodeStatements
    from menshen.storage.sql.statements.counters import CounterStatements
    from menshen.storage.sql.statements.directory import DirectoryStatements
    from menshen.storage.sql.statements.hash_heads import HashHeadStatements
    from menshen.storage.sql.statements.importing import ImportStatements
    from menshen.storage.sql.statements.journal import JournalStatements
    from menshen.storage.sql.statements.sessions import SessionStatements
    from menshen.storage.sql.statements.traffic import TrafficStatements
    from menshen.storage.sql.statements.upkeep import UpkeepStatements

DIALECTS: Final = ("sqlite", "postgresql")
_HERE: Final = Path(__file__).parent


class Prepared:
    """Every statement of the program, compiled for one database."""

    accounts: AccountStatements
    sessions: SessionStatements
    codes: CodeStatements
    captchas: CaptchaStatements
    counters: CounterStatements
    directory: DirectoryStatements
    journal: JournalStatements
    imports: ImportStatements
    hash_heads: HashHeadStatements
    traffic: TrafficStatements
    upkeep: UpkeepStatements

    def __init__(self, dialect: str, sealer: Sealer) -> None:
        """`dialect` is one of `DIALECTS`."""
        self.sealer = sealer
        known = msgspec.json.decode(text_path(dialect).read_bytes())
        if known["sources"] != sources():
            known = compiled(dialect)
        for name, statements in known["statements"].items():
            setattr(self, name, SimpleNamespace(**{key: _thawed(value) for key, value in statements.items()}))


def text_path(dialect: str) -> Path:
    """Where the texts of a database are kept."""
    return _HERE / "statements" / f"{dialect}.json"


def sources() -> str:
    """A digest of everything that statements are written in."""
    files = [_HERE / "tables.py", *sorted((_HERE / "statements").glob("*.py"))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def compiled(dialect: str) -> dict[str, Any]:
    """What `write_down` writes, compiled now."""
    from menshen.storage.sql.statements.everything import compile_everything

    everything = compile_everything(dialect)
    statements = {name: {key: _frozen(value) for key, value in vars(each).items()} for name, each in everything.items()}
    return {"sources": sources(), "statements": statements}


def write_down(dialect: str) -> None:
    """Compile, and keep the texts."""
    made = msgspec.json.encode(compiled(dialect), order="deterministic")
    text_path(dialect).write_bytes(msgspec.json.format(made, indent=1) + b"\n")


def _frozen(value: Any) -> Any:
    if isinstance(value, Statement):
        return {
            "text": value.text,
            "names": [str(name) for name in value.names],
            "constants": {str(name): _plain(constant) for name, constant in value.constants.items()},
        }
    if isinstance(value, dict):
        return {str(key): _frozen(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_frozen(each) for each in value]
    if value is None:
        return None
    raise TypeError(f"a repository holds a {type(value).__name__} beside its statements")


def _plain(constant: Any) -> Any:
    if type(constant) not in {str, int, float, bool, type(None)}:
        raise TypeError(f"a {type(constant).__name__} cannot be written down: give it at each run")
    return constant


def _thawed(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"text", "names", "constants"}:
        return Statement(value["text"], tuple(value["names"]), value["constants"])
    if isinstance(value, dict):
        return {key: _thawed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_thawed(each) for each in value]
    return value
