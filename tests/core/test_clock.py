"""What is certain when clocks differ: the database's, this machine's, the mark, and the time that passes."""

from __future__ import annotations

import pytest

from menshen.core.time import (
    CATCHING_UP,
    CLOCK_BOUND,
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    ClockJudged,
    Instant,
    after,
    judge_clock,
)

NOW = Instant(1_800_000_000_000)
YEAR = 365 * DAY


def judge(
    now: int, *, database: int = NEVER, mark: int = NOW, known: int = NOW, passed: int = MINUTE, trusted: int = NEVER
) -> ClockJudged:  # fmt: skip
    return judge_clock(
        Instant(now), database=Instant(database), mark=Instant(mark), known=Instant(known), passed=passed,
        trusted=Instant(trusted),
    )  # fmt: skip


def test_a_clock_that_goes_on_as_time_does_is_believed() -> None:
    judged = judge(NOW + MINUTE)
    assert not judged.doubted
    assert judged == ClockJudged(Instant(NOW + MINUTE), Instant(NOW + MINUTE), Instant(NOW + MINUTE))


@pytest.mark.attack("SG-8")
@pytest.mark.parametrize("lead", [CLOCK_BOUND + 1, HOUR, YEAR])
def test_a_leap_forward_is_doubted_and_moves_the_mark_by_a_bounded_step(lead: int) -> None:
    judged = judge(NOW + MINUTE + lead)
    assert judged.doubted
    assert judged.mark - NOW <= CATCHING_UP * MINUTE
    assert judged.instant <= judged.mark


def test_what_is_within_the_bound_is_no_leap() -> None:
    assert not judge(NOW + MINUTE + CLOCK_BOUND).doubted


@pytest.mark.attack("SG-8")
def test_a_first_look_moves_nothing_while_it_doubts() -> None:
    judged = judge(NOW + YEAR, known=NEVER, passed=10**9)
    assert judged.doubted
    assert (judged.mark, judged.instant) == (NOW, NOW)


def test_the_first_look_of_all_believes_the_clock() -> None:
    assert judge(NOW, mark=NEVER, known=NEVER) == ClockJudged(NOW, NOW, NOW)


@pytest.mark.parametrize("down", [HOUR, 12 * HOUR, 7 * DAY])
def test_after_a_time_in_which_nothing_ran_it_catches_up(down: int) -> None:
    known, mark, minutes, now = NEVER, NOW, 0, NOW + down
    while (judged := judge(now, mark=mark, known=known, passed=MINUTE if known else 0)).doubted:
        known, mark, minutes, now = judged.known, judged.mark, minutes + 1, now + MINUTE
    assert minutes * MINUTE <= down / (CATCHING_UP - 1) + 2 * MINUTE
    assert judged.instant == now


@pytest.mark.attack("SG-8")
@pytest.mark.parametrize("apart", [YEAR, -YEAR, CLOCK_BOUND + 1, -CLOCK_BOUND - 1])
def test_two_clocks_that_differ_end_nothing_whichever_is_wrong(apart: int) -> None:
    for now, database in ((NOW + MINUTE + apart, NOW + MINUTE), (NOW + MINUTE, NOW + MINUTE + apart)):
        judged = judge(now, database=database)
        assert judged.doubted
        assert judged.mark == NOW, "the mark stands still"
        assert judged.instant <= NOW + MINUTE


@pytest.mark.attack("SG-8")
def test_both_clocks_of_one_machine_may_leap() -> None:
    assert judge(NOW + YEAR, database=NOW + YEAR).doubted


@pytest.mark.attack("SG-7")
def test_a_clock_that_is_turned_back_sweeps_less_and_moves_no_mark() -> None:
    judged = judge(NOW - YEAR)
    assert judged.doubted, "nothing is swept by it, which is less still"
    assert (judged.instant, judged.mark) == (NOW - YEAR, NOW)
    assert judged.known == NOW + MINUTE, "what is certain goes on"
    # And when it is put right, there is no leap.
    assert not judge(NOW + 2 * MINUTE, known=judged.known).doubted


@pytest.mark.attack("SG-8")
def test_a_mark_far_ahead_is_doubted_until_the_clock_passes_it() -> None:
    """A clock that was ahead left it. Believed, a node at that time would sweep everything."""
    poisoned = NOW + YEAR
    judged = judge(NOW, mark=poisoned, known=NEVER, passed=0)
    assert judged.doubted
    assert (judged.lead, judged.mark) == (-YEAR, poisoned)
    # At each later look too: what the process itself saw while it doubted is no reason to believe.
    assert judge(NOW + MINUTE, mark=poisoned, known=judged.known).doubted
    assert not judge(NOW + YEAR + MINUTE, mark=poisoned, known=poisoned).doubted


@pytest.mark.attack("SG-8")
def test_a_clock_that_comes_back_to_what_was_believed_is_believed() -> None:
    """While it was ahead, the mark caught up by some minutes, and the clock is not there yet."""
    ahead = judge(NOW + MINUTE + YEAR)
    assert ahead.mark - NOW > CLOCK_BOUND + MINUTE
    judged = judge(NOW + 2 * MINUTE, mark=ahead.mark, known=ahead.known, trusted=NOW + 2 * MINUTE)
    assert judged == ClockJudged(Instant(NOW + 2 * MINUTE), Instant(NOW + 2 * MINUTE), ahead.mark)
    assert judge(NOW - YEAR, mark=ahead.mark, known=ahead.known, trusted=NOW + 2 * MINUTE).doubted


def test_small_differences_add_up_to_nothing() -> None:
    known = mark = NOW
    for minute in range(1, 1000):
        judged = judge(NOW + minute * MINUTE, database=NOW + minute * MINUTE - 4000, mark=mark, known=known)
        assert not judged.doubted
        known, mark = judged.known, judged.mark
    assert mark == after(NOW, 999 * MINUTE - 4000)
