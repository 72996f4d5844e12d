"""House rules that no linter knows. Each rule is a function from a file to its complaints, and is seen failing below.

Short files, names that say something, a docstring on every module, one door for time and chance, a pure core, and
no place on the network or on a disk in any tracked file.
"""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "menshen"
SOURCES = sorted(PACKAGE.rglob("*.py"))

MAX_LINES = 400
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "kit"}

# The one place that may read the clock or the random device (docs/ARCHITECTURE.md, invariants).
WORLD = "app/world.py"
# Monotonic clocks are free: they measure how long, and cannot say when.
CLOCKS = {
    "time.time",
    "time.time_ns",
    "time.clock_gettime",
    "time.clock_gettime_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "os.urandom",
    "os.getrandom",
    "uuid.uuid1",
    "uuid.uuid4",
    "nacl.utils.random",
}
CHANCE = {"secrets", "random"}

# What these floors may import beside the standard library and menshen itself (decisions 0001 and 0002).
GUESTS = {"core": {"phonenumbers", "idna"}, "ports": set[str](), "flows": set[str]()}

RE_PARSER: Any = importlib.import_module("re._parser")
RE_CONSTANTS: Any = importlib.import_module("re._constants")
POSSESSIVE = {RE_CONSTANTS.POSSESSIVE_REPEAT, RE_CONSTANTS.ATOMIC_GROUP}

Rule = Callable[[str, str], Iterator[str]]


def is_short(_: str, text: str) -> Iterator[str]:
    if (lines := len(text.splitlines())) > MAX_LINES:
        yield f"{lines} lines, {MAX_LINES} at most: split it by what its parts are about"


def has_a_name(path: str, _: str) -> Iterator[str]:
    for part in Path(path).with_suffix("").parts:
        if part.strip("_") in EMPTY_NAMES:
            yield f"{part!r} does not say what lives here"


def has_a_head(path: str, text: str) -> Iterator[str]:
    if not ast.get_docstring(ast.parse(text, path)):
        yield "no docstring says what lives here and what it must not know"


def asks_the_world(path: str, text: str) -> Iterator[str]:
    """Time and chance come in as arguments, from the World that app/world.py makes."""
    if path == WORLD:
        return
    tree = ast.parse(text, path)
    names = dict(imported_names(tree))
    for full in {*names.values(), *(dotted(node, names) for node in ast.walk(tree) if isinstance(node, ast.Attribute))}:
        if full in CLOCKS or full.partition(".")[0] in CHANCE:
            yield f"{full} is for {WORLD} alone: take a World, or the moment itself, as an argument"


def asks_in_few_guests(path: str, text: str) -> Iterator[str]:
    floor = Path(path).parts[0]
    if floor not in GUESTS:
        return
    for full in {name.partition(".")[0] for _, name in imported_names(ast.parse(text, path))}:
        if full not in sys.stdlib_module_names | GUESTS[floor] | {"menshen"}:
            yield f"{full} is a third party, and {floor} takes in none but {sorted(GUESTS[floor])}"


