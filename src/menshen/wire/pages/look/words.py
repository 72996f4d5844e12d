"""Say the texts of pages in a language. The files are `menshen/texts/pages/<language>.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from menshen.core.problems import Denied
from menshen.texts.reader import page_texts_in
from menshen.wire.http.languages import CHINESE, ENGLISH, preferred

NAMES: Final[Mapping[str, str]] = {CHINESE: "zh-CN", ENGLISH: "en"}
"""The languages of pages: how flows call them, and how HTML does."""

_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """Hold the texts of one language, and those of the operator that go before them."""

    language: str
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """Return the language as HTML names it."""
        return NAMES[self.language]

    def __call__(self, text_id: str, **places: object) -> str:
        """Return the text of an id ("page.login_title") with its places filled.

        Raises:
            KeyError: there is no such id. A test asks for all ids of all templates.
        """
        text = self.own.get(text_id) or page_texts_in(self.tag)[text_id]
        return _PLACE.sub(lambda found: str(places.get(found[1], found[0])), text) if "{" in text else text

    def has(self, text_id: str) -> bool:
        """Return whether there is a text of this id."""
        return text_id in page_texts_in(self.tag)

    def problem(self, denied: Denied) -> str:
        """Return the sentence for a refusal. It says what to do, and how long to wait where waiting helps.

        A refusal that names its field may have a sentence of its own, `problem.<code>_<field>`, and so may one that
        counts tries, `problem.<code>_left`.
        """
        wait = self.wait(denied.retry_after) if denied.retry_after else self("page.a_while")
        of_field = f"problem.{denied.code}_{denied.field}"
        text_id = of_field if denied.field and self.has(of_field) else f"problem.{denied.code}"
        if denied.tries_left is not None and self.has(f"{text_id}_left"):
            text_id = f"{text_id}_left"
        return self(text_id, wait=wait, least=denied.least or 8, left=denied.tries_left or 0)

    def wait(self, seconds: int) -> str:
        """Return a time to wait in words: seconds up to two minutes, then minutes, then hours."""
        if seconds < 120:
            return self("page.seconds", count=seconds)
        if seconds < 7200:
            return self("page.minutes", count=-(-seconds // 60))
        return self("page.hours", count=-(-seconds // 3600))


def choose_language(asked: str, kept: str, accept: list[str], of_app: str) -> str:
    """Return the language of a page: that of `?lang=`, of the cookie, of Accept-Language, of the app, or Chinese."""
    for wanted in (asked, kept):
        found = wanted.lower().partition("-")[0]
        if found in NAMES:
            return found
    otherwise = of_app.partition("-")[0]
    return preferred(accept, otherwise if otherwise in NAMES else CHINESE)
