"""Define messages to people: template, receiver and values. The sender chooses the texts from catalogues."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from menshen.core.identifiers import Kind, identifier_of
from menshen.core.time import Instant


class Channel(StrEnum):
    """Name the channels of messages."""

    SMS = "sms"
    EMAIL = "email"


_CHANNELS: Final = {Kind.PHONE: Channel.SMS, Kind.EMAIL: Channel.EMAIL}


def channel_to(canonical: str) -> Channel:
    """Return the channel for a canonical phone or email."""
    return _CHANNELS[identifier_of(canonical).kind]


class Template(StrEnum):
    """Name the message templates. Their values come only from `Message`, so an SMS never contains text of a user."""

    CODE_LOGIN = "code_login"
    CODE_SIGNUP = "code_signup"
    CODE_RESET = "code_reset"
    CODE_BIND = "code_bind"
    CODE_PROOF = "code_proof"
    CODE_VERIFY = "code_verify"
    IDENTIFIER_CHANGED = "identifier_changed"
    PASSWORD_CHANGED = "password_changed"
    ACCOUNT_DELETED = "account_deleted"

    @property
    def purpose(self) -> str:
        """Return what it is for: a purpose of codes such as "login", or "notice"."""
        return self.value.removeprefix(_CODE) if self.has_code else NOTICE

    @property
    def has_code(self) -> bool:
        """Tell whether it carries a one-time code."""
        return self.value.startswith(_CODE)


_CODE: Final = "code_"

NOTICE: Final = "notice"
"""The purpose of all messages without a code."""

PURPOSES: Final = tuple(dict.fromkeys(template.purpose for template in Template))
"""What messages are for: the purposes of codes, then "notice"."""


@dataclass(frozen=True, slots=True)
class Message:
    """Hold one message. `to` is E.164 or an email. `code` is "" for notices. `detail` is a masked identifier or "".

    `app` is the name of the app that it is sent for, "" for none. Rows of older programs have none.
    """

    channel: Channel
    to: str
    template: Template
    language: str
    created_at: Instant
    code: str = field(default="", repr=False)
    detail: str = ""
    app: str = ""


MOST_FAILURES: Final = 5
"""Attempts to send one message, if none of them handed it over."""

NEVER_AGAIN: Final = 2**61
"""The next attempt of a message that is not sent again."""

MAYBE_SENT: Final = NEVER_AGAIN + 1
"""The next attempt of a message that may have been handed over: it is not sent again."""


class MessageState(StrEnum):
    """Say what became of a message. The docs show the text below each member."""

    WAITING = "waiting"
    """It was not tried yet, or is being sent."""
    SENT = "sent"
    """The sender accepted it."""
    FAILED = "failed"
    """It was not handed over, and is tried again."""
    GIVEN_UP = "given_up"
    """It was not handed over in five attempts, and is not tried again."""
    UNKNOWN = "unknown"
    """It may have been handed over, so it is not tried again."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """Hold a message of the outbox, with its row number and the time when it was sent (0: not yet)."""

    message_id: int
    message: Message
    sent_at: Instant
    failures: int = 0
    next_try_at: int = 0

    @property
    def state(self) -> MessageState:
        """Return what became of it."""
        if self.sent_at:
            return MessageState.SENT
        if not self.failures:
            return MessageState.WAITING
        if self.next_try_at < NEVER_AGAIN:
            return MessageState.FAILED
        given_up = self.failures >= MOST_FAILURES and self.next_try_at == NEVER_AGAIN
        return MessageState.GIVEN_UP if given_up else MessageState.UNKNOWN
