"""An installation takes what the lock names, and nothing that is published later can change or break it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
FIRST = "$(VENV)/.stamp-pip"
"""The target that brings the pinned pip."""

DEMANDED = {"--require-hashes", "--no-deps", "--only-binary"}


def pins(lock: Path) -> dict[str, Requirement]:
    """Read the requirements of a lock by their names."""
    lines = lock.read_text("utf-8").replace("\\\n", " ").splitlines()
    requirements = [Requirement(line.partition(" --hash=")[0]) for line in lines if line.strip()]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def rules(makefile: str) -> dict[str, tuple[set[str], str]]:
    """Read a makefile's targets: what each needs, and its recipe."""
    found = re.findall(r"^([^\s:#=]+):(?!=)([^\n#]*)\n((?:\t[^\n]*\n?)*)", makefile, re.MULTILINE)
    return {target: ({*needs.replace("|", " ").split()}, recipe) for target, needs, recipe in found}


def brings_pip_first(makefile: str, target: str) -> bool:
    known = rules(makefile)
    needs, _ = known.get(target, (set[str](), ""))
    return FIRST in needs or any(brings_pip_first(makefile, need) for need in needs if need in known)


def installing(makefile: str) -> list[str]:
    return [target for target, (_, recipe) in rules(makefile).items() if "$(INSTALL)" in recipe]


def test_every_pin_has_hashes() -> None:
    assert {lock.name for lock in LOCKS} == {"pip.txt", "run.txt", "test.txt", "lock.txt", "clients.txt"}
    for lock in LOCKS:
        for entry in lock.read_text("utf-8").replace("\\\n", " ").splitlines():
            assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", entry), entry


def test_pip_comes_first_and_nothing_is_resolved() -> None:
    assert set(installing(MAKEFILE)) == {
        FIRST,
        "$(VENV)/.stamp-run",
        "$(VENV)/.stamp-test",
        "$(VENV)/.stamp-clients",
        "lock",
    }
    (words,) = re.findall(r"^INSTALL := \$\(PIP\) install (.*)$", MAKEFILE, re.MULTILINE)
    assert set(words.split()) >= DEMANDED
    for target in ("run", "setup", "test", *installing(MAKEFILE)):
        assert target == FIRST or brings_pip_first(MAKEFILE, target), target
    # Nothing else installs; the package itself is built from this folder alone.
    assert re.findall(r"^.*\bpip\b.*\binstall\b.*$|^.*\$\(PIP\) install.*$", MAKEFILE, re.MULTILINE) == [
        f"INSTALL := $(PIP) install {words}",
        "EDITABLE := $(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .",
    ]


@pytest.mark.parametrize(
    "makefile",
    [
        "a: b\n\t$(INSTALL) -r x\nb:\n\techo\n",
        "a:\n\t$(INSTALL) -r x\n",
        "a: $(VENV)/.stamp-pi\n\t$(INSTALL) -r x\n",
    ],
)
def test_an_installation_before_pip_is_told(makefile: str) -> None:
    assert installing(makefile) == ["a"]
    assert not brings_pip_first(makefile, "a")


@pytest.mark.parametrize("place", ["Dockerfile", "deploy/menshen.service"])
def test_other_ways_to_install_do_the_same(place: str) -> None:
    """The pinned pip, then the lock of a server, then this folder."""
    text = (ROOT / place).read_text("utf-8").replace("\\\n", " ")
    commands = [command for command in re.split(r"&&|\n|`|;", text) if re.search(r"\bpip install\b", command)]
    named = [re.findall(r"-r requirements/(\S+)", command) for command in commands]
    assert named == [["pip.txt"], ["run.txt"], []] * (len(named) // 3)
    assert commands
    for command, files in zip(commands, named, strict=True):
        assert set(command.split()) >= (DEMANDED if files else {"--no-deps", "--no-index"}), command


@pytest.mark.parametrize(("lock", "least"), [("run.txt", 15), ("test.txt", 50)], ids=["run.txt", "test.txt"])
def test_each_requirement_finds_its_pin_as_it_asks_for_it(lock: str, least: int) -> None:
    """With its extras too: pip 23 goes looking for the newest release of what is pinned without them."""
    pinned = pins(ROOT / "requirements" / lock)
    tried = 0
    for name, pin in pinned.items():
        if pin.marker and not pin.marker.evaluate():
            continue
        for text in metadata.requires(name) or []:
            asked = Requirement(text)
            if asked.marker and not any(asked.marker.evaluate({"extra": extra}) for extra in ("", *pin.extras)):
                continue
            found = pinned.get(canonicalize_name(asked.name))
            assert found, f"{name} needs {asked.name}, which the lock lacks"
            assert found.extras >= asked.extras, f"{name} asks for {asked}, and {found} is pinned"
            assert asked.specifier.contains(str(found.specifier).removeprefix("=="), prereleases=True), (name, text)
            tried += 1
    assert tried > least


def test_every_file_of_the_package_ships_with_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = [pattern.removeprefix("**/") for pattern in settings["tool"]["setuptools"]["package-data"]["menshen"]]
    tracked = subprocess.run(["git", "ls-files", "src/menshen"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [Path(line) for line in tracked.stdout.splitlines()]
    assert files
    assert not [file for file in files if file.suffix != ".py" and not any(map(file.match, patterns))]


def wheel(folder: Path, name: str, version: str, *needs: str) -> str:
    """Make a wheel of nothing; its pin with a hash."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Provides-Extra: more"]
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{name}.py", f"version = {version!r}\n")
        made.writestr(f"{info}/METADATA", "\n".join([*lines, *(f"Requires-Dist: {need}" for need in needs), ""]))
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_what_is_published_later_changes_nothing(tmp_path: Path) -> None:
    shelf, target, lock = tmp_path / "shelf", tmp_path / "target", tmp_path / "lock.txt"
    shelf.mkdir()
    lock.write_text(wheel(shelf, "asks", "1.0", "thing[more]>=1") + wheel(shelf, "thing", "1.0", "extra; extra == 'x'"))
    for later in ("1.0.1", "1.1", "2.0"):
        wheel(shelf, "thing", later, "a-new-need")
    (words,) = re.findall(r"^INSTALL := \$\(PIP\) (install .*)$", MAKEFILE, re.MULTILINE)
    # In pieces, for no tracked file says from where packages come.
    place = ["--no-index", "--find" + "-links", str(shelf), "--target", str(target)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words.split(), *place, "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (target / "thing.py").read_text() == "version = '1.0'\n"
