"""Check that each attack of docs/security/attacks.md has a marked test, or a reason why it does not apply."""

from itertools import groupby
from pathlib import Path

import pytest

import menshen
from tests.architecture.papers import ROOT
from tests.attacks.coverage.ids import IDS, NOT_APPLICABLE, attack_of
from tests.attacks.coverage.marks import find_marked, marks_in
from tests.attacks.coverage.not_applicable import ABSENT

PACKAGE = Path(menshen.__file__).parent
# The contract suites run in tests only (pyproject.toml, import contracts): they may hold what a server must not have.
SERVED = [path for path in sorted(PACKAGE.rglob("*.py")) if not path.is_relative_to(PACKAGE / "testing")]
SOURCE = "\n".join(path.read_text("utf-8") for path in SERVED)
TESTS = find_marked(ROOT / "tests")


def test_each_attack_that_applies_has_a_test() -> None:
    assert sorted(set(IDS) - set(NOT_APPLICABLE) - set(TESTS)) == []


def test_each_mark_names_an_attack_of_the_list_that_applies() -> None:
    unknown = set(TESTS) - (set(IDS) - set(NOT_APPLICABLE))
    assert {attack: TESTS[attack] for attack in unknown} == {}


def test_no_id_is_given_twice() -> None:
    assert len(IDS) == len(set(IDS))


def test_each_group_is_numbered_from_one_without_a_gap() -> None:
    for group, ids in groupby(IDS, key=lambda name: name.rpartition("-")[0]):
        numbers = [int(name.rpartition("-")[2]) for name in ids]
        assert numbers == list(range(1, len(numbers) + 1)), group


def test_what_applies_needs_no_reason_and_what_does_not_needs_one() -> None:
    row = {"id": "EN-1", "what is tried": "x", "what must hold": "y"}
    assert attack_of(row).reason == ""
    assert attack_of(row | {"what must hold": "does not apply: it is not there"}).reason == "it is not there"
    for broken in ({"what must hold": ""}, {"what must hold": "does not apply: "}, {"what is tried": ""}):
        with pytest.raises(AssertionError):
            attack_of(row | broken)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('@pytest.mark.attack("EN-1", "EN-2")\ndef test_a(): ...', [("EN-1", "test_a"), ("EN-2", "test_a")]),
        ('class TestX:\n    @pytest.mark.attack("EN-1")\n    async def test_a(self): ...', [("EN-1", "test_a")]),
        ('pytestmark = [pytest.mark.attack("EN-1")]\ndef test_a(): ...\ndef help(): ...', [("EN-1", "test_a")]),
        ('@pytest.mark.timing\n@pytest.mark.attack("EN-1")\ndef test_a(): ...', []),
        ('pytestmark = [pytest.mark.timing]\n@pytest.mark.attack("EN-1")\ndef test_a(): ...', []),
    ],
)
def test_marks_are_read_from_the_source(source: str, found: list[tuple[str, str]]) -> None:
    assert list(marks_in(source)) == found


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.attack()\ndef test_a(): ...",
        "@pytest.mark.attack(NAME)\ndef test_a(): ...",
        'cases = pytest.mark.attack("EN-1")',
    ],
)
def test_a_mark_that_cannot_be_read_is_refused(source: str) -> None:
    with pytest.raises(AssertionError):
        list(marks_in(source))


def test_each_attack_that_does_not_apply_is_looked_for() -> None:
    assert set(ABSENT) == set(NOT_APPLICABLE)


@pytest.mark.parametrize("attack", NOT_APPLICABLE)
def test_what_does_not_apply_is_not_there(attack: str) -> None:
    for trace in ABSENT[attack]:
        assert trace.lower() not in SOURCE.lower(), f"{attack} applies now: {trace}"
