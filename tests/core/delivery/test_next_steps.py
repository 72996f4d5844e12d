"""What follows a try that sent nothing: never after its end, never again to a number that was refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.codes.one_time_codes import LIFETIME
from menshen.core.delivery.messages import Channel, Message, MessageState, Template
from menshen.core.delivery.next_steps import (
    FIRST_PAUSE,
    GIVE_UP,
    LONGEST_PAUSE,
    NOTICE_TIME,
    Next,
    end_of,
    next_step,
)
from menshen.core.delivery.verdicts import BROKEN, NOT_HANDED_OVER, REFUSALS, Verdict
from menshen.core.time import DAY, HOUR, MINUTE, SECOND, Instant, after

NOW = Instant(1_800_000_000_000)
FAR = after(NOW, DAY)
OTHERS = sorted(NOT_HANDED_OVER - {Verdict.NUMBER})


def step(verdict: Verdict = Verdict.THROTTLED_VENDOR, **given: Any) -> Next | Instant | MessageState:
    asked: dict[str, Any] = {"another": False, "later": True, "pauses": 0, "retry_after": 0, "ends": FAR, "now": NOW}
    return next_step(verdict, **(asked | given))


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_each_verdict_is_of_one_kind() -> None:
    assert {Verdict.NUMBER, Verdict.THROTTLED_NUMBER, Verdict.THROTTLED_VENDOR} | BROKEN == REFUSALS
    assert REFUSALS | {Verdict.NOT_REACHED} == NOT_HANDED_OVER
    assert set(Verdict) - NOT_HANDED_OVER == {Verdict.ACCEPTED, Verdict.UNKNOWN}
    assert {Verdict.VENDOR_DOWN, Verdict.CONFIG} == BROKEN


# --- what follows -----------------------------------------------------------------------------------------------------


@pytest.mark.attack("OT-23")
@pytest.mark.parametrize("another", [True, False])
@pytest.mark.parametrize("later", [True, False])
def test_a_refused_number_is_given_up_whoever_is_left(another: bool, later: bool) -> None:
    assert step(Verdict.NUMBER, another=another, later=later) is MessageState.GIVEN_UP


@pytest.mark.parametrize("verdict", OTHERS)
def test_another_sender_is_asked_at_once_while_there_is_time(verdict: Verdict) -> None:
    for later in (True, False):
        assert step(verdict, another=True, later=later) is Next.ASK_ANOTHER
        assert step(verdict, another=True, later=later, ends=NOW) is Next.ASK_ANOTHER
        assert step(verdict, another=True, later=later, ends=after(NOW, -1)) is MessageState.EXPIRED


@pytest.mark.parametrize("verdict", OTHERS)
def test_without_another_the_same_are_asked_later_or_none_is(verdict: Verdict) -> None:
    assert step(verdict) == NOW + FIRST_PAUSE
    assert step(verdict, later=False) is MessageState.GIVEN_UP


@pytest.mark.parametrize(
    ("pauses", "retry_after", "seconds"),
    [(0, 0, 10), (1, 0, 20), (2, 0, 40), (3, 0, 80), (4, 0, 160), (5, 0, 320), (6, 0, 600), (10, 0, 600), (11, 0, 600),
     (10**6, 0, 600), (0, 9.9, 10), (0, 10.4, 10.4), (0, 33, 33), (2, 33, 40), (2, 41, 41), (6, 601, 601)],
)  # fmt: skip
def test_a_pause_doubles_and_is_what_the_vendor_asked_for_at_least(
    pauses: int, retry_after: float, seconds: float
) -> None:
    assert step(pauses=pauses, retry_after=retry_after) == NOW + round(seconds * SECOND)


@pytest.mark.parametrize("retry_after", [0, 30])
def test_a_pause_may_end_with_the_message_and_not_behind_it(retry_after: float) -> None:
    pause = max(10, retry_after) * SECOND
    assert step(retry_after=retry_after, ends=after(NOW, round(pause))) == NOW + pause
    assert step(retry_after=retry_after, ends=after(NOW, round(pause) - 1)) is MessageState.GIVEN_UP


given_any = {
    "verdict": st.sampled_from(sorted(NOT_HANDED_OVER)),
    "another": st.booleans(),
    "later": st.booleans(),
    "pauses": st.integers(0, 10**9),
    "retry_after": st.floats(0, 999_999),
    "left": st.integers(-2 * HOUR, 2 * HOUR),
}


@pytest.mark.attack("OT-24")
@given(**given_any)
def test_nothing_is_tried_after_the_end(left: int, **given: Any) -> None:
    ends = after(NOW, left)
    match step(ends=ends, **given):
        case Next.ASK_ANOTHER:
            assert left >= 0
            assert given["another"]
        case MessageState() as state:
            assert state in {MessageState.GIVEN_UP, MessageState.EXPIRED}
        case again:
            assert NOW + FIRST_PAUSE <= again <= ends
            assert again <= NOW + max(LONGEST_PAUSE, round(given["retry_after"] * SECOND))
            assert given["later"]
            assert not given["another"]


@given(**given_any)
def test_more_rounds_and_longer_waits_never_bring_the_next_try_nearer(left: int, **given: Any) -> None:
    ends = after(NOW, left)
    first = step(ends=ends, **given)
    for more in ({"pauses": given["pauses"] + 1}, {"retry_after": given["retry_after"] + 1}):
        then = step(ends=ends, **(given | more))
        if isinstance(first, int) and isinstance(then, int):
            assert then >= first
        else:
            # What is over stays over.
            assert then == first or then is MessageState.GIVEN_UP
    # A longer life takes nothing away.
    longer = step(ends=after(ends, HOUR), **given)
    assert longer == first or first in {MessageState.GIVEN_UP, MessageState.EXPIRED}


# --- ends -------------------------------------------------------------------------------------------------------------


def message(template: Template, code: str = "") -> Message:
    return Message(Channel.SMS, "+8613800138000", template, "zh", NOW, code=code)


@pytest.mark.parametrize(
    ("give_up", "span"),
    [(GIVE_UP, 120 * SECOND), (10 * SECOND, 10 * SECOND), (LIFETIME, 5 * MINUTE), (LIFETIME + 1, 5 * MINUTE),
     (DAY, 5 * MINUTE)],
)  # fmt: skip
def test_a_code_is_not_sent_longer_than_it_lives(give_up: int, span: int) -> None:
    assert end_of(message(Template.CODE_RESET, "123456"), give_up) == NOW + span


@pytest.mark.parametrize("give_up", [10 * SECOND, GIVE_UP, DAY])
def test_a_notice_has_an_hour(give_up: int) -> None:
    assert end_of(message(Template.PASSWORD_CHANGED), give_up) == NOW + NOTICE_TIME == NOW + HOUR
