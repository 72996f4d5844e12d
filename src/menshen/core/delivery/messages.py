"""Define messages to people: template, receiver and values. The sender chooses the texts from catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from menshen.core.identifiers import Kind, identifier_of
from menshen.core.time import NEVER, Instant


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
    CODE_STEP = "code_step"
    IDENTIFIER_CHANGED = "identifier_changed"
    IDENTIFIER_REMOVED = "identifier_removed"
    PASSWORD_CHANGED = "password_changed"
    NOT_ME = "not_me"
    NOT_ME_RESET = "not_me_reset"
    ACCOUNT_CLOSING = "account_closing"
    CLOSING_TAKEN_BACK = "closing_taken_back"
    ACCOUNT_DELETED = "account_deleted"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTORS_RESET = "factors_reset"
    FACTOR_DUE = "factor_due"
    RECOVERY_MADE = "recovery_made"
    RECOVERY_USED = "recovery_used"
    STEP_FAILED = "step_failed"
    PASSKEY_COPIED = "passkey_copied"

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
    """Hold one message. `to` is E.164 or an email. `code` is "" for notices.

    `detail` is what a notice tells: a masked identifier, a number, a day, or "".
    `app` is the name of the app that it is sent for, "" for an operator. Rows of older programs have none.
    `link` is where its receiver says that an act was not theirs, and `where` the network that the act came from; "" for
    none. Both stand in mails alone.
    """

    channel: Channel
    to: str
    template: Template
    language: str
    created_at: Instant
    code: str = field(default="", repr=False)
    detail: str = ""
    app: str = ""
    link: str = field(default="", repr=False)
    where: str = ""


class MessageState(StrEnum):
    """Say what became of a message. The docs show the text below each member."""

    WAITING = "waiting"
    """It was not tried yet."""
    SENDING = "sending"
    """A worker hands it over at this moment."""
    SENT = "sent"
    """The sender accepted it."""
    FAILED = "failed"
    """It was not handed over, and is tried again."""
    GIVEN_UP = "given_up"
    """It was not handed over, and is not tried again: the sender refused it, or no sender was left."""
    UNKNOWN = "unknown"
    """It may have been handed over, so it is not tried again."""
    EXPIRED = "expired"
    """It was not handed over in its time, and was dropped."""
    SUPERSEDED = "superseded"
    """A newer message of its kind took its place before it was handed over."""
    UNREADABLE = "unreadable"
    """No key of the installation opens it, or a newer program made it. It cannot be sent."""


NEVER_AGAIN: Final = 2**61
"""From here on, the next try of a message says why there is none. Programs of every schema leave it alone."""

NO_NEXT_TRY: Final[Mapping[MessageState, int]] = {
    MessageState.GIVEN_UP: NEVER_AGAIN,
    MessageState.UNKNOWN: NEVER_AGAIN + 1,
    MessageState.SENDING: NEVER_AGAIN + 2,
    MessageState.EXPIRED: NEVER_AGAIN + 3,
    MessageState.SUPERSEDED: NEVER_AGAIN + 4,
    MessageState.UNREADABLE: NEVER_AGAIN + 5,
}
"""What stands for the next try of a message that has none."""

_STATES: Final = {number: state for state, number in NO_NEXT_TRY.items()}

_LEGACY_FAILURES: Final = 5
"""Tries after which a program of schema 0011 or older gave up. It noted an unknown end by the same number."""


@dataclass(frozen=True, slots=True)
class Try:
    """Identify one try to hand over a message: the sender that got it, and when (epoch ms).

    What a worker notes about its try is written only while the row still holds this try.
    """

    message_id: int
    sender: str
    at: Instant


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """Hold a message of the outbox, with its row number and the time when it was sent (0: not yet).

    `failures` counts tries that certainly sent nothing. `sender`, `tried_at` and `verdict` are of the last try. `asked`
    names who was asked since the last pause, with `!` behind who throttled the number. `receipt` is the vendor's number
    for it. `outcome` is what a receipt said: "", "delivered", or "failed:" and the vendor's word. `superseded`: a newer
    message of the same kind stands. `readable` is false where it cannot be opened: then `message` has no receiver and
    no values.
    """

    message_id: int
    message: Message
    sent_at: Instant
    failures: int = 0
    next_try_at: int = 0
    sender: str = ""
    tried_at: Instant = NEVER
    verdict: str = ""
    asked: tuple[str, ...] = ()
    receipt: str = ""
    parts: int = 0
    outcome: str = ""
    superseded: bool = False
    readable: bool = True

    @property
    def state(self) -> MessageState:
        """Return what became of it."""
        if self.sent_at:
            return MessageState.SENT
        if self.next_try_at == NEVER_AGAIN and not self.verdict and self.failures < _LEGACY_FAILURES:
            return MessageState.UNKNOWN
        waits = MessageState.FAILED if self.failures else MessageState.WAITING
        return _STATES.get(self.next_try_at, waits)
