"""Read the built-in texts: words by their ids, in each language.

Not known here: which message a text belongs to, and how it travels.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

CHINESE: Final = "zh-CN"
LANGUAGES: Final = (CHINESE, "en")


def language_of(asked: str) -> str:
    """Return the one of `LANGUAGES` that answers a language: Chinese for "zh" and for what is not known."""
    return asked if asked in LANGUAGES else CHINESE


@cache
def texts_in(language: str) -> Mapping[str, str]:
    """Return all texts of one of `LANGUAGES` by their ids ("section.key"). The file is read at the first call."""
    return _flat(Path(__file__).with_name(f"{language}.toml").read_text("utf-8"))


@cache
def page_texts_in(language: str) -> Mapping[str, str]:
    """Return the texts of pages in one of `LANGUAGES` by their ids. The file is read at the first call.

    Messages are sent by installations without pages, too. They need none of these.
    """
    folder = Path(__file__).with_name("pages")
    return _flat((folder / f"{language}.toml").read_text("utf-8"))


def _flat(text: str) -> Mapping[str, str]:
    return {f"{section}.{key}": words for section, texts in tomllib.loads(text).items() for key, words in texts.items()}
