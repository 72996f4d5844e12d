"""docs/security/asvs.md: every item of OWASP ASVS 5.0.0, levels 1 and 2, of five chapters, with what shows it.

The numbers and levels were read from the standard's own list of 5.0.0.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import menshen
from tests.architecture.papers import Row, links_in, missing, names_in, tables, text_of

PAGE = "docs/security/asvs.md"
STATUSES = {"met", "not applicable", "deviation"}


def items(chapter: int, section: int, levels: str) -> dict[str, int]:
    """Items of one section from their levels in order: "112" is level 1, 1, 2, and "3" is above level 2."""
    numbered = enumerate(levels, start=1)
    return {f"{chapter}.{section}.{number}": int(level) for number, level in numbered if level != "3"}


STANDARD = {
    **items(6, 1, "122"), **items(6, 2, "111111112222"), **items(6, 3, "11223333"), **items(6, 4, "112233"),
    **items(6, 5, "22222333"), **items(6, 6, "2223"), **items(6, 7, "33"), **items(6, 8, "2222"),
    **items(7, 1, "222"), **items(7, 2, "1111"), **items(7, 3, "22"), **items(7, 4, "11222"), **items(7, 5, "223"),
    **items(7, 6, "22"),
    **items(8, 1, "1233"), **items(8, 2, "1123"), **items(8, 3, "133"), **items(8, 4, "23"),
    **items(11, 1, "2233"), **items(11, 2, "22233"), **items(11, 3, "11233"), **items(11, 4, "1222"),
    **items(11, 5, "23"), **items(11, 6, "23"), **items(11, 7, "33"),
    **items(16, 1, "2"), **items(16, 2, "22222"), **items(16, 3, "2222"), **items(16, 4, "222"), **items(16, 5, "2223"),
}  # fmt: skip

ABSENT = {
    "6.2.6": (r'type="password"', r"<input", r"<form"),
    "6.2.7": (r'type="password"', r"<input", r"<form"),
    "6.8.1": (r"saml", r"id_token", r"openid"),
    "6.8.2": (r"saml", r"id_token", r"jwt\."),
    "6.8.3": (r"saml",),
    "6.8.4": (r"auth_time", r"\bacr\b", r"\bamr\b"),
    "7.1.3": (r"saml", r"openid", r"single sign"),
    "7.4.4": (r"<form", r"<button"),
    "7.6.1": (r"relying part", r"openid"),
    "8.4.1": (r"tenant",),
    "11.4.4": (r"pbkdf2_hmac", r"scrypt", r"hkdf"),
}
"""What would be in the source if an item applied that does not."""


@cache
def source() -> str:
    """The whole program."""
    return "\n".join(path.read_text("utf-8") for path in Path(menshen.__file__).parent.rglob("*.py"))


def rows() -> list[Row]:
    """Give each item as one row: rows without a number go on with the cells of the one above."""
    found: list[Row] = []
    for row in (row for table in tables(text_of(PAGE)) for row in table):
        if row["item"]:
            found.append(row)
        else:
            found[-1] = {name: " ".join(filter(None, (cell, row[name]))) for name, cell in found[-1].items()}
    return found


def of_status(status: str) -> list[str]:
    return [row["item"] for row in rows() if row["status"] == status]


def test_the_standard_has_ninety_items_here() -> None:
    assert len(STANDARD) == 90
    assert [sum(item.startswith(f"{chapter}.") for item in STANDARD) for chapter in (6, 7, 8, 11, 16)] == [
        35, 18, 7, 14, 16,
    ]  # fmt: skip


def test_every_item_is_there_once_in_its_order_and_with_its_level() -> None:
    assert [(row["item"], row["level"]) for row in rows()] == [(item, str(level)) for item, level in STANDARD.items()]


def test_every_item_has_a_status_and_is_said_in_words() -> None:
    for row in rows():
        assert row["status"] in STATUSES, row["item"]
        assert len(row["about"]) > 10, row["item"]


def test_what_is_not_met_has_a_reason() -> None:
    for row in rows():
        if row["status"] != "met":
            assert len(row["how, or why not"].split()) >= 8, row["item"]


def test_what_is_named_is_there() -> None:
    wrong = []
    for row in rows():
        tests, documents = names_in(row["shown by"]), links_in(row["shown by"])
        assert tests or documents, f"{row['item']} is shown by nothing"
        assert all("::" in test for test in tests), row["item"]
        found = [missing(test) for test in tests] + [missing(link, beside=PAGE) for link in documents]
        wrong += [f"{row['item']}: {why}" for why in found if why]
    assert wrong == []


def test_the_page_counts_right() -> None:
    told = re.search(r"([0-9]+) are met, ([0-9]+) do not apply, ([0-9]+) are deviations", text_of(PAGE))
    assert told
    assert [int(count) for count in told.groups()] == [
        len(of_status(status)) for status in ("met", "not applicable", "deviation")
    ]
    assert [why for link in links_in(text_of(PAGE)) if "//" not in link and (why := missing(link, beside=PAGE))] == []


def test_what_does_not_apply_has_traces_to_look_for() -> None:
    assert {*ABSENT} == {*of_status("not applicable")}


@pytest.mark.parametrize("item", ABSENT)
def test_what_does_not_apply_is_not_there(item: str) -> None:
    for trace in ABSENT[item]:
        assert not re.search(trace, source(), re.IGNORECASE), f"{item} applies now: {trace}"


def test_a_reference_that_leads_nowhere_is_told() -> None:
    assert missing("tests/architecture/test_asvs.py::test_what_is_named_is_there") == ""
    assert "no test" in missing("tests/architecture/test_asvs.py::test_nothing_of_the_kind")
    assert "no test" in missing("tests/architecture/test_asvs.py::rows")
    assert "not there" in missing("tests/architecture/test_nothing.py::test_x")
    assert missing("threat-model.md#limits", beside=PAGE) == ""
    assert "no #" in missing("threat-model.md#nothing", beside=PAGE)
    assert "not there" in missing("nothing.md", beside=PAGE)
