"""Codes, accounts, limits, messages: what the records decide, and that none of them shows a secret."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import menshen.core
from menshen.core.account.accounts import Account, Gender, Status, time_ordered_name
from menshen.core.apps import App
from menshen.core.codes.one_time_codes import CodeChallenge, CodeKey, Purpose, Taken, judge_code, looks_like_code
from menshen.core.gates.captcha import Solved
from menshen.core.gates.limits import Count, Limits, Quota, Tally, kept_claims, send_claims
from menshen.core.identifiers import Identifier, Kind
from menshen.core.networks import Scale
from menshen.core.policy import Policy, TestNumber
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE, NEVER, Instant

NOW = Instant(1_795_219_200_000)


# --- one-time codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["000000", "123456", "999999"])
def test_six_ascii_digits_look_like_a_code(text: str) -> None:
    assert looks_like_code(text)


@pytest.mark.parametrize(
    "text",
    ["", "12345", "1234567", "１２３４５６", "12345\n", "123456\n", " 123456", "123456 ", "12 456", "+12345", "-12345",
     "1_2345", "12345६", "²23456", "12345a", "0x1234", "123.45", "1e1000", "\ud80012345"],
)  # fmt: skip
def test_nothing_else_does(text: str) -> None:
    assert not looks_like_code(text)


def test_wrong_spent_expired_and_missing_look_alike() -> None:
    assert judge_code(Taken.MATCHED) is None
    assert judge_code(Taken.WRONG) == judge_code(Taken.DEAD) == Denied(ProblemCode.WRONG_CODE)


def test_only_careyshops_codes_come_without_a_captcha() -> None:
    assert [purpose for purpose in Purpose if not purpose.needs_captcha] == [Purpose.VERIFY, Purpose.STEP]


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_genders_are_the_numbers_of_both_dialects() -> None:
    assert [(gender.name, gender.value) for gender in Gender] == [("UNKNOWN", 0), ("MALE", 1), ("FEMALE", 2)]


def test_what_is_not_said_of_an_app_or_a_challenge_limits_nothing() -> None:
    app = App(1, "a", "11111111", "s" * 32)
    assert (app.password_min, app.sms_per_day, app.disabled, app.hardened) == (0, 0, False, False)
    assert Solved("nonce", 1, "127.0.0.0/24", NOW).difficulty == 1
    assert NEVER == 0


def test_the_seeds_username_tells_when_it_was_made() -> None:
    """The first seed: username 1313354987295739904, create_at 1601963204584."""
    made_at = (1313354987295739904 >> 22) + 1_288_834_974_657
    assert abs(made_at - 1_601_963_204_584) < 1000
    random_bits = 1313354987295739904 & 0x3FFFFF
    assert time_ordered_name(Instant(made_at), random_bits) == "1313354987295739904"


def test_names_sort_by_time_and_hold_22_bits_of_luck() -> None:
    names = [time_ordered_name(Instant(NOW + ms), random_bits) for ms in range(3) for random_bits in (0, 1, 0x3FFFFF)]
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {19}
    assert time_ordered_name(NOW, 0x400000) == time_ordered_name(NOW, 0)


def test_a_new_account_has_proved_nothing() -> None:
    account = Account(1, "x")
    assert (account.phone_verified, account.email_verified, account.profile.real_name_verified) == (False, False, False)


def test_an_account_owns_what_it_proved() -> None:
    phone, mail = Identifier(Kind.PHONE, "+8613544285662"), Identifier(Kind.EMAIL, "k@b.example")
    claims = Account(1, "x", username="kevin", phone=phone.canonical, email=mail.canonical)
    assert claims.owns(Identifier(Kind.USERNAME, "kevin"))
    assert not claims.owns(Identifier(Kind.USERNAME, "other"))
    assert not claims.owns(phone)
    assert not claims.owns(mail)
    proved = dataclasses.replace(claims, phone_verified=True, email_verified=True)
    assert proved.owns(phone)
    assert proved.owns(mail)
    assert not proved.owns(Identifier(Kind.PHONE, "+8613800138000"))
    assert not proved.owns(Identifier(Kind.EMAIL, "other@b.example"))


@pytest.mark.parametrize(
    ("status", "active"), [(Status.ACTIVE, True), (Status.DISABLED, False), (Status.CLOSED, False)]
)
def test_only_the_active_may_log_in(status: Status, active: bool) -> None:
    assert Account(1, "x", status=status).active is active


# --- limits and policy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subscriber", "networks", "solved", "charged"),
    [
        ("w", "wvu", True, [("w", 10), ("v", 20), ("u", 60)]),
        ("w", "wvu", False, [("w", 10), ("v", 20), ("u", 10)]),
        ("a", "u", True, [("a", 10), ("u", 60)]),
        ("a", "u", False, [("a", 10), ("u", 10)]),
        # An address that nobody knows is one line.
        ("u", "u", True, [("u", 10)]),
    ],
)
def test_a_sent_code_is_charged_to_number_line_and_network(
    subscriber: str, networks: str, solved: bool, charged: list[tuple[str, int]]
) -> None:
    scales = [Scale(name, 2**n) for n, name in enumerate(networks)]
    assert send_claims(Limits(), "n", subscriber, scales, solved=solved) == [
        (Quota.SEND_NUMBER_MINUTE, ("n",), 1, MINUTE),
        (Quota.SEND_NUMBER_HOUR, ("n",), 5, HOUR),
        (Quota.SEND_NUMBER_DAY, ("n",), 10, DAY),
        (Quota.SEND_SHARE_HOUR, ("n", "u"), 3, HOUR),
        (Quota.SEND_SHARE_DAY, ("n", "u"), 4, DAY),
        *((Quota.SEND_NETWORK_HOUR, (name,), most, HOUR) for name, most in charged),
    ]


def test_known_callers_have_quotas_of_their_own() -> None:
    assert kept_claims(Limits(), "n", "device") == [
        (Quota.SEND_NUMBER_MINUTE, ("n",), 1, MINUTE),
        (Quota.SEND_KEPT_HOUR, ("n", "device"), 2, HOUR),
        (Quota.SEND_KEPT_DAY, ("n", "device"), 4, DAY),
    ]


def test_names_of_counters_are_each_others_strangers() -> None:
    names = [*Tally, *Quota]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("at", "wait"), [(0, 900), (1, 900), (999, 900), (1000, 899), (899_999, 1), (900_000, 1)])
def test_a_count_tells_when_it_starts_anew(at: int, wait: int) -> None:
    assert Count(1, NOW, 15 * MINUTE).retry_after(Instant(NOW + at)) == wait


def test_a_reviewers_number_lasts_until_its_day() -> None:
    entry = TestNumber("+8613800138000", "123456", Instant(NOW + 1))
    policy = Policy(test_numbers=(entry,))
    assert policy.test_number("+8613800138000", NOW) is entry
    assert policy.test_number("+8613800138000", Instant(NOW + 1)) is None
    assert policy.test_number("+8613800138001", NOW) is None


def test_a_countrys_budget_is_its_own_or_the_general_one() -> None:
    policy = Policy(sms_country_budgets=(("+852", 7),))
    assert policy.country_budget("+852") == 7
    assert policy.country_budget("+86") == Limits().send_budget_per_country


def test_a_problem_is_the_denial_it_carries() -> None:
    problem = Problem(ProblemCode.OVERLOADED, "for the log", 3)
    assert problem.denied == Denied(ProblemCode.OVERLOADED, 3)
    assert str(problem) == "for the log"
    assert str(Problem(ProblemCode.UNAVAILABLE)) == "unavailable"


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRET = "CANARY-4f9a"
SECRET_FIELDS = {
    "password", "old_password", "password_hash", "code", "proof_code", "token", "refresh", "csrf", "secret", "answer",
    "payload", "png", "code_mac", "captcha",
}  # fmt: skip
# A key has a repr of its own (test_tokens.py).
NO_SECRET = {("Key", "secret")}


def records() -> list[type]:
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(menshen.core.__path__, "menshen.core.")]
    made = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    ours = {one for one in made if dataclasses.is_dataclass(one) and one.__module__.startswith("menshen.core")}
    return sorted(ours, key=lambda one: one.__qualname__)


def test_all_records_are_found() -> None:
    sources = [path.read_text("utf-8") for path in Path(menshen.core.__file__).parent.rglob("*.py")]
    assert len(records()) == sum(len(re.findall(r"^@dataclass\b", source, re.MULTILINE)) for source in sources)


@pytest.mark.parametrize("record", records())
def test_no_record_shows_a_secret(record: type) -> None:
    """A repr may end up in a log, whoever writes it there."""
    assert dataclasses.is_dataclass(record)
    # Numbers are none, and what holds other records shows them by their own repr.
    texts = [f for f in dataclasses.fields(record) if str(f.type).removesuffix(" | None") in {"str", "bytes"}]
    assert not {f.name for f in texts if f.repr and (record.__name__, f.name) not in NO_SECRET} & SECRET_FIELDS


def test_a_stored_code_shows_neither_digest() -> None:
    made: Any = CodeChallenge(CodeKey(1, Purpose.LOGIN, "x"), SECRET.encode(), SECRET.encode(), NOW, NOW)
    assert SECRET not in repr(made)
