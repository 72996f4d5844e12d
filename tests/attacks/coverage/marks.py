"""Find the attacks that tests are marked with, by `@pytest.mark.attack("OT-3")` or by `pytestmark` for a whole file."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.papers import ROOT

_MARK = "pytest.mark.attack"
# A run leaves out what is marked so: it proves nothing on each change.
_LEFT_OUT = {f"pytest.mark.{name}" for name in ("timing", "long", "machine", "deploy")}
_Test = ast.FunctionDef | ast.AsyncFunctionDef


def marks_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield (id, name of the test) for each mark in the source `text` that counts.

    A mark counts on a test function that every run takes in. Raises AssertionError for a mark elsewhere, and for one
    whose ids are not literal texts.
    """
    tree = ast.parse(text)
    marks = {node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == _MARK}
    whole_file = [
        mark
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for mark in (node.value.elts if isinstance(node.value, ast.List) else [node.value])
    ]
    for test in ast.walk(tree):
        if not isinstance(test, _Test) or not test.name.startswith("test_"):
            continue
        decorators = [*whole_file, *test.decorator_list]
        left_out = _LEFT_OUT & {ast.unparse(node) for node in decorators}
        for node in decorators:
            if node in marks and isinstance(node, ast.Call):
                assert node.args, f"{test.name}: a mark names an attack"
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), f"{test.name}: {ast.unparse(argument)}"
                    if not left_out:
                        yield str(argument.value), test.name
    used = {id(node) for test in ast.walk(tree) if isinstance(test, _Test) for node in test.decorator_list}
    assert all(id(mark) in used or mark in whole_file for mark in marks), "a mark stands on no test"


def find_marked(folder: Path) -> dict[str, list[str]]:
    """Give the tests of `folder`, as `file::name`, that each id marks."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for attack, name in marks_in(path.read_text("utf-8")):
            found[attack].append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    return found
