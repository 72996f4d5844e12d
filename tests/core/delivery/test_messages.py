"""Messages in rows of the outbox: programs of two versions read each other's rows during an upgrade."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from menshen.core.delivery.messages import Channel, Message, Template
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class OldMessage:
    """The record of the program before messages had an app."""

    channel: Channel
    to: str
    template: Template
    language: str
    created_at: Instant
    code: str = ""
    detail: str = ""


CODE = Message(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", Instant(1), code="040719", app="shop")
OLD = OldMessage(Channel.SMS, "+8613544285662", Template.CODE_LOGIN, "zh", Instant(1), code="040719")


def test_an_old_program_reads_a_new_row() -> None:
    assert msgspec.json.decode(msgspec.json.encode(CODE), type=OldMessage) == OLD


def test_a_row_of_an_old_program_has_no_app() -> None:
    read = msgspec.json.decode(msgspec.json.encode(OLD), type=Message)
    assert (read.app, read.code, read.to) == ("", "040719", CODE.to)


@pytest.mark.parametrize("app", ["", "default", "shop.ios"])
def test_a_new_row_is_read_as_it_was(app: str) -> None:
    made = Message(Channel.EMAIL, "kevin@b.example", Template.PASSWORD_CHANGED, "en", Instant(2), app=app)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Message) == made
