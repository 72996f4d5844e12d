"""The breaker of a service outside: what opens it, who may try it meanwhile, and what closes it again."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from menshen.core.outward.breaker import (
    BROKEN_PAUSE,
    FAILURES_IN_A_ROW,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    WINDOW,
    WINDOW_TIME,
    Breaker,
    BreakerState,
)
from menshen.core.time import MINUTE, SECOND

CLOSED, HALF, OPEN = BreakerState.CLOSED, BreakerState.HALF, BreakerState.OPEN
T0 = 1_000_000


def opened(at: int = T0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_IN_A_ROW):
        breaker.fail(at)
    assert breaker.state(at) is OPEN
    return breaker


def after(*answers: tuple[int, bool]) -> Breaker:
    """Each answer is (ms after T0, whether it was good)."""
    breaker = Breaker()
    for at, good in answers:
        (breaker.succeed if good else breaker.fail)(T0 + at)
    return breaker


def test_the_numbers_are_the_contracts() -> None:
    assert (FAILURES_IN_A_ROW, WINDOW, WINDOW_TIME) == (5, 20, 60 * SECOND)
    assert (FIRST_PAUSE, LONGEST_PAUSE, BROKEN_PAUSE) == (30 * SECOND, 5 * MINUTE, 5 * MINUTE)
    assert [state.value for state in (CLOSED, HALF, OPEN)] == [0, 1, 2]


# --- what opens it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ("", CLOSED),
        ("....", CLOSED),
        (".....", OPEN),
        ("....+....", CLOSED),
        ("....+.....", OPEN),
        # Eleven of the last twenty failed, and never five in a row.
        ("..+" * 6 + ".", CLOSED),
        ("..+" * 6 + "..", OPEN),
        # Ten of them are not more than a half.
        (".+" * 60, CLOSED),
        ("+" * 100 + "....", CLOSED),
        # What came before the last twenty does not count.
        ("....+" * 3 + "+" * 5 + "...+", CLOSED),
    ],
)
def test_five_in_a_row_open_it_or_more_than_half_of_the_last_twenty(answers: str, state: BreakerState) -> None:
    breaker = after(*((n, sign == "+") for n, sign in enumerate(answers)))
    assert breaker.state(T0 + len(answers)) is state


@pytest.mark.parametrize(("spread", "state"), [(WINDOW_TIME, OPEN), (WINDOW_TIME + 1, CLOSED)])
def test_the_last_twenty_count_within_a_minute(spread: int, state: BreakerState) -> None:
    """Eleven failures of twenty, the first answer just within or just outside of the minute."""
    answers = [(0, True), *((spread - 20 + n, n % 5 < 2) for n in range(18)), (spread, False)]
    assert [good for _, good in answers].count(False) == 11
    assert after(*answers[:-1]).state(T0 + spread) is CLOSED
    assert after(*answers).state(T0 + spread) is state


def test_five_in_a_row_count_however_long_they_take() -> None:
    assert after(*((n * 60 * MINUTE, False) for n in range(5))).state(T0 + 240 * MINUTE) is OPEN


# --- while it is open -------------------------------------------------------------------------------------------------


def test_after_thirty_seconds_one_may_try() -> None:
    breaker = opened()
    assert not breaker.admits(T0 + FIRST_PAUSE - 1)
    assert breaker.state(T0 + FIRST_PAUSE - 1) is OPEN
    now = T0 + FIRST_PAUSE
    assert breaker.state(now) is HALF
    assert breaker.admits(now)
    # It is looked at without an end, and begun once.
    assert breaker.admits(now)
    breaker.begin(now)
    assert not breaker.admits(now)
    assert not breaker.admits(now + FIRST_PAUSE - 1)
    assert breaker.state(now) is HALF


def test_a_probe_without_a_result_does_not_block_for_ever() -> None:
    breaker, now = opened(), T0
    for _ in range(10):
        now += FIRST_PAUSE
        assert breaker.admits(now)
        breaker.begin(now)
        assert not breaker.admits(now + FIRST_PAUSE - 1)


@pytest.mark.attack("OT-22")
def test_each_probe_that_fails_doubles_the_pause_up_to_five_minutes() -> None:
    breaker, now, pauses = opened(), T0, []
    for _ in range(7):
        begun = now
        while not breaker.admits(now):
            now += SECOND
        pauses.append((now - begun) // SECOND)
        breaker.begin(now)
        breaker.fail(now)
        assert breaker.state(now) is OPEN
    assert pauses == [30, 60, 120, 240, 300, 300, 300]


def test_a_success_closes_it_and_forgets_the_pause() -> None:
    breaker, now = opened(), T0 + FIRST_PAUSE
    breaker.begin(now)
    breaker.fail(now)
    now += 2 * FIRST_PAUSE
    breaker.begin(now)
    breaker.succeed(now)
    assert breaker.state(now) is CLOSED
    assert breaker.admits(now)
    for _ in range(FAILURES_IN_A_ROW - 1):
        breaker.fail(now)
    assert breaker.state(now) is CLOSED
    breaker.fail(now)
    assert breaker.state(now + FIRST_PAUSE - 1) is OPEN
    assert breaker.state(now + FIRST_PAUSE) is HALF


def test_who_was_asked_while_it_is_open_closes_it_by_a_success_and_lengthens_nothing_by_a_failure() -> None:
    breaker = opened()
    for n in range(20):
        breaker.begin(T0 + n)
        breaker.fail(T0 + n)
    assert breaker.state(T0 + FIRST_PAUSE) is HALF
    assert breaker.admits(T0 + FIRST_PAUSE)
    breaker = opened()
    breaker.succeed(T0 + 1)
    assert breaker.state(T0 + 1) is CLOSED


def test_what_an_operator_must_end_opens_it_at_once_for_five_minutes() -> None:
    for breaker in (Breaker(), opened(T0 - FIRST_PAUSE), after((0, True))):
        breaker.trip(T0)
        assert breaker.state(T0 + BROKEN_PAUSE - 1) is OPEN
        assert breaker.state(T0 + BROKEN_PAUSE) is HALF
        assert breaker.admits(T0 + BROKEN_PAUSE)
        breaker.begin(T0 + BROKEN_PAUSE)
        breaker.fail(T0 + BROKEN_PAUSE)
        assert breaker.state(T0 + 2 * BROKEN_PAUSE - 1) is OPEN
        assert breaker.state(T0 + 2 * BROKEN_PAUSE) is HALF


# --- any course of things ---------------------------------------------------------------------------------------------


class BreakerMachine(RuleBasedStateMachine):
    """Several workers' requests over one breaker: begun, ended in any order, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = T0
        self.in_a_row = 0
        self.closed_since: int | None = T0
        self.under_way = 0

    def _after_an_answer(self, before: BreakerState) -> None:
        state = self.breaker.state(self.now)
        if before is HALF:
            assert state is not HALF
        if before is OPEN:
            assert state is not HALF

    @rule(ms=st.sampled_from([0, 1, SECOND, 10 * SECOND, FIRST_PAUSE, MINUTE, LONGEST_PAUSE]))
    def time_passes(self, ms: int) -> None:
        before = self.breaker.state(self.now)
        self.now += ms
        state = self.breaker.state(self.now)
        assert state is before or (before, state) == (OPEN, HALF)

    @precondition(lambda self: self.breaker.admits(self.now))
    @rule()
    def a_request_goes_out(self) -> None:
        state = self.breaker.state(self.now)
        assert state is not OPEN
        self.breaker.begin(self.now)
        self.under_way += 1
        assert self.breaker.state(self.now) is state
        # One at a time while it is tried.
        assert self.breaker.admits(self.now) is (state is CLOSED)

    @precondition(lambda self: self.under_way)
    @rule()
    def it_succeeds(self) -> None:
        self.under_way -= 1
        self.in_a_row = 0
        self.breaker.succeed(self.now)
        assert self.breaker.state(self.now) is CLOSED

    @precondition(lambda self: self.under_way)
    @rule()
    def it_fails(self) -> None:
        self.under_way -= 1
        self.in_a_row += 1
        before = self.breaker.state(self.now)
        self.breaker.fail(self.now)
        self._after_an_answer(before)
        if before is CLOSED and self.in_a_row >= FAILURES_IN_A_ROW:
            assert self.breaker.state(self.now) is OPEN

    @rule(count=st.integers(1, WINDOW))
    def many_fail(self, count: int) -> None:
        for _ in range(count):
            self.under_way += 1
            self.it_fails()

    @precondition(lambda self: self.under_way)
    @rule()
    def the_vendor_is_down(self) -> None:
        self.under_way -= 1
        self.breaker.trip(self.now)
        assert self.breaker.state(self.now + BROKEN_PAUSE - 1) is OPEN

    @precondition(lambda self: self.under_way)
    @rule()
    def it_never_ends(self) -> None:
        self.under_way -= 1

    @invariant()
    def an_open_one_lets_nobody_through_and_a_closed_one_everybody(self) -> None:
        state = self.breaker.state(self.now)
        assert self.breaker.admits(self.now) or state is not CLOSED
        assert not self.breaker.admits(self.now) or state is not OPEN

    @invariant()
    def it_is_tried_again_within_five_minutes_whatever_happened(self) -> None:
        assert self.breaker.admits(self.now + LONGEST_PAUSE)


BreakerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestBreakerMachine = BreakerMachine.TestCase
