"""The texts of pages: the same ids and places in each language, all used, and one for each refusal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import menshen.texts
import menshen.wire.pages
from menshen.core.problems import Denied, ProblemCode
from menshen.texts.reader import LANGUAGES, page_texts_in
from menshen.wire.pages.look.words import NAMES, Words

PLACE = re.compile(r"\{([a-z_]+)\}")
PAGES = Path(menshen.wire.pages.__file__).parent


def test_each_language_of_texts_has_a_file() -> None:
    folder = Path(menshen.texts.__file__).with_name("pages")
    assert {path.stem for path in folder.glob("*.toml")} == set(LANGUAGES) == set(NAMES.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_ids_and_places_of_the_first(language: str) -> None:
    first, own = page_texts_in(LANGUAGES[0]), page_texts_in(language)
    assert list(own) == list(first)
    assert {key: set(PLACE.findall(text)) for key, text in own.items()} == {
        key: set(PLACE.findall(text)) for key, text in first.items()
    }


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("code", ProblemCode)
def test_each_refusal_is_a_sentence(code: ProblemCode, language: str) -> None:
    said = Words(language).problem(Denied(code, retry_after=90, tries_left=3, least=8))
    assert said.endswith((".", "。"))
    assert not PLACE.search(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_shouts(language: str) -> None:
    assert not {key: text for key, text in page_texts_in(language).items() if {"!", "！"} & set(text)}


def test_each_id_that_is_named_has_a_text() -> None:
    named = {
        found
        for path in PAGES.rglob("*")
        if path.suffix in {".html", ".py"}
        # An id that ends in "_" is the first part of several.
        for found in re.findall(
            r"""(?:\bt|words|said)(?:\(|=)\s*["']([a-z_]+\.[a-z0-9_]+(?<!_))["']""", path.read_text("utf-8")
        )
    }
    assert len(named) > 10
    assert not named - set(page_texts_in(LANGUAGES[0]))


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (1, "1 秒", "1 seconds"),
        (119, "119 秒", "119 seconds"),
        (120, "2 分钟", "2 minutes"),
        (7200, "2 小时", "2 hours"),
    ],
)
def test_a_time_to_wait_is_said_in_words(seconds: int, zh: str, en: str) -> None:
    assert (Words("zh").wait(seconds), Words("en").wait(seconds)) == (zh, en)
