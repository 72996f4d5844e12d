"""Who hands over a message: the longest prefix, the order, the weight, and those that are down last."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from menshen.core.delivery.messages import Template
from menshen.core.delivery.senders import EVERY_OTHER, SenderTerms, choose

DRAWS = 20_000
CODES = frozenset(template for template in Template if template.has_code)
NOTICES = frozenset(Template) - CODES
LOGIN = Template.CODE_LOGIN


def names(
    senders: list[SenderTerms], to: str = "+8613800138000", template: Template = LOGIN, *,
    broken: tuple[str, ...] = (), draw: str = "1",
) -> list[str]:  # fmt: skip
    return [one.name for one in choose(senders, to, template, broken=broken, draw=draw)]


def shares(senders: list[SenderTerms], place: int = 0) -> dict[str, float]:
    """How often each sender stands at a place, as a part of all draws."""
    found = Counter(names(senders, draw=str(n))[place] for n in range(DRAWS))
    return {name: count / DRAWS for name, count in found.items()}


# --- countries --------------------------------------------------------------------------------------------------------

PLACES = [
    SenderTerms("world"),
    SenderTerms("china", ("+86",)),
    SenderTerms("block", ("+86138",), order=9),
    SenderTerms("america", ("+1",)),
    SenderTerms("bahamas", ("+1242", "+852")),
]


@pytest.mark.attack("OT-27")
@pytest.mark.parametrize(
    ("to", "served_by"),
    [
        ("+8613900139000", ["china"]),
        ("+8613800138000", ["block"]),
        ("+886912345678", ["world"]),
        ("+85251234567", ["bahamas"]),
        ("+12025550123", ["america"]),
        ("+12425550123", ["bahamas"]),
        # A number abroad is of its country, whatever digits it has.
        ("+18625550123", ["america"]),
        ("+6591234567", ["world"]),
        ("kevin@163.com", ["world"]),
        # An address may look like a number at its beginning.
        ("+8613800138000@b.example", ["world"]),
        ("+1@b.example", ["world"]),
    ],
)
def test_the_longest_prefix_wins_and_the_star_serves_what_none_names(to: str, served_by: list[str]) -> None:
    assert names(PLACES, to) == served_by


def test_without_a_star_other_countries_are_served_by_none() -> None:
    assert names(PLACES[1:], "+6591234567") == []
    assert names(PLACES[1:], "kevin@163.com") == []
    assert names([], "+8613800138000") == []


def test_one_sender_may_name_a_prefix_and_the_star() -> None:
    both = SenderTerms("both", ("+86", EVERY_OTHER))
    for to in ("+8613800138000", "+6591234567", "kevin@163.com"):
        assert names([both, SenderTerms("china", ("+86",), order=2)], to)[0] == "both"
    assert names([both, SenderTerms("singapore", ("+65",))], "+6591234567") == ["singapore"]


def test_who_sends_no_such_message_is_not_asked() -> None:
    login = SenderTerms("login", ("+86",), frozenset({LOGIN}))
    notices = SenderTerms("notices", ("+86",), NOTICES)
    codes = SenderTerms("codes", ("+86",), CODES, order=2)
    for template in Template:
        wanted = ["notices"] if template in NOTICES else ["login", "codes"] if template is LOGIN else ["codes"]
        assert names([login, notices, codes], template=template) == wanted
    # A country that somebody names is not left to the others, who may not send there.
    assert names([login, SenderTerms("world")], template=Template.PASSWORD_CHANGED) == []
    assert names([SenderTerms("mute", templates=frozenset())]) == []


# --- order, weight, breakers ------------------------------------------------------------------------------------------


def test_the_lowest_order_is_first_whatever_the_weights() -> None:
    senders = [SenderTerms("c", order=30, weight=10**6), SenderTerms("a", order=0, weight=1), SenderTerms("b", order=2)]
    assert {tuple(names(senders, draw=str(n))) for n in range(500)} == {("a", "b", "c")}


@pytest.mark.parametrize(
    "weights",
    [{"a": 100, "b": 100}, {"a": 70, "b": 20, "c": 10}, {"a": 1, "b": 1, "c": 1, "d": 1}, {"a": 10**6, "b": 1},
     {"a": 3, "b": 1}],
)  # fmt: skip
def test_equal_orders_share_by_weight(weights: dict[str, int]) -> None:
    found = shares([SenderTerms(name, weight=weight) for name, weight in weights.items()])
    for name, weight in weights.items():
        assert abs(found.get(name, 0) - weight / sum(weights.values())) < 0.02, name


def test_the_second_place_is_shared_by_weight_too() -> None:
    """Where the first is away, the others have what their weights say."""
    senders = [SenderTerms("a", weight=50), SenderTerms("b", weight=30), SenderTerms("c", weight=10)]
    down = Counter(names(senders, broken=("a",), draw=str(n))[0] for n in range(DRAWS))
    assert abs(down["b"] / DRAWS - 0.75) < 0.02
    assert down["a"] == 0


def test_weight_nought_is_asked_where_no_other_of_its_order_is_left() -> None:
    senders = [
        SenderTerms("idle", weight=0), SenderTerms("works", weight=1), SenderTerms("idle-too", weight=0),
        SenderTerms("later", order=2),
    ]  # fmt: skip
    for n in range(500):
        assert names(senders, draw=str(n)) == ["works", "idle", "idle-too", "later"]


def test_who_is_down_comes_last_and_is_never_dropped() -> None:
    senders = [SenderTerms("a"), SenderTerms("b", order=2), SenderTerms("c", order=3)]
    assert names(senders, broken=("a",)) == ["b", "c", "a"]
    assert names(senders, broken=("a", "b")) == ["c", "a", "b"]
    assert names(senders, broken=("a", "b", "c", "gone")) == ["a", "b", "c"]


def test_an_added_sender_takes_its_share_and_reshuffles_nobody() -> None:
    before = [SenderTerms(name, weight=weight) for name, weight in (("a", 60), ("b", 30), ("c", 10))]
    after = [SenderTerms("new", weight=100), *before]
    moved = 0
    for n in range(5000):
        old, new = names(before, draw=str(n)), names(after, draw=str(n))
        assert [name for name in new if name != "new"] == old
        moved += new[0] != old[0]
    assert abs(moved / 5000 - 0.5) < 0.03


# --- whatever the settings say ----------------------------------------------------------------------------------------

prefixes = st.sampled_from([EVERY_OTHER, "+86", "+861", "+86138", "+1", "+186", "+852", "+8"])
terms = st.builds(
    SenderTerms,
    name=st.sampled_from("abcdefgh"),
    countries=st.lists(prefixes, min_size=1, max_size=3).map(tuple),
    templates=st.sampled_from([frozenset(Template), CODES, NOTICES, frozenset({LOGIN})]),
    order=st.integers(0, 3),
    weight=st.integers(0, 10**6),
)
several = st.lists(terms, max_size=8, unique_by=lambda one: one.name)
receivers = st.sampled_from(["+8613800138000", "+8613900139000", "+18625550123", "+85251234567", "+442071838750",
                             "kevin@163.com", "+86138@b.example"])  # fmt: skip


@settings(max_examples=300)
@given(several, receivers, st.sampled_from(Template), st.frozensets(st.sampled_from("abcdefgh")), st.text(max_size=8))
def test_any_choice_keeps_the_rules(
    senders: list[SenderTerms], to: str, template: Template, broken: frozenset[str], draw: str
) -> None:
    chosen = choose(senders, to, template, broken=broken, draw=draw)
    fitting = {
        one.name: max(
            (len(c) for c in one.countries if c != EVERY_OTHER and "@" not in to and to.startswith(c)), default=0
        )
        for one in senders
    }
    longest = max(fitting.values(), default=0)
    serving = {
        one.name
        for one in senders
        if template in one.templates and (fitting[one.name] == longest if longest else EVERY_OTHER in one.countries)
    }
    assert {one.name for one in chosen} == serving
    assert len(chosen) == len(serving)
    ranks = [(one.name in broken, one.order, not one.weight) for one in chosen]
    assert ranks == sorted(ranks)
    # The same draw gives the same order, however the settings list the senders.
    weighed = [one for one in chosen if one.weight]
    again = choose(senders[::-1], to, template, broken=broken, draw=draw)
    assert [one for one in again if one.weight] == weighed


@settings(max_examples=200)
@given(several, receivers, st.text(max_size=8), st.frozensets(st.sampled_from("abcdefgh")))
def test_a_breaker_that_opens_moves_its_sender_only(
    senders: list[SenderTerms], to: str, draw: str, broken: frozenset[str]
) -> None:
    well = choose(senders, to, LOGIN, broken=(), draw=draw)
    ill = choose(senders, to, LOGIN, broken=broken, draw=draw)
    for down, group in groupby(ill, key=lambda one: one.name in broken):
        assert list(group) == [one for one in well if (one.name in broken) == down]


@settings(max_examples=200)
@given(several, receivers, st.text(max_size=8), st.integers(0, 7))
def test_a_sender_that_is_taken_out_leaves_the_order_of_the_others(
    senders: list[SenderTerms], to: str, draw: str, which: int
) -> None:
    gone = f"{'abcdefgh'[which]}"
    silent = [replace(one, templates=frozenset()) if one.name == gone else one for one in senders]
    left = [one.name for one in choose(senders, to, LOGIN, broken=(), draw=draw) if one.name != gone]
    assert names(silent, to, draw=draw) == left
