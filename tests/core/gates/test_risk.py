"""The table of risk: which tries are free, meet a captcha, or are shut. (docs/contracts/core.md section 4.1.)"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.apps import CaptchaRule
from menshen.core.gates.limits import Count, Limits
from menshen.core.gates.risk import HARDEST, RULES, Assessment, PasswordTries, Signals, Verdict, assess
from menshen.core.networks import Listing
from menshen.core.time import DAY, Instant

NOW = Instant(1_795_219_200_000)
LIMITS = Limits()
STRANGE = Signals(PasswordTries(Count(1, NOW, 1), Count(1, NOW, 1), Count(1, NOW, 1)))


def signals(near: int = 1, network: int = 1, account: int = 1, **more: object) -> Signals:
    return replace(STRANGE, tries=PasswordTries(*(Count(n, NOW, 1) for n in (near, network, account))), **more)  # type: ignore[arg-type]


def judge(seen: Signals, rule: CaptchaRule = CaptchaRule.RISK, *, proved: bool = False) -> Verdict:
    return assess(seen, rule, LIMITS, proved=proved).verdict


@pytest.mark.parametrize(
    ("near", "network", "account", "verdict"),
    [
        (1, 1, 1, Verdict.FREE), (3, 19, 19, Verdict.FREE), (3, 3, 20, Verdict.FREE), (3, 3, 21, Verdict.CAPTCHA),
        (4, 4, 4, Verdict.CAPTCHA),
        (1, 20, 1, Verdict.CAPTCHA), (10, 19, 10, Verdict.CAPTCHA), (11, 11, 11, Verdict.PAUSED),
        (99, 99, 100, Verdict.PAUSED), (1, 1, 101, Verdict.SUSPENDED), (11, 60, 101, Verdict.SUSPENDED),
    ],
)  # fmt: skip
def test_the_contracts_table(near: int, network: int, account: int, verdict: Verdict) -> None:
    assert judge(signals(near, network, account)) is verdict


@pytest.mark.parametrize(
    ("network", "strangers", "listing", "difficulty"),
    [
        (19, 9, Listing.NONE, 1), (20, 9, Listing.NONE, 2), (59, 9, Listing.NONE, 2), (60, 9, Listing.NONE, 3),
        (1, 10, Listing.NONE, 2), (1, 9, Listing.DATACENTRE, 2), (60, 10, Listing.DATACENTRE, HARDEST),
    ],
)  # fmt: skip
def test_each_thing_that_a_network_does_doubles_the_work(
    network: int, strangers: int, listing: Listing, difficulty: int
) -> None:
    seen = signals(1, network, strangers=strangers, listing=listing)
    assert assess(seen, CaptchaRule.RISK, LIMITS).difficulty == difficulty


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (signals(1, 20, 20, listing=Listing.DATACENTRE), Verdict.CAPTCHA),
        (signals(1, 19, 1, strangers=10), Verdict.FREE),
        (signals(1, 1, 21), Verdict.CAPTCHA),
        (signals(1, 1, 21, known_device=True), Verdict.FREE),
        (signals(1, 1, 21, strangers=10, listing=Listing.DATACENTRE, known_device=True), Verdict.CAPTCHA),
        (signals(1, 1, 1, strangers=10, listing=Listing.DATACENTRE), Verdict.CAPTCHA),
        (signals(1, 1, 1, strangers=10, listing=Listing.DATACENTRE, known_device=True), Verdict.FREE),
        (signals(1, 20, 1, known_device=True), Verdict.FREE),
        (signals(1, 60, 1, known_device=True), Verdict.CAPTCHA),
        (signals(4, 20, 1, listing=Listing.ALLOW), Verdict.CAPTCHA),
        (signals(4, 1, 1, listing=Listing.ALLOW), Verdict.FREE),
        (signals(1, 60, 1, strangers=10, listing=Listing.ALLOW), Verdict.CAPTCHA),
        (signals(1, 60, 1, listing=Listing.ALLOW), Verdict.FREE),
    ],
)
def test_signals_add_up(seen: Signals, verdict: Verdict) -> None:
    assert judge(seen) is verdict


@pytest.mark.attack("OT-19")
@pytest.mark.parametrize(
    ("who", "share", "verdict"),
    [
        ({}, 1, Verdict.SUSPENDED),
        ({"known_network": True}, 20, Verdict.CAPTCHA),
        ({"known_network": True}, 21, Verdict.SUSPENDED),
        ({"vouched": True}, 20, Verdict.CAPTCHA),
        ({"vouched": True}, 21, Verdict.SUSPENDED),
        # A known device is counted apart from strangers, so its own hundred holds for it.
        ({"known_network": True, "known_device": True}, 1, Verdict.SUSPENDED),
        ({"vouched": True, "known_device": True}, 1, Verdict.SUSPENDED),
    ],
)
def test_what_strangers_fill_does_not_hold_where_the_account_is_known(
    who: dict[str, bool], share: int, verdict: Verdict
) -> None:
    seen = signals(1, 1, 101, **who)
    assert judge(replace(seen, tries=replace(seen.tries, share=Count(share, NOW, 1)))) is verdict


@pytest.mark.attack("OT-19")
def test_one_networks_share_ends_before_the_count_of_all_is_full() -> None:
    tries = PasswordTries(Count(1, NOW, 1), Count(1, NOW, 1), Count(40, NOW, 1), Count(21, NOW, 1))
    assert judge(Signals(tries)) is Verdict.SUSPENDED
    assert judge(Signals(replace(tries, share=Count(20, NOW, 1)))) is Verdict.CAPTCHA


def test_an_app_that_never_asks_still_pauses_and_suspends() -> None:
    assert judge(signals(10, 60, 100, strangers=99), CaptchaRule.NEVER) is Verdict.FREE
    assert judge(signals(11, 11, 11), CaptchaRule.NEVER) is Verdict.PAUSED
    assert judge(signals(1, 1, 101), CaptchaRule.NEVER) is Verdict.SUSPENDED


def test_an_app_that_always_asks_asks_whomever_it_does_not_shut_out() -> None:
    vouched = signals(listing=Listing.ALLOW, known_network=True, known_device=True)
    assert judge(vouched, CaptchaRule.ALWAYS) is Verdict.CAPTCHA
    assert judge(signals(11, 11, 11), CaptchaRule.ALWAYS) is Verdict.PAUSED


counts = st.integers(1, 200)
seen_signals = st.builds(
    lambda tries, strangers, listing, known_network, known_device, vouched, idle: replace(
        STRANGE, tries=PasswordTries(*(Count(n, NOW, 1) for n in tries)), strangers=strangers, listing=listing,
        known_network=known_network, known_device=known_device, vouched=vouched, idle=idle,
    ),
    st.tuples(counts, counts, counts) | st.tuples(counts, counts, counts, counts), st.integers(0, 200),
    st.sampled_from(list(Listing)), st.booleans(), st.booleans(), st.booleans(),
    st.sampled_from([0, 1, 179 * DAY, 180 * DAY, 999 * DAY]),
)  # fmt: skip


@given(seen_signals)
def test_before_the_password_was_right_an_accounts_past_says_nothing(seen: Signals) -> None:
    """Else a captcha would tell accounts that exist from those that do not. (docs/security/attacks.md EN-6.)"""
    nobody = replace(seen, known_network=seen.known_network and seen.tries.account.tries > LIMITS.suspend_after, idle=0)
    assert assess(seen, CaptchaRule.RISK, LIMITS) == assess(nobody, CaptchaRule.RISK, LIMITS)


@given(seen_signals, st.sampled_from(list(CaptchaRule)))
def test_a_right_password_never_loosens_what_was_asked_before(seen: Signals, rule: CaptchaRule) -> None:
    order = [Verdict.FREE, Verdict.CAPTCHA, Verdict.PAUSED, Verdict.SUSPENDED]
    assert order.index(judge(seen, rule, proved=True)) >= order.index(judge(seen, rule))


def _more(tries: PasswordTries, more: int) -> PasswordTries:
    each = (tries.near, tries.network, tries.account, tries.share)
    return PasswordTries(*(count and replace(count, tries=count.tries + more) for count in each))  # type: ignore[arg-type]


@given(seen_signals, st.integers(0, 50))
def test_more_failures_never_loosen_it(seen: Signals, more: int) -> None:
    order = [Verdict.FREE, Verdict.CAPTCHA, Verdict.PAUSED, Verdict.SUSPENDED]
    tries = seen.tries
    worse = replace(
        seen,
        strangers=seen.strangers + more,
        tries=_more(tries, more),
    )
    assert order.index(judge(worse)) >= order.index(judge(seen))
    assert assess(worse, CaptchaRule.RISK, LIMITS).difficulty >= assess(seen, CaptchaRule.RISK, LIMITS).difficulty


@given(seen_signals)
def test_how_hard_a_captcha_is_depends_on_the_network_alone(seen: Signals) -> None:
    """A client that asks for a test before it names an account must get one that fits."""
    other = replace(seen, known_network=True, known_device=True, idle=0)
    other = replace(other, tries=replace(seen.tries, near=Count(1, NOW, 1), account=Count(1, NOW, 1)))
    for rule in CaptchaRule:
        difficulty = assess(seen, rule, LIMITS).difficulty
        assert 1 <= difficulty <= HARDEST
        assert assess(other, rule, LIMITS).difficulty == difficulty


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (signals(), set()),
        (signals(4), {"failures_here"}),
        (signals(1, 20), {"failures_on_network"}),
        (signals(1, 60), {"failures_on_network", "flood_on_network"}),
        (signals(strangers=10), {"many_accounts"}),
        (signals(account=21), {"failures_elsewhere"}),
        (signals(listing=Listing.DATACENTRE), {"datacentre"}),
        (signals(known_device=True), {"known_device"}),
        (signals(listing=Listing.ALLOW), {"allowed_network"}),
        (signals(11), {"paused", "failures_here"}),
        (signals(account=101), {"suspended", "failures_elsewhere"}),
    ],
)
def test_each_rule_holds_where_it_says(seen: Signals, words: set[str]) -> None:
    assessment = assess(seen, CaptchaRule.RISK, LIMITS)
    assert {rule.word for rule in assessment.rules} == words
    assert assessment.points == sum(rule.points for rule in assessment.rules)


def proved(**more: object) -> Assessment:
    return assess(signals(**more), CaptchaRule.RISK, LIMITS, proved=True)  # type: ignore[arg-type]


def test_an_accounts_own_past_counts_once_the_password_was_right() -> None:
    assert {rule.word for rule in proved().rules} == {"new_network", "no_known_device"}
    assert proved().verdict is Verdict.FREE
    asleep = proved(idle=180 * DAY)
    assert {rule.word for rule in asleep.rules} == {"new_network", "no_known_device", "dormant"}
    assert asleep.verdict is Verdict.CAPTCHA
    assert proved(idle=180 * DAY - 1).verdict is Verdict.FREE
    assert proved(idle=180 * DAY, known_device=True).verdict is Verdict.FREE
    assert proved(idle=180 * DAY, listing=Listing.ALLOW).verdict is Verdict.FREE


def test_words_are_the_rules_own_and_reasons_are_told() -> None:
    assert len({rule.word for rule in RULES}) == len(RULES)
    assert all(rule.why for rule in RULES)
