"""A command loads what it needs and no more: under 0.3 s of processor time, judged by what is loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Menshen
from tests.server import CHEAP

SMALL = {"click", "idna", "msgspec", "typing_extensions"}
STORE = SMALL | {"nacl", "_cffi_backend", "_sodium"}
"""With what seals values of the database. Numbering plans are loaded for a phone only."""
HASHES = STORE | {"bcrypt", "zxcvbn"}
ROUTES = SMALL | {"anyio", "python_multipart", "starlette", "structlog"}
CODE = """
import sys
from menshen.cli import main
assert main(sys.argv[1:]) == 0
print()
print(*{name.partition(".")[0] for name, module in sys.modules.items()
        if "site-packages" in (getattr(module, "__file__", None) or "")})
"""


@pytest.fixture
def settled(menshen: Menshen) -> None:
    menshen("account", "add", "--username", "ken_88")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("command", "needs"),
    [
        ("--help", SMALL),
        ("keys rotate", STORE),
        ("app list", STORE),
        ("app show default", STORE),
        ("account show ken_88", STORE),
        ("account sessions ken_88", STORE),
        ("account reset-password ken_88", HASHES),
        ("audit", STORE),
        ("audit --summary --network 192.0.2.0/24", STORE),
        ("outbox", STORE),
        ("sms list", STORE),
        ("sms-report", STORE),
        ("check", STORE),
        ("routes", ROUTES),
        ("openapi", ROUTES),
    ],
)
def test_a_command_loads_no_library_that_it_does_not_use(data: Path, command: str, needs: set[str]) -> None:
    place = [] if command == "--help" else ["--data", str(data)]
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command.split(), *place],
        env={**CHEAP, "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    # structlog takes greenlet in where it is installed. The browser of the tests brings it, and no installation.
    assert {name for name in loaded if not name.startswith(("_distutils", "__editable", "greenlet"))} <= needs


def test_a_command_on_postgresql_loads_its_driver_and_no_more(menshen: Menshen, data: Path, postgres_url: str) -> None:
    menshen("migrate")
    environ = {**CHEAP, "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "MENSHEN_STORAGE__URL": postgres_url}
    done = subprocess.run(
        [sys.executable, "-c", CODE, "app", "list", "--data", str(data)],
        env=environ, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {name for name in loaded if not name.startswith(("_distutils", "__editable"))} == STORE | {"asyncpg"}


def test_numbering_plans_come_without_their_places() -> None:
    """40 MB of the package phonenumbers say where a number is from. Nothing asks, so the one without them is pinned."""
    for name in ("run.txt", "test.txt"):
        pinned = (Path(__file__).parents[2] / "requirements" / name).read_text()
        assert re.findall(r"^phonenumbers\w*(?===)", pinned, re.MULTILINE) == ["phonenumberslite"]
