"""Check which of two languages an Accept-Language header prefers."""

import pytest

from menshen.wire.http.languages import preferred


@pytest.mark.attack("IN-3")
@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-us", "en"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, en;q=0.2", "en"),
        ("fr, de", "zh"),
        ("*", "zh"),
        ("en;q=0", "zh"),
        ("en;q=0.5, zh;q=0.5", "en"),
        ("zh;q=0.5, en;q=0.5", "zh"),
        ("zh;q=0.500, en;q=0.501", "en"),
        ("en;q=1.5", "zh"),
        ("en;q=NaN", "zh"),
        ("en;level=1", "zh"),
        ("english", "zh"),
        ("en," * 1000, "zh"),
        ("\x00\xff;q=", "zh"),
    ],
)
def test_the_preferred_language(header: str, language: str) -> None:
    assert preferred([header]) == language


@pytest.mark.parametrize("otherwise", ["zh", "en"])
@pytest.mark.parametrize("lines", [[], [""], ["fr, de"], ["en;q=0"], ["en," * 1000]])
def test_a_header_that_names_neither_language_changes_nothing(lines: list[str], otherwise: str) -> None:
    assert preferred(lines, otherwise) == otherwise


def test_no_header_is_chinese() -> None:
    assert preferred([]) == "zh"
