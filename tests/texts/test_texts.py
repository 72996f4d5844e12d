"""What messages say, in every language."""

from __future__ import annotations

from string import Formatter

import pytest

from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.time import Instant
from menshen.texts.reader import CHINESE, LANGUAGES, text_of, texts_in


def message(template: Template, language: str = "zh", **given: str) -> Message:
    return Message(Channel.EMAIL, "kevin@b.example", template, language, Instant(1), **given)


def say(said: Message) -> str:
    return text_of(said.text_id, said.language, **said.values)


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_ids_and_placeholders(language: str) -> None:
    ours, chinese = texts_in(language), texts_in(CHINESE)
    assert {key: placeholders(text) for key, text in ours.items()} == {
        key: placeholders(text) for key, text in chinese.items()
    }


@pytest.mark.parametrize("template", list(Template))
@pytest.mark.parametrize("language", ["zh", "en", "fr", "../../x"])
def test_every_message_has_a_text_in_its_language(template: Template, language: str) -> None:
    text = say(message(template, language, code="040719", detail="k***n@163.com"))
    assert text.isascii() == (language == "en")
    assert ("040719" in text) == template.name.startswith("CODE_")
    assert ("k***n@163.com" in text) == (template is Template.IDENTIFIER_CHANGED)
    assert "{" not in text
    assert text_of("mail.subject", language).isascii() == (language == "en")


def test_no_two_codes_say_the_same() -> None:
    texts = [say(message(template, "zh", code="1")) for template in Template if template.name.startswith("CODE_")]
    assert len(set(texts)) == len(texts)


@pytest.mark.attack("IN-6")
def test_values_are_never_templates() -> None:
    text = say(message(Template.IDENTIFIER_CHANGED, detail="{code}{0.__class__}%s{{7*7}}"))
    assert "{code}{0.__class__}%s{{7*7}}" in text
