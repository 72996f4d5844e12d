"""Check that each attack of docs/security/attacks.md has a test named after it, or a reason why it does not apply."""

import ast
import re
from itertools import groupby
from pathlib import Path

import pytest

import menshen
from tests.attacks.ids import ATTACKS, IDS, NOT_APPLICABLE, Attack, attack_of
from tests.attacks.not_applicable import ABSENT

HERE = Path(__file__).parent
SOURCE = "\n".join(path.read_text("utf-8") for path in sorted(Path(menshen.__file__).parent.rglob("*.py")))
NAME = re.compile(r"test_([a-z]+)_([0-9]+)(?:_|$)")


def tried_in(path: Path) -> set[str]:
    """Find the ids that a test function of a file is named after; those of `make timing` only do not count."""
    text = path.read_text("utf-8")
    if "\npytestmark = [pytest.mark.timing" in text:
        return set()
    found = set()
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (name := NAME.match(node.name)) and "pytest.mark.timing" not in map(ast.unparse, node.decorator_list):
            found.add(f"{name[1].upper()}-{name[2]}")
    return found


TRIED = {path.name: tried_in(path) for path in sorted(HERE.glob("test_*.py"))}


def untrue(attack: Attack) -> list[str]:
    """Find the files that a row names although they have no test of that attack."""
    return sorted(name for name in attack.files if attack.id not in TRIED.get(name, ()))


def test_the_list_is_whole() -> None:
    assert len(IDS) == len(set(IDS))
    assert sorted(set().union(*TRIED.values()) | set(NOT_APPLICABLE)) == sorted(IDS)


def test_each_group_is_numbered_from_one_without_a_gap() -> None:
    for group, ids in groupby(IDS, key=lambda name: name.rpartition("-")[0]):
        numbers = [int(name.rpartition("-")[2]) for name in ids]
        assert numbers == list(range(1, len(numbers) + 1)), group


def test_each_row_names_files_that_try_it() -> None:
    assert [(attack.id, names) for attack in ATTACKS if (names := untrue(attack))] == []


def test_a_row_that_names_the_wrong_file_is_found() -> None:
    row = {"id": "EN-1", "what is tried": "x", "what must hold": "y", "tried in": "`test_codes.py` `test_gone.py`"}
    assert untrue(attack_of(row)) == ["test_codes.py", "test_gone.py"]
    with pytest.raises(AssertionError):
        attack_of(row | {"tried in": ""})
    with pytest.raises(AssertionError):
        attack_of(row | {"what must hold": "does not apply: it is not there"})


def test_no_id_is_two_things_at_once() -> None:
    assert not set().union(*TRIED.values()) & set(NOT_APPLICABLE)
    assert set(ABSENT) == set(NOT_APPLICABLE)


@pytest.mark.parametrize("attack", NOT_APPLICABLE)
def test_what_does_not_apply_is_not_there(attack: str) -> None:
    for trace in ABSENT[attack]:
        assert trace.lower() not in SOURCE.lower(), f"{attack} applies now: {trace}"
