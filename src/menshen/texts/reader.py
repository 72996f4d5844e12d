"""Read the texts: the words of an id in a language.

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


def text_of(text_id: str, language: str, **values: str) -> str:
    """Return the words of `text_id` ("section.key") with `values` in their placeholders.

    An unknown language is answered in Chinese. A value is never read as a text itself. The files are read at the
    first call.

    Raises:
        KeyError: there is no such text, or a placeholder has no value.
    """
    return texts_in(language if language in LANGUAGES else CHINESE)[text_id].format(**values)


@cache
def texts_in(language: str) -> Mapping[str, str]:
    """Return all texts of one of `LANGUAGES` by their ids."""
    sections = tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text("utf-8"))
    return {f"{section}.{key}": words for section, texts in sections.items() for key, words in texts.items()}
