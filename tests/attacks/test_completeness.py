"""Every id of the list has a test named after it, or a reason why it does not apply."""

import ast
import re
from pathlib import Path

import pytest

import menshen
from tests.attacks.ids import IDS
from tests.attacks.not_applicable import ABSENT, NOT_APPLICABLE

HERE = Path(__file__).parent
SOURCE = "\n".join(path.read_text("utf-8") for path in sorted(Path(menshen.__file__).parent.rglob("*.py")))
NAME = re.compile(r"test_([a-z]+)_([0-9]+)(?:_|$)")


def tried() -> set[str]:
    """The ids that a test function of this folder is named after; those of `make timing` only do not count."""
    found = set()
    for path in HERE.glob("test_*.py"):
        text = path.read_text("utf-8")
        if "\npytestmark = [pytest.mark.timing" in text:
            continue
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if (name := NAME.match(node.name)) and "pytest.mark.timing" not in map(ast.unparse, node.decorator_list):
                found.add(f"{name[1].upper()}-{name[2]}")
    return found


def test_the_list_is_whole() -> None:
    assert len(IDS) == len(set(IDS)) == 129
    assert sorted(tried() | set(NOT_APPLICABLE)) == sorted(IDS)


def test_no_id_is_two_things_at_once() -> None:
    assert not tried() & set(NOT_APPLICABLE)


@pytest.mark.parametrize("attack", NOT_APPLICABLE)
def test_what_does_not_apply_is_not_there(attack: str) -> None:
    assert NOT_APPLICABLE[attack]
    for trace in ABSENT[attack]:
        assert trace.lower() not in SOURCE.lower(), f"{attack} applies now: {trace}"
