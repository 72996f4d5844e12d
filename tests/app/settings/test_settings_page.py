"""Read the examples of the operators' pages as a server reads its settings."""

import re
from pathlib import Path

import pytest

from menshen.app.discovery import find_dialects
from menshen.app.settings.reader import load_settings
from menshen.app.settings.settings import SECTIONS
from tests.architecture.papers import ROOT

FOLDER = ROOT / "docs" / "operate"
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in sorted(FOLDER.glob("*.md"))
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
    # Files of texts are no settings: tests/architecture/test_sms_pages.py reads them.
    if not block.startswith("# texts/")
]


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_is_accepted(tmp_path: Path, block: str) -> None:
    (tmp_path / "menshen.toml").write_text(block, "utf-8")
    for name in re.findall(r'_file = "([^"/]+)"', block):
        (tmp_path / name).write_text("0123456789abcdef", "utf-8")
    load_settings(tmp_path / "menshen.toml", {}, tmp_path)


def test_the_complete_file_says_what_an_empty_one_says(tmp_path: Path) -> None:
    block = re.findall(r"```toml\n(.*?)```", (FOLDER / "settings.md").read_text("utf-8"), re.DOTALL)[0]
    (tmp_path / "menshen.toml").write_text(block, "utf-8")
    sections = [*SECTIONS, *(dialect.name for dialect in find_dialects() if dialect.settings)]
    (tmp_path / "empty.toml").write_text("".join(f"[{section}]\n" for section in sections), "utf-8")
    complete, empty = (load_settings(tmp_path / f"{name}.toml", {}, tmp_path) for name in ("menshen", "empty"))
    assert complete == empty
