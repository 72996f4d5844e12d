"""Mail over a real socket: what is sent, and what each answer means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from menshen.adapters.delivery.email.smtp import Settings, SmtpSender
from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.time import Instant
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown
from menshen.testing.handovers import handover_of


def message(template: Template, language: str = "zh", **given: str) -> Message:
    return Message(Channel.EMAIL, "kevin@b.example", template, language, Instant(1), **given)


@dataclass
class MailServer:
    """Speaks just enough SMTP. `answers` replaces what it says to a command; "" hangs up instead."""

    port: int = 0
    heard: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            if line:
                writer.write(line.encode() + b"\r\n")
                await writer.drain()
            else:
                writer.close()

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


def sender(mail: MailServer) -> SmtpSender:
    given = Settings(host="127.0.0.1", port=mail.port, from_="login@a.example", tls="none", timeout_seconds=60)
    return SmtpSender(given)


async def test_mail_is_handed_over(mail: MailServer) -> None:
    await sender(mail).send(handover_of(message(Template.CODE_LOGIN, "en", code="040719")))
    assert "MAIL FROM:<login@a.example>" in " ".join(mail.heard)
    assert "RCPT TO:<kevin@b.example>" in mail.heard
    assert "To: kevin@b.example" in mail.heard
    assert any("040719" in line for line in mail.heard)


@pytest.mark.parametrize("word", ["", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("answer", ["421 busy", "451 later", "550 never"])
async def test_what_was_refused_can_be_tried_again(mail: MailServer, word: str, answer: str) -> None:
    mail.answers[word] = answer
    with pytest.raises(DeliveryFailed) as caught:
        await sender(mail).send(handover_of(message(Template.CODE_LOGIN, code="040719")))
    assert "040719" not in str(caught.value)
    assert "kevin" not in str(caught.value)


@pytest.mark.parametrize("word", ["EHLO", "MAIL", "RCPT"])
async def test_a_cut_before_the_mail_is_a_failure(mail: MailServer, word: str) -> None:
    mail.answers[word] = ""
    with pytest.raises(DeliveryFailed):
        await sender(mail).send(handover_of(message(Template.CODE_LOGIN, code="040719")))


@pytest.mark.parametrize("word", ["DATA", "."])
@pytest.mark.parametrize("answer", ["", "what?"])
async def test_a_cut_or_strange_answer_to_the_mail_is_unknown(mail: MailServer, word: str, answer: str) -> None:
    mail.answers[word] = answer
    with pytest.raises(DeliveryUnknown) as caught:
        await sender(mail).send(handover_of(message(Template.CODE_LOGIN, code="040719")))
    assert "040719" not in str(caught.value)


@pytest.mark.parametrize("answer", ["", "421 busy", "what?"])
async def test_what_breaks_behind_an_accepted_mail_changes_nothing(mail: MailServer, answer: str) -> None:
    mail.answers["QUIT"] = answer
    await sender(mail).send(handover_of(message(Template.CODE_LOGIN, "en", code="040719")))
    assert any("040719" in line for line in mail.heard)


async def test_nobody_there_is_a_failure_too(mail: MailServer) -> None:
    mail.port = 1
    with pytest.raises(DeliveryFailed):
        await sender(mail).send(handover_of(message(Template.CODE_LOGIN)))


@pytest.mark.attack("IN-5")
@pytest.mark.parametrize("to", ["kevin@b.example\r\nBcc: all@b.example", "a@b.example\r\n\r\nx"])
async def test_no_address_adds_a_header(mail: MailServer, to: str) -> None:
    with pytest.raises(DeliveryFailed):
        await sender(mail).send(handover_of(Message(Channel.EMAIL, to, Template.CODE_LOGIN, "zh", Instant(1))))
    assert not any("all@" in line for line in mail.heard)
