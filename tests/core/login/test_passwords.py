"""Which new passwords are good, and which texts can be a password at all."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.adapters.blocklist import CommonPasswords, NoBlocklist
from menshen.core.account.accounts import Account
from menshen.core.apps import App
from menshen.core.login.passwords import MAX_BYTES, hashable, normalise, weakness
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.flows.gates.password_policy import judge_new_password, words_of

COMMON = CommonPasswords()
APP = App(1, "shop", "11111111", "s", app_name="weidu")


def weak(password: str, *own: str, minimum: int = 8) -> str | None:
    return weakness(password, minimum=minimum, blocklist=COMMON, own_words=own)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "short"), ("1234567", "short"), ("密码密码密码密", "short"), ("e\u0301" * 7, "short"), ("🦊" * 7, "short"),
        ("password", "common"), ("PASSWORD", "common"), ("12345678", "common"), ("iloveyou", "common"),
        ("qwertyuiop", "common"), ("x" * 1025, "long"), ("密" * 342, "long"), ("with\0nul-inside", "long"),
        ("\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800", "long"),
        ("密码密码密码密码", None), ("e\u0301xzwvtsr", None), ("🦊" * 8, None), ("aaaaaaaaaaaaaaaaaaaaz", None),
        ("correct horse battery staple", None), ("x" * 1024, None), ("        z", None), ("no-digit-needed", None),
    ],
)  # fmt: skip
def test_length_and_the_blocklist_decide(password: str, reason: str | None) -> None:
    assert weak(password) == reason


@pytest.mark.parametrize(("length", "reason"), [(14, "short"), (15, None)])
def test_the_minimum_is_the_apps(length: int, reason: str | None) -> None:
    assert weak("zq" * 7 + "z" * (length - 14), minimum=15) == reason


@pytest.mark.parametrize(
    ("password", "own", "reason"),
    [
        ("kevin 12", "kevin", "own_words"), ("123KEVIN", "kevin", "own_words"), ("Kevin-2026", "KEVIN", "own_words"),
        ("13544285662", "13544285662", "own_words"), ("x13544285662", "13544285662", "own_words"),
        ("kevin and a long tail", "kevin", None), ("abc12zq9", "abc", None), ("kevi nzzz", "kevin", None),
        ("kevin1KEVIN1kevin1", "kevin", "own_words"), ("1354428566213544285662", "13544285662", "own_words"),
        ("kevinpassword", "kevin", "own_words"), ("123456kevin", "kevin", "own_words"), ("kevinzq9w!x", "kevin", None),
    ],
)  # fmt: skip
def test_a_password_leans_on_nobodys_name(password: str, own: str, reason: str | None) -> None:
    assert weak(password, own) == reason


@given(st.text(max_size=40))
def test_what_is_hashed_is_what_was_typed_but_for_composition(password: str) -> None:
    raw = hashable(password)
    try:
        expected: bytes | None = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        expected = None
    if not expected or b"\0" in expected:
        expected = None
    assert raw == expected
    assert hashable(unicodedata.normalize("NFD", password)) == raw


def test_nothing_else_is_folded() -> None:
    kept = ["Passw0rd!", "passw0rd!", "Passw0rd! ", " Passw0rd!", "Passw0rd!\n", "Ｐassw0rd!", "ﬁ", "fi", "ß", "ss"]
    assert len({hashable(text) for text in kept}) == len(kept)
    assert normalise("Å") == normalise("A\u030a")


@pytest.mark.attack("RS-7")
@pytest.mark.parametrize(("text", "can"), [("", False), ("a" * MAX_BYTES, True), ("a" * (MAX_BYTES + 1), False)])
def test_1024_bytes_are_the_most(text: str, can: bool) -> None:
    assert (hashable(text) is not None) is can


def test_a_new_password_is_judged_by_app_product_and_person() -> None:
    account = Account(1, "x", username="dnyz529", phone="+8613544285662", email="kevin@163.com")
    words = words_of(account)
    assert words == ("dnyz529", "13544285662", "kevin@163.com", "kevin")
    assert words_of(Account(2, "y")) == (None, None, None, None)

    def judge(password: str) -> bytes | Denied:
        return judge_new_password(password, APP, Policy(), COMMON, words, minimum=8)

    def no(reason: str) -> Denied:
        return Denied(ProblemCode.WEAK_PASSWORD, field=reason, least=8 if reason == "short" else None)

    assert judge("a good one, this") == b"a good one, this"
    for password in ("menshen1", "weidu2026", "careyshop", "dnyz529!", "kevin163", "shop1234"):
        assert judge(password) == no("own_words")
    for password in ("dnyz529dnyz529", "dnyz52913544285662", "kevinWeiduShop!", "Kevin@163.com2026"):
        assert judge(password) == no("own_words")
    assert judge("short") == no("short")
    assert judge("password") == no("common")
    assert judge("x" * 1025) == no("long")


def test_a_password_that_is_long_enough_but_none_is_refused() -> None:
    assert judge_new_password("", APP, Policy(), NoBlocklist(), (), minimum=0) == Denied(
        ProblemCode.WEAK_PASSWORD, field="long"
    )


def test_the_blocklist_can_be_turned_off() -> None:
    assert "password" in COMMON
    assert "password" not in NoBlocklist()
    assert weakness("password", minimum=8, blocklist=NoBlocklist(), own_words=()) is None
