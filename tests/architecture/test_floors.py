"""The floors hold (ADR 0001), and the contracts that say so can fail.

The second half builds a small house that breaks every contract once, and expects every one of them to be reported.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
FLOORS = [
    "cli",
    "app",
    "dialects",
    "http",
    "flows",
    "storage",
    "delivery",
    "captcha",
    "federation",
    "hashing",
    "importing",
    "testing",
    "ports",
    "core",
    "console",
]

ROOMS = [
    "storage/sql",
    *(f"storage/sql/{room}" for room in ("news", "schema", "engines", "repositories", "statements")),
]

# (who, what it must not import, the contract that says so)
BREACHES = [
    ("flows/login.py", "menshen.app", "floors"),
    ("ports/store.py", "menshen.flows", "floors"),
    ("storage/memory.py", "menshen.delivery", "floors"),
    ("storage/sql/statements/reader.py", "menshen.storage.sql.engines", "rooms-of-sql"),
    ("federation/idp.py", "menshen.captcha", "floors"),
    ("importing/dump.py", "menshen.storage", "floors"),
    ("dialects/acme.py", "menshen.console", "floors"),
    ("testing/store.py", "menshen.storage", "floors"),
    ("flows/code.py", "menshen.hashing", "flows-know-no-adapter"),
    ("dialects/acme.py", "menshen.ports", "wire-knows-no-port"),
    ("http/body.py", "menshen.storage", "wire-knows-no-port"),
    ("dialects/acme.py", "menshen.flows.login", "flows-through-catalog"),
    ("app/assemble.py", "menshen.testing", "testing-stays-out"),
    ("core/sessions.py", "time", "core-is-pure"),
    ("core/tokens.py", "secrets", "core-is-pure"),
]
ALLOWED = [
    ("dialects/acme.py", "menshen.flows.catalog"),
    ("http/dialect.py", "menshen.flows.catalog"),
    ("app/assemble.py", "menshen.flows.login"),
    ("testing/store.py", "menshen.ports"),
    ("core/phone.py", "phonenumbers"),
]


def lint(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [
        Path(sys.executable).with_name("lint-imports"),
        "--no-cache",
        "--config",
        ROOT / "pyproject.toml",
    ]
    environment = {"PYTHONPATH": str(source), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_floors_hold() -> None:
    result = lint(ROOT, ROOT / "src")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in result.stdout


@pytest.fixture(scope="module")
def broken_house(tmp_path_factory: pytest.TempPathFactory) -> str:
    source = tmp_path_factory.mktemp("house")
    for floor in ["", *FLOORS, *ROOMS]:
        (source / "menshen" / floor).mkdir()
        (source / "menshen" / floor / "__init__.py").touch()
    for name in ["catalog", "login"]:
        (source / "menshen" / "flows" / f"{name}.py").touch()
    for file, module, *_ in BREACHES + ALLOWED:
        with (source / "menshen" / file).open("a") as text:
            text.write(f"import {module}\n")
    result = lint(source, source)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(("file", "module", "contract"), BREACHES)
def test_a_breach_is_reported(broken_house: str, file: str, module: str, contract: str) -> None:
    importer = "menshen." + file.removesuffix(".py").replace("/", ".")
    assert re.search(rf"{re.escape(importer)} -> {re.escape(module)}\b", chapter(broken_house, contract))


@pytest.mark.parametrize(("file", "module"), ALLOWED)
def test_what_is_allowed_is_not_reported(broken_house: str, file: str, module: str) -> None:
    importer = "menshen." + file.removesuffix(".py").replace("/", ".")
    assert not re.search(rf"{re.escape(importer)} -> {re.escape(module)}( |$)", broken_house, re.MULTILINE)


def test_every_contract_has_a_breach() -> None:
    assert {contract["id"] for contract in CONTRACTS} == {contract for _, _, contract in BREACHES}


def test_a_new_folder_needs_a_floor(tmp_path: Path) -> None:
    for floor in ["", *FLOORS, *ROOMS, "attic"]:
        (tmp_path / "menshen" / floor).mkdir()
        (tmp_path / "menshen" / floor / "__init__.py").touch()
    result = lint(tmp_path, tmp_path)
    assert result.returncode == 1
    assert "attic" in result.stdout


def chapter(report: str, contract: str) -> str:
    """What the report says below the headline of one contract."""
    name = next(c["name"] for c in CONTRACTS if c["id"] == contract)
    below = report.split("Broken contracts", 1)[1].split(f"\n{name}\n", 1)[1]
    others = [c["name"] for c in CONTRACTS if c["id"] != contract]
    return re.split("|".join(rf"\n{re.escape(other)}\n" for other in others), below)[0]