def repeats_plainly(path: str, text: str) -> Iterator[str]:
    """Python before 3.11.5 matches some possessive repeats and atomic groups wrongly, and Debian 12 has 3.11.2."""
    for node in ast.walk(ast.parse(text, path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and is_possessive(node.value):
            yield f"line {node.lineno}: {node.value!r} holds a possessive repeat or an atomic group"


def is_possessive(pattern: str | bytes, flags: int = 0) -> bool:
    shown = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    if not flags and not re.search(r"[*+?}]\+|\(\?>", shown):
        return False
    try:
        return any(op in POSSESSIVE for op in operations(RE_PARSER.parse(shown, flags & (re.VERBOSE | re.DOTALL))))
    except (re.error, OverflowError):
        # A piece of a pattern, or no pattern at all: what looks like one is spelt in another way.
        return True


def operations(tree: Any) -> Iterator[Any]:
    """Yield every operation of a parsed pattern, those inside of others too."""
    for part in tree:
        if isinstance(part, RE_CONSTANTS._NamedIntConstant):
            yield part
        elif isinstance(part, list | tuple | RE_PARSER.SubPattern):
            yield from operations(part)


RULES = [is_short, has_a_name, has_a_head, asks_the_world, asks_in_few_guests, repeats_plainly]


def imported_names(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, with the full name of what it stands for; relative imports are ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`dt.now` as `datetime.datetime.now` where `dt` was imported as such; else empty."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute) and (left := dotted(node.value, names)):
        return f"{left}.{node.attr}"
    return ""


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps(rule: Rule) -> None:
    assert SOURCES
    broken = [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in SOURCES
        for complaint in rule(path.relative_to(PACKAGE).as_posix(), path.read_text("utf-8"))
    ]
    assert not broken, "\n".join(broken)


def test_tests_are_short_too() -> None:
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert files
    broken = [f"{path.relative_to(ROOT)}: {why}" for path in files for why in is_short("", path.read_text("utf-8"))]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (is_short, "flows/login.py", "\n" * (MAX_LINES + 1)),
        (has_a_name, "flows/utils.py", ""),
        (has_a_name, "common/__init__.py", ""),
        (has_a_name, "adapters/storage/_base.py", ""),
        (has_a_head, "core/__init__.py", ""),
        (has_a_head, "core/phone.py", "# A comment is no docstring.\nX = 1\n"),
        (asks_the_world, "flows/login.py", "import time\ntime.time()"),
        (asks_the_world, "flows/login.py", "import time as t\nf = t.time_ns"),
        (asks_the_world, "flows/login.py", "from time import time"),
        (asks_the_world, "cli/serve.py", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
        (asks_the_world, "cli/serve.py", "from datetime import datetime as dt\ndt.now()"),
        (asks_the_world, "cli/serve.py", "from datetime import date\ndate.today()"),
        (asks_the_world, "core/tokens.py", "def f():\n    import secrets"),
        (asks_the_world, "core/tokens.py", "from random import choice"),
        (asks_the_world, "core/tokens.py", "import os\nos.urandom(16)"),
        (asks_the_world, "core/tokens.py", "from uuid import uuid4"),
        (asks_the_world, "wire/world.py", "import secrets"),
        (asks_in_few_guests, "core/tokens.py", "import msgspec.json"),
        (asks_in_few_guests, "ports/store/store.py", "from asyncpg import connect"),
        (asks_in_few_guests, "flows/login.py", "import phonenumbers"),
        (repeats_plainly, "core/phone.py", "P = re.compile(r'a*+b')"),
        (repeats_plainly, "core/phone.py", "P = re.compile(rb'x(?:[^\"]++|y)?+')"),
        (repeats_plainly, "core/phone.py", "P = re.compile(r'(?:(?=(?:a{2}+)))')"),
        (repeats_plainly, "core/phone.py", "P = re.compile(f'(?>{A}|b)c')"),
        (repeats_plainly, "core/phone.py", "P = rb'|[a-z]++)'"),
    ],
)
def test_a_breach_is_told(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (is_short, "flows/login.py", "\n" * MAX_LINES),
        (has_a_name, "core/commonplace.py", ""),
        (asks_the_world, WORLD, "import secrets, time\ntime.time()"),
        (asks_the_world, "wire/http/limits.py", "import time\ntime.monotonic()"),
        (
            asks_the_world,
            "flows/login.py",
            "from menshen.ports.world import World\ndef f(world: World): return world.now()",
        ),
        (asks_the_world, "core/time.py", "import datetime\ndatetime.datetime.fromtimestamp(0, datetime.UTC)"),
        (
            asks_in_few_guests,
            "core/identifiers.py",
            "import re\nimport phonenumbers\nfrom menshen.core import time\nfrom . import time",
        ),
        (asks_in_few_guests, "wire/http/body.py", "import starlette"),
        (repeats_plainly, "core/phone.py", "P = re.compile(r'[*+/?+]+|a+[+]|(?:b+)+|c\\+\\++')"),
    ],
)
def test_what_is_allowed_is_not_told(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(path, text))


def no_places(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / ".ci" / "no-places", folder], capture_output=True, text=True, check=False)


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    result = no_places(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


# In pieces, for the rule reads this file too.
@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("https://py" + "pi.org/simple", True),
        ("files.python" + "hosted.org", True),
        ("registry.npm" + "js.org", True),
        ("deb." + "debian.org/debian", True),
        ("proxy." + "golang.org", True),
        ("repo1.mav" + "en.org", True),
        ("static.crates" + ".io", True),
        ("pip install --extra-index" + "-url x", True),
        ("PIP_INDEX" + "_URL=x", True),
        ("cd /wo" + "rk/main", True),
        ("HOME=/ro" + "ot/x", True),
        ("uv pip compile --no-emit-index-url", False),
        ("a/network/work/load", False),
    ],
)
def test_a_place_is_told(tmp_path: Path, line: str, refused: bool) -> None:
    (tmp_path / "file").write_text(line + "\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "file"], check=True)
    assert no_places(tmp_path).returncode == (1 if refused else 0)
