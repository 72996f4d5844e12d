"""Hold the tables of the docs to the code: `make docs` changes nothing. The sentences between them are free."""

import pytest

from tools.docs.pages import MarkError, Page, differing, fill, marked, names, pages, render


def complaints(found: list[Page]) -> list[str]:
    return [f"{page.name} differs from the code: run `make docs`" for page in differing(found)]


def test_the_tables_are_those_of_the_code() -> None:
    assert complaints([*pages()]) == []


def test_each_table_stands_in_a_page() -> None:
    assert {name for page in pages() for name in marked(page.text)} == {*names()}


def test_a_changed_table_is_named_with_the_command() -> None:
    (page,) = [page for page in pages() if page.name == "docs/security/threat-model.md"]
    changed = page.text.replace("| `failures_here` | 50 |", "| `failures_here` | 51 |")
    assert changed != page.text
    assert complaints([Page(page.name, changed, fill(changed))]) == [
        "docs/security/threat-model.md differs from the code: run `make docs`"
    ]


def test_a_changed_sentence_is_kept() -> None:
    text = f"One.\n\n<!-- begin: risk-rules -->\n\n{render('risk-rules')}\n<!-- end -->\n\nTwo.\n"
    assert fill(text) == text
    assert fill(text.replace("Two.", "Three.")) == text.replace("Two.", "Three.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<!-- begin: risk-rules -->\n", "has no end"),
        ("<!-- end -->\n", "has no partner"),
        ("<!-- begin: risk-rules -->\n<!-- begin: life-times -->\n<!-- end -->\n", "has no partner"),
        ("<!-- begin: nothing -->\n<!-- end -->\n", "no table is called nothing; there are "),
    ],
)
def test_a_broken_mark_is_refused(text: str, told: str) -> None:
    with pytest.raises(MarkError, match=told):
        fill(text)
