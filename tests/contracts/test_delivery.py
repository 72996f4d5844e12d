"""`menshen.ports.delivery`: what messages say, and mail over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from menshen.adapters.delivery.outbox import OutboxSender
from menshen.adapters.delivery.smtp import SmtpSender, SmtpSettings
from menshen.adapters.delivery.texts import body_of, subject_of
from menshen.core.codes.messages import Channel, Message, Template
from menshen.core.time import Instant
from menshen.ports.delivery import DeliveryFailed


def message(template: Template, language: str = "zh", **given: str) -> Message:
    return Message(Channel.EMAIL, "kevin@b.example", template, language, Instant(1), **given)


@pytest.mark.parametrize("template", list(Template))
@pytest.mark.parametrize("language", ["zh", "en", "fr", "../../x"])
def test_every_message_has_a_text_in_its_language(template: Template, language: str) -> None:
    text = body_of(message(template, language, code="040719", detail="k***n@163.com"))
    assert text.isascii() == (language == "en")
    assert ("040719" in text) == template.name.startswith("CODE_")
    assert ("k***n@163.com" in text) == (template is Template.IDENTIFIER_CHANGED)
    assert "{" not in text
    assert subject_of(message(template, language)).isascii() == (language == "en")


def test_no_two_codes_say_the_same() -> None:
    texts = [body_of(message(template, "zh", code="1")) for template in Template if template.name.startswith("CODE_")]
    assert len(set(texts)) == len(texts)


@pytest.mark.attack("IN-6")
def test_values_are_never_templates() -> None:
    text = body_of(message(Template.IDENTIFIER_CHANGED, detail="{code}{0.__class__}%s{{7*7}}"))
    assert "{code}{0.__class__}%s{{7*7}}" in text


async def test_the_outbox_keeps_what_it_is_given() -> None:
    await OutboxSender().send(message(Template.CODE_LOGIN))


@dataclass
class MailServer:
    """Speaks just enough SMTP; `answers` replaces what it says to a command."""

    port: int = 0
    heard: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        await say(self.answers.get("", "220 ready"))
        in_data = False
        while line := (await reader.readline()).decode():
            self.heard.append(line.rstrip("\r\n"))
            word = line.split()[0].upper() if line.split() else ""
            if in_data:
                in_data = line != ".\r\n"
                if not in_data:
                    await say(self.answers.get(".", "250 kept"))
            elif word in self.answers:
                await say(self.answers[word])
            elif word == "DATA":
                in_data = True
                await say("354 go on")
            elif word == "QUIT":
                await say("221 bye")
                break
            else:
                await say("250 fine")
        writer.close()


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    made = MailServer()
    listening = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()


def sender(mail: MailServer, **given: str | float) -> SmtpSender:
    return SmtpSender(SmtpSettings("127.0.0.1", mail.port, "login@a.example", tls="none", **given))  # type: ignore[arg-type]


async def test_mail_is_handed_over(mail: MailServer) -> None:
    await sender(mail).send(message(Template.CODE_LOGIN, "en", code="040719"))
    assert "MAIL FROM:<login@a.example>" in " ".join(mail.heard)
    assert "RCPT TO:<kevin@b.example>" in mail.heard
    assert "To: kevin@b.example" in mail.heard
    assert any("040719" in line for line in mail.heard)


@pytest.mark.parametrize("word", ["", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("answer", ["421 busy", "451 later", "550 never"])
async def test_what_was_refused_can_be_tried_again(mail: MailServer, word: str, answer: str) -> None:
    mail.answers[word] = answer
    with pytest.raises(DeliveryFailed) as caught:
        await sender(mail).send(message(Template.CODE_LOGIN, code="040719"))
    assert "040719" not in str(caught.value)
    assert "kevin" not in str(caught.value)


async def test_nobody_there_is_a_failure_too(mail: MailServer) -> None:
    mail.port = 1
    with pytest.raises(DeliveryFailed):
        await sender(mail, timeout=60.0).send(message(Template.CODE_LOGIN))


@pytest.mark.attack("IN-5")
@pytest.mark.parametrize("to", ["kevin@b.example\r\nBcc: all@b.example", "a@b.example\r\n\r\nx"])
async def test_no_address_adds_a_header(mail: MailServer, to: str) -> None:
    with pytest.raises(DeliveryFailed):
        await sender(mail).send(Message(Channel.EMAIL, to, Template.CODE_LOGIN, "zh", Instant(1)))
    assert not any("all@" in line for line in mail.heard)


def test_settings_do_not_show_the_password() -> None:
    build: Callable[..., SmtpSettings] = SmtpSettings
    assert "CANARY" not in repr(build("h", 1, "s", password="CANARY"))
