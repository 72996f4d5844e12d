"""Commands run in this process, on a data directory of the test's own."""

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from menshen.cli import main


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


class Terminal(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


Menshen = Callable[..., Done]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def menshen(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Menshen]:
    """`menshen("account", "add", …, stdin="…")`; `--data` is added unless `data=False`.

    With `terminal` a person types `stdin`.
    """
    for name in [name for name in os.environ if name.startswith("MENSHEN_")]:
        monkeypatch.delenv(name)
    for name, value in {"TEST_HASH": "1", "HASH__MEMORY_KIB": "64", "HASH__PASSES": "1"}.items():
        monkeypatch.setenv(f"MENSHEN_{name}", value)

    def run(*arguments: str, stdin: str = "", terminal: bool = False, data: Path | None = data) -> Done:
        # Patched: standard input belongs to the process.
        monkeypatch.setattr("sys.stdin", Terminal(stdin) if terminal else io.StringIO(stdin))
        place = ["--data", str(data)] if data is not None else []
        capsys.readouterr()
        code = main([*arguments, *place])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    umask = os.umask(0o022)
    yield run
    os.umask(umask)


@pytest.fixture
def made(menshen: Menshen) -> None:
    """An installation with its first app, as a first start leaves it."""
    for command in ("migrate",), ("app", "list"):
        assert menshen(*command).code == 0
