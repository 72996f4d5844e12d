"""`menshen --version`, and what a shell completes when it has read what `--show-completion` prints."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import menshen as package
from tests.cli.conftest import Menshen

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
HEADING = re.compile(r"^## (?:\[?Unreleased\]?|(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2}))$", re.MULTILINE)

COMPLETE = """
eval "$(menshen --show-completion {shell})"
COMP_WORDS=({words}) COMP_CWORD={place}
_menshen_completion menshen
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def test_the_version_is_told(menshen: Menshen) -> None:
    done = menshen("--version", data=None)
    assert (done.code, done.out, done.err) == (0, f"menshen {package.__version__}\n", "")


def test_the_changelog_dates_this_version_and_all_before() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    found = HEADING.findall(text)
    assert len(found) == len(headings), "each heading is Unreleased or `VERSION - YYYY-MM-DD`"
    versions = [(tuple(map(int, version.split("."))), date.fromisoformat(day)) for version, day in found if version]
    assert ".".join(map(str, versions[0][0])) == package.__version__
    assert versions == sorted(versions, reverse=True)
    assert len({version for version, _ in versions}) == len(versions)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("menshen ap", {"app"}),
        ("menshen account reset", {"reset-factors", "reset-password"}),
        ("menshen epoch raise --conf", {"--config"}),
        ("menshen nothing-like-it", set[str]()),
    ],
)
@pytest.mark.parametrize("shell", ["bash", ""], ids=["named", "by-variable"])
def test_bash_completes(tmp_path: Path, words: str, completed: set[str], shell: str) -> None:
    bash = shutil.which("bash")
    assert bash
    script = COMPLETE.format(words=words, place=len(words.split()) - 1, shell=shell)
    # bash does not replace a SHELL that is set.
    environ = {"PATH": f"{BIN}{os.pathsep}{os.defpath}", "HOME": str(tmp_path), "SHELL": bash}
    done = subprocess.run(
        [bash, "--norc", "-c", script], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) == completed
    # To look does not make an installation.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("shell", "part"), [("zsh", "#compdef menshen\n"), ("fish", "complete --no-files")])
def test_each_shell_has_its_script(menshen: Menshen, monkeypatch: pytest.MonkeyPatch, shell: str, part: str) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    for given in ((shell,), ()):
        done = menshen("--show-completion", *given, data=None)
        assert (done.code, done.err) == (0, "")
        assert part in done.out


@pytest.mark.parametrize("shell", ["tcsh", "powershell", ""])
def test_a_shell_without_a_script_is_refused(menshen: Menshen, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("SHELL", shell and f"/bin/{shell}")
    done = menshen("--show-completion", data=None)
    assert (done.code, done.out) == (2, "")
    told = f"menshen: Invalid value for '--show-completion': {shell!r} is not one of 'bash', 'zsh', 'fish'.\n"
    assert done.err == told
