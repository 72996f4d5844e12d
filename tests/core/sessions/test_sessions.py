"""Sessions at the edges of their instants, and who replaces whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.apps import App, SessionRule
from menshen.core.networks import shortened
from menshen.core.sessions.sessions import (
    FIXED,
    FRESH_FOR,
    REUSE_GRACE,
    SLIDING,
    TOUCH_EVERY,
    Session,
    canonical_platform,
    listed,
    slid,
    slot_of,
)
from menshen.core.time import DAY, NEVER, Instant, after, seconds_until

NOW = Instant(1_795_219_200_000)
APP = App(1, "default", "11111111", "s")
SESSION = Session(
    "s", 1, 1, "weidu", "weidu", None, "", "", "", "192.0.2.1", NOW, NOW, NOW, after(NOW, 30 * DAY),
    after(NOW, 180 * DAY), 30 * DAY, after(NOW, 31 * DAY),
)  # fmt: skip


def test_the_houses_lifetimes() -> None:
    """docs/contracts/core.md section 3.5: weidu 30 d sliding, 180 d at most; CareyShop 30 d fixed, refresh 31 d."""
    assert (SLIDING.idle, SLIDING.absolute, SLIDING.sliding, SLIDING.refresh) == (30 * DAY, 180 * DAY, True, 0)
    assert (FIXED.idle, FIXED.absolute, FIXED.sliding, FIXED.refresh) == (2_592_000_000, 30 * DAY, False, 31 * DAY)
    assert (REUSE_GRACE, FRESH_FOR, TOUCH_EVERY) == (30_000, 600_000, 60_000)


@pytest.mark.parametrize(("past", "good"), [(-1, True), (0, False), (1, False)])
def test_at_its_last_instant_it_is_over(past: int, good: bool) -> None:
    assert SESSION.live(after(SESSION.expires_at, past)) is good
    long = replace(SESSION, expires_at=after(SESSION.ends_at, DAY))
    assert long.live(after(long.ends_at, past)) is good
    assert SESSION.refreshable(after(SESSION.refresh_expires_at, past)) is good
    assert SESSION.fresh(after(NOW, FRESH_FOR + past)) is good
    assert replace(SESSION, second_at=NOW).fresh_second(after(NOW, FRESH_FOR + past)) is good
    assert SESSION.due_for_touch(after(NOW, TOUCH_EVERY + past)) is not good


def test_what_was_never_issued_is_never_good() -> None:
    assert not replace(SESSION, refresh_expires_at=NEVER).refreshable(NOW)
    assert not replace(SESSION, sliding_ms=0).due_for_touch(after(NOW, 10 * DAY))


@given(st.integers(0, 400 * DAY))
def test_use_never_passes_the_absolute_limit(used: int) -> None:
    pushed = slid(after(NOW, used), SESSION.ends_at, SESSION.sliding_ms)
    assert pushed <= SESSION.ends_at
    assert pushed == min(NOW + used + 30 * DAY, NOW + 180 * DAY)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("iOS", "ios", True), ("web ", "web", True), ("web\t\n", "WEB", True), (" web", "web", False),
     ("ＷＥＢ", "web", False), ("straße", "STRASSE", True), ("ios", "android", False), ("", " ", True)],
)  # fmt: skip
def test_platforms_compare_without_case_and_trailing_blanks(one: str, other: str, same: bool) -> None:
    assert (canonical_platform(one) == canonical_platform(other)) is same
    slots = [slot_of(APP, SessionRule.ONE_PER_PLATFORM, platform, "") for platform in (one, other)]
    assert (slots[0] == slots[1]) is same


@pytest.mark.parametrize(
    ("app_rule", "house_rule", "device", "slot"),
    [
        (SessionRule.DIALECT, SessionRule.ONE_PER_PLATFORM, "d", "platform:web"),
        (SessionRule.DIALECT, SessionRule.ONE_PER_DEVICE, "d", "device:d"),
        (SessionRule.DIALECT, SessionRule.ONE_PER_DEVICE, "", None),
        (SessionRule.DIALECT, SessionRule.MANY, "d", None),
        (SessionRule.MANY, SessionRule.ONE_PER_PLATFORM, "d", None),
        (SessionRule.ONE_PER_PLATFORM, SessionRule.MANY, "", "platform:web"),
        (SessionRule.ONE_PER_DEVICE, SessionRule.MANY, "d", "device:d"),
    ],
)
def test_the_apps_rule_goes_before_the_houses(
    app_rule: SessionRule, house_rule: SessionRule, device: str, slot: str | None
) -> None:
    assert slot_of(replace(APP, session_rule=app_rule), house_rule, "Web", device) == slot


def test_a_device_never_takes_a_platforms_slot() -> None:
    platform = slot_of(replace(APP, session_rule=SessionRule.ONE_PER_PLATFORM), SessionRule.MANY, "x", "x")
    device = slot_of(replace(APP, session_rule=SessionRule.ONE_PER_DEVICE), SessionRule.MANY, "x", "x")
    assert platform != device


@pytest.mark.parametrize(
    ("span", "seconds"), [(-5000, 1), (0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60), (60_000, 60)]
)
def test_waiting_is_told_in_whole_seconds_rounded_up(span: int, seconds: int) -> None:
    assert seconds_until(NOW + span, NOW) == seconds


def test_an_owner_sees_live_sessions_with_plain_texts_and_the_end_of_the_token() -> None:
    odd = replace(SESSION, device_name="Ann\u200b's\u202e phone", app_id=2, ends_at=after(NOW, DAY))
    over = replace(SESSION, ends_at=NOW)
    (mine, other) = listed([odd, over, SESSION], {1: "default"}, NOW, in_full=True)
    assert (mine.session.device_name, mine.app, mine.session.over_at) == ("Ann's\ufffd phone", "", NOW + DAY)
    assert (other.session, other.app, other.session.over_at) == (SESSION, "default", SESSION.expires_at)
    assert [one.session.ip for one in listed([SESSION], {}, NOW, in_full=True)] == [SESSION.ip]
    assert [one.session.ip for one in listed([SESSION], {}, NOW, in_full=False)] == [shortened(SESSION.ip)]
