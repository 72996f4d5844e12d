"""What `serve` says to do next can be typed as it stands."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from menshen.app.process.serve import Listening
from menshen.cli.serve import _print_greeting

URL = "http://127.0.0.1:8400"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name in a folder of its own, which runs now."""
    path = tmp_path / "a folder" / "menshen"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\necho ran: "$@"\n')
    path.chmod(0o755)
    # Patched: how a process was started belongs to the process.
    monkeypatch.setattr(sys, "argv", [str(path), "serve"])
    return path


def printed_command(capsys: pytest.CaptureFixture[str]) -> str:
    """The command that it says to type for codes."""
    capsys.readouterr()
    _print_greeting(Listening(URL, None), " --data d", as_json=False)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "read sent codes" in line)
    return line.partition("read sent codes")[2].strip()


def typed(command: str) -> str:
    shell = shutil.which("sh")
    assert shell
    return subprocess.run([shell, "-c", command], capture_output=True, text=True, check=True).stdout


def test_a_program_that_no_path_leads_to_is_told_by_its_own(
    program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert typed(printed_command(capsys)) == "ran: outbox --data d\n"
    # Another one of that name is not this one.
    other = program.parent.parent / "other" / "menshen"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho another\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}:/usr/bin:/bin")
    assert typed(printed_command(capsys)) == "ran: outbox --data d\n"


def test_a_program_that_a_path_leads_to_is_told_by_its_name(
    program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert printed_command(capsys) == "menshen outbox --data d"
    assert typed(printed_command(capsys)) == "ran: outbox --data d\n"


def test_a_module_has_no_other_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for started in ("-c", "/somewhere/__main__.py", "/nowhere/menshen"):
        # Patched: as above.
        monkeypatch.setattr(sys, "argv", [started])
        assert printed_command(capsys) == "menshen outbox --data d"
