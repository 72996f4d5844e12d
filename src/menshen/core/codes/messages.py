"""Messages to people: which, to whom, with what values. Texts are chosen by the sender from catalogues."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from menshen.core.identifiers import Kind, identifier_of
from menshen.core.time import Instant


class Channel(StrEnum):
    """The way a message travels."""

    SMS = "sms"
    EMAIL = "email"


_CHANNELS: Final = {Kind.PHONE: Channel.SMS, Kind.EMAIL: Channel.EMAIL}


def channel_to(canonical: str) -> Channel:
    """Return the way to a canonical phone or email."""
    return _CHANNELS[identifier_of(canonical).kind]


class Template(StrEnum):
    """What a message says. Its only values come from `Message`: no user text ever enters an SMS."""

    CODE_LOGIN = "code_login"
    CODE_SIGNUP = "code_signup"
    CODE_RESET = "code_reset"
    CODE_BIND = "code_bind"
    CODE_PROOF = "code_proof"
    CODE_VERIFY = "code_verify"
    IDENTIFIER_CHANGED = "identifier_changed"
    PASSWORD_CHANGED = "password_changed"


@dataclass(frozen=True, slots=True)
class Message:
    """`to` is E.164 or an address; `code` is "" for notices; `detail` a masked identifier or ""."""

    channel: Channel
    to: str
    template: Template
    language: str
    created_at: Instant
    code: str = field(default="", repr=False)
    detail: str = ""

    @property
    def text_id(self) -> str:
        """Name its words in the files of `menshen.texts`."""
        return f"message.{self.template}"

    @property
    def values(self) -> dict[str, str]:
        """Give what fills the placeholders of its words."""
        return {"code": self.code, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of the outbox, with its row number and when it left (0: not yet)."""

    message_id: int
    message: Message
    sent_at: Instant
    failures: int = 0
