"""Messages: what they are for, what they show, and what the numbers of a stored one say became of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import (
    NEVER_AGAIN,
    NO_NEXT_TRY,
    NOTICE,
    PURPOSES,
    Channel,
    Message,
    MessageState,
    StoredMessage,
    Template,
    channel_to,
)
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import Instant

NOW = Instant(1_800_000_000_000)
MESSAGE = Message(Channel.SMS, "+8613800138000", Template.CODE_LOGIN, "zh", NOW, code="040719", detail="k***n@163.com")
LEGACY_SENT = 2**62


def stored(next_try_at: int = 0, failures: int = 0, verdict: str = "", sent_at: int = 0) -> StoredMessage:
    return StoredMessage(1, MESSAGE, Instant(sent_at), failures, next_try_at, verdict=verdict)


# --- templates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", Template)
def test_a_template_is_for_a_purpose_of_codes_or_a_notice(template: Template) -> None:
    assert template.has_code == (template.purpose != NOTICE)
    assert template.purpose in PURPOSES
    assert template.value == (f"code_{template.purpose}" if template.has_code else template.value)


def test_each_purpose_of_codes_has_its_template() -> None:
    codes = [template for template in Template if template.has_code]
    assert sorted(template.purpose for template in codes) == sorted(purpose.value for purpose in Purpose)
    assert PURPOSES == ("login", "signup", "reset", "bind", "proof", "verify", "step", "notice")
    assert {template for template in Template if not template.has_code} == {
        Template.IDENTIFIER_CHANGED,
        Template.IDENTIFIER_REMOVED,
        Template.PASSWORD_CHANGED,
        Template.NOT_ME,
        Template.NOT_ME_RESET,
        Template.ACCOUNT_CLOSING,
        Template.CLOSING_TAKEN_BACK,
        Template.ACCOUNT_DELETED,
        Template.FACTOR_ADDED,
        Template.FACTOR_REMOVED,
        Template.FACTORS_RESET,
        Template.FACTOR_DUE,
        Template.RECOVERY_MADE,
        Template.RECOVERY_USED,
        Template.STEP_FAILED,
        Template.PASSKEY_COPIED,
    }


@pytest.mark.parametrize(
    ("to", "channel"),
    [("+8613800138000", Channel.SMS), ("+18625550123", Channel.SMS), ("kevin@163.com", Channel.EMAIL),
     ("+8613800138000@b.example", Channel.EMAIL)],
)  # fmt: skip
def test_the_channel_is_that_of_the_receiver(to: str, channel: Channel) -> None:
    assert channel_to(to) is channel


@pytest.mark.attack("LG-1")
def test_the_repr_of_a_message_shows_no_code() -> None:
    assert MESSAGE.code not in repr(MESSAGE)
    assert MESSAGE.code not in repr(stored())


# --- what became of it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("next_try_at", "failures", "verdict", "state"),
    [
        (0, 0, "", MessageState.WAITING),
        (NOW, 0, "", MessageState.WAITING),
        (NOW, 1, "rejected:config", MessageState.FAILED),
        # One that a dead worker had, and that its receiver may get again.
        (NOW, 0, "unknown", MessageState.WAITING),
        (NEVER_AGAIN, 1, "rejected:number", MessageState.GIVEN_UP),
        (NEVER_AGAIN, 0, "unserved", MessageState.GIVEN_UP),
        (NEVER_AGAIN, 4, "spent", MessageState.GIVEN_UP),
        (NEVER_AGAIN + 1, 0, "", MessageState.UNKNOWN),
        (NEVER_AGAIN + 1, 1, "unknown", MessageState.UNKNOWN),
        (NEVER_AGAIN + 1, 9, "", MessageState.UNKNOWN),
        (NEVER_AGAIN + 2, 0, "", MessageState.SENDING),
        (NEVER_AGAIN + 2, 3, "", MessageState.SENDING),
        (NEVER_AGAIN + 3, 0, "", MessageState.EXPIRED),
        (NEVER_AGAIN + 4, 0, "", MessageState.SUPERSEDED),
        (NEVER_AGAIN + 5, 0, "", MessageState.UNREADABLE),
        # Rows of schema 0011 and older, which had no verdicts. Five tries were given up, fewer may have been sent.
        (NEVER_AGAIN, 0, "", MessageState.UNKNOWN),
        (NEVER_AGAIN, 1, "", MessageState.UNKNOWN),
        (NEVER_AGAIN, 4, "", MessageState.UNKNOWN),
        (NEVER_AGAIN, 5, "", MessageState.GIVEN_UP),
        (NEVER_AGAIN, 6, "", MessageState.GIVEN_UP),
        (NOW, 4, "", MessageState.FAILED),
    ],
)
def test_the_numbers_of_a_row_say_what_became_of_it(
    next_try_at: int, failures: int, verdict: str, state: MessageState
) -> None:
    assert stored(next_try_at, failures, verdict).state is state


@pytest.mark.parametrize("next_try_at", [0, NOW, LEGACY_SENT, *NO_NEXT_TRY.values()])
def test_what_was_sent_is_sent_whatever_else_the_row_holds(next_try_at: int) -> None:
    for failures in (0, 4, 5):
        for verdict in ("", "accepted", "unknown"):
            assert stored(next_try_at, failures, verdict, sent_at=NOW).state is MessageState.SENT


def test_each_end_has_a_number_of_its_own_that_no_clock_reaches() -> None:
    assert set(MessageState) - set(NO_NEXT_TRY) == {MessageState.WAITING, MessageState.SENT, MessageState.FAILED}
    assert len({*NO_NEXT_TRY.values()}) == len(NO_NEXT_TRY)
    # Statements take 2^60 for the end of what waits, and a program of schema 0011 sends nothing from 2^61 on.
    assert all(2**61 <= number < 2**62 for number in NO_NEXT_TRY.values())
    assert NEVER_AGAIN == 2**61


@given(st.sampled_from(sorted(NO_NEXT_TRY)), st.integers(0, 100), st.sampled_from([v.value for v in Verdict]))
def test_an_end_that_is_written_is_read_again(state: MessageState, failures: int, verdict: str) -> None:
    assert stored(NO_NEXT_TRY[state], failures, verdict).state is state


@given(st.integers(0, 2**60), st.integers(0, 100), st.sampled_from(["", *Verdict]))
def test_what_has_a_time_waits_or_is_tried_again(next_try_at: int, failures: int, verdict: str) -> None:
    state = stored(next_try_at, failures, verdict).state
    assert state is (MessageState.FAILED if failures else MessageState.WAITING)
