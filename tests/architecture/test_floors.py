"""The floors hold (decision 0001), and the contracts that say so can fail.

The second half builds a small house that breaks every contract once, and expects every one of them to be reported.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
FLOORS = sorted(
    f"{container}.{name}".removeprefix("menshen.").replace(".", "/")
    for contract in CONTRACTS
    if contract["type"] == "layers"
    for container in contract["containers"]
    for layer in contract["layers"]
    for name in re.findall(r"\w+", layer)
)
"""Every folder that a contract of layers names, those not built yet included."""

# (who, what it must not import, the contract that says so)
BREACHES = [
    ("flows/login/password.py", "menshen.app", "floors"),
    ("ports/store/store.py", "menshen.flows", "floors"),
    ("testing/store.py", "menshen.app", "floors"),
    ("testing/store.py", "menshen.adapters", "suites-know-no-adapter"),
    ("app/assemble.py", "menshen.app.process", "rooms-of-app"),
    ("app/settings/reader.py", "menshen.app.telemetry", "rooms-of-app"),
    ("wire/careyshop/call.py", "menshen.wire.weidu", "ends-of-the-wire"),
    ("wire/http/body.py", "menshen.wire.weidu", "ends-of-the-wire"),
    ("wire/dialect.py", "menshen.wire.careyshop", "ends-of-the-wire"),
    ("wire/not_known_here/call.py", "menshen.wire.probes", "ends-of-the-wire"),
    ("wire/http/body.py", "menshen.wire.dialect", "plumbing-of-the-wire"),
    ("flows/gates/captcha.py", "menshen.flows.codes", "subjects-of-flows"),
    ("flows/codes/send.py", "menshen.flows.sessions", "subjects-of-flows"),
    ("adapters/storage/memory.py", "menshen.adapters.delivery", "adapters-are-strangers"),
    ("adapters/storage/sql/statements/reader.py", "menshen.adapters.storage.sql.engines", "rooms-of-sql"),
    ("adapters/federation/idp.py", "menshen.adapters.captcha", "adapters-are-strangers"),
    ("adapters/federation/idp.py", "menshen.adapters.federation.other", "vendors-are-strangers"),
    ("adapters/captcha/vendors/one.py", "menshen.adapters.captcha.vendors.other", "vendors-are-strangers"),
    ("adapters/delivery/sms/one.py", "menshen.adapters.delivery.sms.other", "vendors-are-strangers"),
    ("adapters/delivery/email/one.py", "menshen.adapters.delivery.email.other", "vendors-are-strangers"),
    ("adapters/factors/one.py", "menshen.adapters.factors.other", "vendors-are-strangers"),
    ("flows/codes/send.py", "menshen.adapters.hashing", "flows-know-no-adapter"),
    ("wire/weidu/call.py", "menshen.ports", "wire-knows-no-port"),
    ("wire/http/body.py", "menshen.adapters.storage", "wire-knows-no-port"),
    ("wire/weidu/call.py", "menshen.flows.login.password", "flows-through-catalog"),
    ("app/assemble.py", "menshen.testing", "testing-stays-out"),
    ("core/sessions/sessions.py", "time", "core-is-pure"),
    ("core/tokens.py", "secrets", "core-is-pure"),
]
ALLOWED = [
    ("wire/weidu/call.py", "menshen.flows.catalog"),
    ("wire/dialect.py", "menshen.flows.catalog"),
    ("wire/weidu/call.py", "menshen.wire.http"),
    ("wire/not_known_here/call.py", "menshen.wire.http"),
    ("wire/not_known_here/call.py", "menshen.wire.dialect"),
    ("wire/not_known_here/examples.py", "menshen.wire.examples"),
    ("testing/dialect.py", "menshen.wire.dialect"),
    ("app/assemble.py", "menshen.flows.login.password"),
    ("flows/login/password.py", "menshen.flows.gates"),
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


def build(source: Path, floors: list[str]) -> None:
    """Make these folders of a package, and those that they lie in."""
    for floor in floors:
        for folder in [Path("menshen", floor), *Path("menshen", floor).parents[:-1]]:
            (source / folder).mkdir(parents=True, exist_ok=True)
            (source / folder / "__init__.py").touch()


@pytest.fixture(scope="module")
def broken_house(tmp_path_factory: pytest.TempPathFactory) -> str:
    source = tmp_path_factory.mktemp("house")
    build(source, FLOORS)
    build(source, [str(Path(file).parent) for file, *_ in BREACHES + ALLOWED])
    for file, module, *_ in BREACHES + ALLOWED:
        imported = source / module.replace(".", "/")
        if module.startswith("menshen.") and not imported.is_dir():
            imported.parent.mkdir(parents=True, exist_ok=True)
            imported.with_suffix(".py").touch()
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
    build(tmp_path, [*FLOORS, "attic"])
    result = lint(tmp_path, tmp_path)
    assert result.returncode == 1
    assert "attic" in result.stdout


def chapter(report: str, contract: str) -> str:
    """What the report says below the headline of one contract."""
    name = next(c["name"] for c in CONTRACTS if c["id"] == contract)
    below = report.split("Broken contracts", 1)[1].split(f"\n{name}\n", 1)[1]
    others = [c["name"] for c in CONTRACTS if c["id"] != contract]
    return re.split("|".join(rf"\n{re.escape(other)}\n" for other in others), below)[0]


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Return each group of modules that import one another, however long the way round."""
    reached = {module: {module} for module in imports}
    growing = True
    while growing:
        growing = False
        for found in reached.values():
            more = {further for each in found for further in imports.get(each, ())} - found
            growing |= bool(more)
            found.update(more)
    groups = {frozenset(other for other in reached[module] if module in reached.get(other, ())) for module in imports}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("menshen", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert circles(imports) == []
    # Of packages too: a subject that needs another does not serve it.
    for floor in ("core", "flows", "ports", "adapters", "app", "wire"):
        container = f"menshen.{floor}"
        rooms = {module: ".".join(module.split(".")[:3]) for module in imports if module.startswith(f"{container}.")}
        between: dict[str, set[str]] = {room: set() for room in rooms.values()}
        for module, room in rooms.items():
            between[room] |= {rooms[other] for other in imports[module] if other in rooms} - {room}
        assert circles(between) == [], floor


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


MOST_FILES = 16
"""The most files that stand side by side in a folder of the package or of the tests, `__init__.py` apart."""


def crowded(top: Path) -> dict[str, int]:
    """Return the folders at and below `top` that hold too many files, with their number."""
    folders = [folder for folder in [top, *top.rglob("*/")] if folder.is_dir() and folder.name != "__pycache__"]
    counts = {folder: sum(f.is_file() and f.name != "__init__.py" for f in folder.iterdir()) for folder in folders}
    return {folder.relative_to(top).as_posix(): n for folder, n in counts.items() if n > MOST_FILES}


@pytest.mark.parametrize("top", ["src/menshen", "tests"])
def test_no_folder_is_crowded(top: str) -> None:
    assert crowded(ROOT / top) == {}


def test_a_crowded_folder_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    for number in range(MOST_FILES):
        (tmp_path / "full" / f"{number}.py").touch()
    (tmp_path / "full" / "__init__.py").touch()
    assert crowded(tmp_path) == {}
    (tmp_path / "full" / "one_more.json").touch()
    assert crowded(tmp_path) == {"full": MOST_FILES + 1}
