"""Compare the index of docs/decisions with the pages."""

import re

from tests.architecture.papers import ROOT, tables, text_of

FOLDER = "docs/decisions"


def test_the_index_is_in_step_with_the_pages() -> None:
    (rows,) = tables(text_of(f"{FOLDER}/README.md"))
    told = {row["no."]: row["decision"] for row in rows}
    pages = sorted((ROOT / FOLDER).glob("[0-9]*.md"))
    assert [*told] == [f"[{page.name[:4]}]({page.name})" for page in pages]
    for page, title in zip(pages, told.values(), strict=True):
        heading = text_of(f"{FOLDER}/{page.name}").partition("\n")[0]
        assert title.partition(" (")[0] == heading.removeprefix(f"# {page.name[:4]} "), page.name


def test_each_decision_says_what_and_what_guards_it() -> None:
    for page in sorted((ROOT / FOLDER).glob("[0-9]*.md")):
        headings = re.findall(r"^## (\w+)", page.read_text("utf-8"), re.MULTILINE)
        assert (headings[0], headings[-1]) == ("What", "Guard"), page.name
