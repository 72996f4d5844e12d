"""Compare each Chinese text of the contracts and of the pages for client developers with the program, to the byte."""

import re

import pytest

from menshen.wire.careyshop import texts as shop
from menshen.wire.weidu.texts import TEXTS
from tests.architecture.papers import names_in, text_of, without_fences

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_BLANK = re.compile(r"\\\{[a-z]*\\\}")
GENDERS = {"男", "女"}

_SHOP = [value for value in vars(shop).values() if isinstance(value, str)]
_WEIDU = [chinese for chinese, _ in TEXTS.values()]
SAID = {
    "docs/contracts/careyshop.md": _SHOP,
    "docs/contracts/weidu.md": _WEIDU,
    "docs/zh/careyshop-api.md": _SHOP,
    "docs/zh/weidu-api.md": _WEIDU,
}


def unsaid(page: str, text: str) -> list[str]:
    """Find the Chinese texts of `text` that no text of the program can become; blanks hold labels and numbers."""
    patterns = [re.compile(_BLANK.sub("(.+)", re.escape(said))) for said in SAID[page]]
    written = {name for name in names_in(without_fences(text)) if _CHINESE.search(name)} - GENDERS
    return sorted(name for name in written if not any(pattern.fullmatch(name) for pattern in patterns))


@pytest.mark.parametrize("page", SAID)
def test_the_program_says_what_the_contract_writes(page: str) -> None:
    assert unsaid(page, text_of(page)) == []


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("docs/contracts/careyshop.md", "操作过于频繁,请N秒后重试"),
        ("docs/contracts/careyshop.md", "账号长度不符合要求4,20"),
        ("docs/contracts/weidu.md", "账号或密码错误。"),
    ],
)
def test_one_wrong_byte_is_found(page: str, text: str) -> None:
    assert unsaid(page, f"`{text}`") == [text]
