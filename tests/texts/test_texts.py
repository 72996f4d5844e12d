"""What messages say, in every language."""

from __future__ import annotations

from string import Formatter

import pytest

from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.delivery.wording import Rendered, render
from menshen.core.time import Instant
from menshen.texts.reader import CHINESE, LANGUAGES, language_of, texts_in


def message(template: Template, language: str = "zh", channel: Channel = Channel.EMAIL, **given: str) -> Message:
    return Message(channel, "kevin@b.example", template, language, Instant(1), **given)


def say(said: Message) -> Rendered:
    return render(texts_in(language_of(said.language)), said)


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text)}


DETAILED = {
    Template.IDENTIFIER_CHANGED,
    Template.IDENTIFIER_REMOVED,
    Template.RECOVERY_USED,
    Template.ACCOUNT_CLOSING,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_ids_and_placeholders(language: str) -> None:
    ours, chinese = texts_in(language), texts_in(CHINESE)
    assert {key: placeholders(text) for key, text in ours.items()} == {
        key: placeholders(text) for key, text in chinese.items()
    }


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("template", list(Template))
@pytest.mark.parametrize("language", ["zh", "zh-CN", "en", "fr", "../../x"])
def test_every_message_has_a_text_in_its_language(template: Template, language: str, channel: Channel) -> None:
    said = say(message(template, language, channel, code="040719", detail="k***n@163.com"))
    assert said.text.isascii() == (language == "en")
    assert ("040719" in said.text.split("\n")[0]) == template.has_code
    assert ("k***n@163.com" in said.text) == (template in DETAILED)
    assert "{" not in said.text + said.subject
    assert "040719" not in said.subject
    if channel is Channel.EMAIL:
        assert said.subject.isascii() == (language == "en")


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_messages_say_the_same(language: str, channel: Channel) -> None:
    said = [say(message(template, language, channel, code="1", detail="2")) for template in Template]
    assert len({one.text for one in said}) == len(said)
    if channel is Channel.EMAIL:
        assert len({one.subject for one in said}) == len(said)


@pytest.mark.attack("IN-6")
def test_values_are_never_templates() -> None:
    text = say(message(Template.IDENTIFIER_CHANGED, detail="{code}{0.__class__}%s{{7*7}}")).text
    assert "{code}{0.__class__}%s{{7*7}}" in text
