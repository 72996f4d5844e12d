"""Every spelling of an identifier meets one form, and what only looks like one is refused."""

from __future__ import annotations

import contextlib
import re
import string
import unicodedata
from collections.abc import Callable
from functools import partial

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from menshen.core.account.accounts import time_ordered_name
from menshen.core.identifiers import (
    Identifier,
    Kind,
    can_receive_sms,
    claim_phone,
    classify,
    fold,
    masked,
    national,
    parse_email,
    parse_phone,
    parse_username,
    shown_username,
)
from menshen.core.time import Instant
from tests.core.text.test_typed import INVISIBLE
from tests.cost import TimeBudget, budgeted

CANONICAL = "+8613544285662"
FULL_WIDTH = str.maketrans("0123456789+-() ", "０１２３４５６７８９＋－（）\u3000")


@pytest.mark.attack("TY-9")
@pytest.mark.parametrize(
    "typed",
    [
        "13544285662", "+8613544285662", "008613544285662", "8613544285662", "+86 135 4428 5662", "135-4428-5662",
        "135 4428 5662", " 13544285662\n", "(+86) 135.4428.5662", "+86-13544285662",
        "１３５４４２８５６６２", "＋８６１３５４４２８５６６２", "135\u00a04428\u20095662",
        "135\u2011 4428\u20135662",
        "+86·135·4428·5662", "１３５－４４２８－５６６２",
        # As phones paste it out of contacts, and pages out of their own texts.
        "\u202d13544285662\u202c", "\u2068135 4428 5662\u2069", "\ufeff13544285662", "+8613544285662\u200b",
        "\u200e+86 135\u00ad44285662", "135\u200d4428\u200c5662\ufe0f", "\u202d" * 30 + "13544285662",
    ],
)  # fmt: skip
def test_every_spelling_of_a_phone_meets_one_form(typed: str) -> None:
    assert parse_phone(typed) == CANONICAL
    assert classify(typed) == Identifier(Kind.PHONE, CANONICAL)


@pytest.mark.attack("TY-9")
@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "+", "00", "12", "1354428566", "135442856622", "23544285662", "12544285662", "+86", "0086", "86",
        "+8613544285662x", "13544285662;ext=1", "tel:13544285662", "+86135442856621354428566213544285662", "1" * 50,
        "١٣٥٤٤٢٨٥٦٦٢", "१३५४४२८५६६२", "１３５４４２８５６６",
        "13544285662\0", "+86+13544285662", "++8613544285662", "13544285662@",
        "\ud8001354428566",        "+9991234567",
    ],
)  # fmt: skip
def test_what_is_no_phone_is_none(typed: str) -> None:
    assert parse_phone(typed) is None


@pytest.mark.attack("TY-9", "TY-11")
def test_digits_of_other_scripts_are_no_digits() -> None:
    """What NFKC makes ASCII digits of (mathematical ones, for one) are digits; Arabic and Indian ones are not."""
    for zero in ("\u0660", "\u06f0", "\u0966", "\U0001d7ce"):
        typed = "13544285662".translate({ord(str(d)): chr(ord(zero) + d) for d in range(10)})
        folded = unicodedata.normalize("NFKC", typed)
        assert parse_phone(typed) == (CANONICAL if folded.isascii() else None)


@pytest.mark.attack("TY-9")
@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("+852 9123 4567", "+85291234567"),
        ("0085291234567", "+85291234567"),
        ("+853 6612 3456", "+85366123456"),
        ("+1 650 253 0000", "+16502530000"),
        ("+44 7911 123456", "+447911123456"),
        ("17012345678", "+8617012345678"),
        ("+86 171 2345 6789", "+8617123456789"),
        ("19912345678", "+8619912345678"),
        ("010-62345678", "+861062345678"),
    ],
)
def test_numbers_of_everywhere_have_their_own_form(typed: str, canonical: str) -> None:
    assert parse_phone(typed) == canonical


mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True, alphabet=string.digits)
separators = st.sampled_from(["", " ", "-", "\u00a0", ".", " - ", "\u3000", "·"])
prefixes = st.sampled_from(["", "+86", "0086", "86", "＋86", "+ 86 ", "(+86)", "00 86 "])


@given(mobiles, prefixes, separators, st.integers(1, 10), st.booleans())
def test_spellings_of_any_mobile_meet(mobile: str, prefix: str, separator: str, cut: int, wide: bool) -> None:
    typed = prefix + mobile[:cut] + separator + mobile[cut:]
    if wide:
        typed = typed.translate(FULL_WIDTH)
    assert parse_phone(typed) == "+86" + mobile
    assert parse_phone("+86" + mobile) == "+86" + mobile


@pytest.mark.attack("TY-6", "TY-8")
@given(st.text(max_size=60))
@example("\u200e+8613544285662")
@example("1354428566２\u0301")
def test_any_text_is_one_thing_and_stays_it(typed: str) -> None:
    """Canonical forms are fixed points, ASCII, of one kind; nothing raises."""
    fold(typed)
    masked(typed)
    found = classify(typed)
    if found is None:
        return
    assert found.canonical.isascii()
    assert classify(found.canonical) == found
    parsers = {Kind.PHONE: parse_phone, Kind.EMAIL: parse_email, Kind.USERNAME: parse_username}
    assert [kind for kind, parse in parsers.items() if parse(found.canonical)] == [found.kind]
    assert parsers[found.kind](found.canonical) == found.canonical


@pytest.mark.attack("TY-6", "TY-7")
@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("kevin@163.com", "kevin@163.com"), ("Kevin@163.COM", "kevin@163.com"), (" kevin@163.com\t", "kevin@163.com"),
        ("ｋｅｖｉｎ＠１６３．ｃｏｍ", "kevin@163.com"), ("kevin\uff20163.com", "kevin@163.com"),
        ("kevin\ufe6b163.com", "kevin@163.com"), ("k.e+v_in@mail.b.example", "k.e+v_in@mail.b.example"),
        ("kevin@bücher.example", "kevin@xn--bcher-kva.example"),
        ("kevin@BÜCHER.example", "kevin@xn--bcher-kva.example"),
        ("kevin@xn--bcher-kva.example", "kevin@xn--bcher-kva.example"),
        ("kevin@例え.テスト", "kevin@xn--r8jz45g.xn--zckzah"),
        ("kevin@163。com", "kevin@163.com"), ("KEVIN\u212a@163.com", "kevink@163.com"),
        ("\u2068kevin@163.com\u2069", "kevin@163.com"), ("kev\u200bin\u00ad@16\u200d3.com\ufeff", "kevin@163.com"),
        ("kevin@\u202e163.com", "kevin@163.com"), ("ke\u200dvin@163.com\u200c", "kevin@163.com"),
        # A joiner between these letters makes another domain, which may be another person's.
        ("kevin@نامه\u200cای.example", "kevin@xn--mgba3gch31f060k.example"),
        ("kevin@نامهای.example", "kevin@xn--mgba3gch31f.example"),
        ("kevin@\u200bنامه\u200cای.example", "kevin@xn--mgba3gch31f060k.example"),
    ],
)  # fmt: skip
def test_every_spelling_of_an_address_meets_one_form(typed: str, canonical: str) -> None:
    assert parse_email(typed) == canonical
    assert classify(typed) == Identifier(Kind.EMAIL, canonical)


@pytest.mark.attack("TY-7")
@pytest.mark.parametrize(
    "typed",
    [
        "", "@", "a@", "@b.example", "a@b", "a@b.", "a@.b.example", "a@b..example", "a b@c.example", "a@b c.example",
        "a@x.example,b@y.example", "a@x.example;b@y.example", '"a"@b.example', '"e@attacker.example"@victim.example',
        "a@b@c.example", "a＠b@c.example", "a\n@b.example", "a\0@b.example", "a@b.example\0", "a \u200b@b.example",
        "<a@b.example>", "a@b.example>", "a(comment)@b.example", ".a@b.example", "a.@b.example", "a..b@c.example",
        "ä@b.example", "a@[127.0.0.1]", "a@b_c.example", "a@-b.example", "a@b.example/", "a" * 65 + "@b.example",
        "a@" + "b" * 64 + ".example", "a@" + ".".join(["b" * 60] * 5) + ".example", "a" * 400,
        "a@b.example" + " " * 320, "a@ b.example", "a@\u202e b.example", "a@xn--a.example", "\ud800@b.example",
        "a@\ud800.example",
        "ﷺ@b.example", "ß\u0131@b.example", "a@b.example\r\nBcc: x@y.example", "a\r\nX-Evil: 1@b.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(typed: str) -> None:
    assert parse_email(typed) is None


@pytest.mark.attack("TY-7")
@pytest.mark.parametrize(("letters", "good"), [(254, True), (255, False)])
def test_an_address_has_254_characters_at_most(letters: int, good: bool) -> None:
    address = "a@" + ".".join(["b" * 60] * 4) + "."
    address += "c" * (letters - len(address))
    assert (parse_email(address) is not None) is good


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [("dnyz529", "dnyz529"), ("DNYZ529", "dnyz529"), ("a_-b", "a_-b"), ("A" * 20, "a" * 20), ("1234", "1234"),
     ("1313354987295739904", "1313354987295739904")],
)  # fmt: skip
def test_usernames_compare_without_case(typed: str, canonical: str) -> None:
    assert parse_username(typed) == canonical
    assert classify(typed) == Identifier(Kind.USERNAME, canonical)
    assert classify(f" {typed}　") == Identifier(Kind.USERNAME, canonical)


@pytest.mark.attack("TY-6", "TY-8")
@pytest.mark.parametrize(
    "typed",
    ["", "abc", "a" * 21, "a b c", "abc\n", "a.bcd", "a@bcd", "äbcd", "аdmin", "abc\u200b", "１２３", "abcd\0",
     "13544285662", "008613544285662", "8613544285662", "01062345678", "\ud800abc", "+8613544285662",
     "1354428\u200b5662", "１３５４４２８５６６２", "٣٤٥٦", "ali ce", "alic\u0435", "\u200b" * 4,
     "a" * 4 + " " * 320, "a\u0301lice", "alice\u0301", "名字名字", "a/b/c", "<b>a",
     "\ufdfa" * 18, "ＡＬＩＣＥ！", "ADMİN", "alıce"],
)  # fmt: skip
def test_what_is_no_username_is_none(typed: str) -> None:
    assert parse_username(typed) is None


@pytest.mark.attack("IN-12")
@pytest.mark.parametrize(
    "typed",
    ["ｄｎｙｚ５２９", "\u202dDNYZ529\u202c", "dnyz\u200b529", "\ufeffdnyz529\n", "\u2067dnyz529",
     "dn\u00adyz\u034f529",
     "dnyz\U000e0041529", "\u3164dnyz529"],
    ids=ascii,
)  # fmt: skip
def test_a_name_is_one_whatever_stands_unseen_in_it(typed: str) -> None:
    assert classify(typed) == Identifier(Kind.USERNAME, "dnyz529")
    assert parse_username(typed) == "dnyz529"
    assert (shown_username(typed) or "").lower() == "dnyz529"


IN_DOMAINS = "ab.نامهایदक्षé\u200c\u200d\u00ad\u200b\u0301\u034f\ufe0f가ᄀ\u1161"


def before_the_folding(typed: str) -> tuple[str | None, str | None, str | None]:
    """Phone, email and username as the release before decision 0058 read them: accounts were made by these."""
    folds = unicodedata.normalize("NFKC", typed)
    visible = "".join(c for c in folds if c not in INVISIBLE) == folds
    local, at, domain = folds.strip().casefold().partition("@")
    email = None
    with contextlib.suppress(idna.IDNAError, UnicodeError):
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
        if at and re.fullmatch(r"[a-z0-9.+_-]{1,64}", local, re.ASCII) and "." in ascii_domain:
            email = f"{local}@{ascii_domain}"
    username = folds.strip().lower() if re.fullmatch(r"[A-Za-z0-9_-]{4,20}", folds.strip(), re.ASCII) else None
    phone = parse_phone(folds) if visible and len(typed) <= 40 else None
    return phone, email, username


@pytest.mark.attack("IN-12")
@given(
    st.text(max_size=30)
    | st.builds("{}@{}.example".format, st.text("abc._", max_size=6), st.text(IN_DOMAINS, max_size=12))
    | st.text("0123456789+- １２3\u3000abcＡ", max_size=24)
)
@example("kevin@नी\u200dक\u094d\u200d.example")
def test_who_could_log_in_before_still_can_and_is_nobody_else(typed: str) -> None:
    """The folding only adds spellings: none that worked leads to another account, or to none."""
    phone, email, username = before_the_folding(typed)
    if phone:
        assert parse_phone(typed) == phone
    elif email and parse_email(email) == email:
        assert parse_email(typed) == email
    elif username and parse_username(username) == username:
        assert classify(typed) == Identifier(Kind.USERNAME, username)


def test_a_username_keeps_upper_and_lower_case_as_chosen() -> None:
    assert shown_username(" \u200bＫｅｎ_88\n") == "Ken_88"


@given(st.integers(1_609_459_200_000, 3_000_000_000_000), st.integers(0, 2**24 - 1))
def test_a_drawn_name_is_always_a_username(now: int, random_bits: int) -> None:
    name = time_ordered_name(Instant(now), random_bits)
    assert classify(name) == Identifier(Kind.USERNAME, name)


@given(st.from_regex(r"[0-9]{7,15}", fullmatch=True, alphabet=string.digits))
def test_a_claim_of_any_digits_has_a_form_that_is_nobodys_by_chance(digits: str) -> None:
    claim = claim_phone(digits)
    assert claim == (parse_phone(digits) or f"+86{digits}")
    if parse_phone(digits) is None:
        assert not can_receive_sms(claim, ("+86",))
        assert classify(claim) is None or classify(claim) == Identifier(Kind.PHONE, claim)


@pytest.mark.attack("OT-11")
@pytest.mark.parametrize(
    ("number", "countries", "may"),
    [
        (CANONICAL, ("+86",), True), (CANONICAL, ("+852", "+86"), True), (CANONICAL, ("+852",), False),
        (CANONICAL, (), False), ("+861062345678", ("+86",), False), ("+861354428566", ("+86",), False),
        ("+85291234567", ("+86",), False), ("+85291234567", ("+852",), True), ("+85221234567", ("+852",), False),
        ("+16502530000", ("+1",), True), ("+999", ("+9",), False), ("+", ("+",), False),
        ("+8613544285662", ("+8",), True), ("+881612345678", ("+86",), False),
    ],
)  # fmt: skip
def test_codes_go_to_mobiles_of_allowed_countries(number: str, countries: tuple[str, ...], may: bool) -> None:
    assert can_receive_sms(number, countries) is may


@pytest.mark.parametrize(("number", "shown"), [(CANONICAL, "13544285662"), ("+85291234567", "+85291234567"), ("", "")])
def test_people_of_the_mainland_write_no_prefix(number: str, shown: str) -> None:
    assert national(number) == shown


@pytest.mark.attack("LG-8")
@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("+8613512345662", "135****5662"), ("13512345662", "135****5662"), ("kevin@163.com", "k***n@163.com"),
        ("+85291234567", "+85****4567"), ("+861234567", "1****67"), ("+8612345678", "1****78"), ("alice", "al***"),
        ("a@b.example", "a***@b.example"), ("ab@b.example", "a***@b.example"), ("abc@b.example", "a***c@b.example"),
        ("", "***"), ("a", "a***"), ("123456", "12***"),
        ("a@" + "x" * 200 + ".example", "***"), ("1313354987295739904", "131****9904"),
        # Passwords that somebody typed into the field for the name.
        ("P@ssw0rd!2026", "***"), ("@secret", "***"), ("Tr0ub4dor&3@home", "***"), ("my secret@b.example", "***"),
    ],
)  # fmt: skip
def test_masked(plain: str, shown: str) -> None:
    assert masked(plain) == shown


@given(st.from_regex(r"\+86[0-9]{7,15}|\+852[0-9]{8}", fullmatch=True, alphabet=string.digits + "+"))
def test_a_masked_number_cannot_be_read(number: str) -> None:
    shown = masked(number)
    assert sum(c.isdigit() for c in shown) <= len(national(number).removeprefix("+")) - 4


@given(st.text(max_size=2000))
def test_a_masked_text_is_short_whatever_was_typed(typed: str) -> None:
    assert len(masked(typed)) <= 110


@pytest.mark.parametrize(("one", "other"), [("ABC d", "abc d"), (" x ", "x"), ("Ｘ", "x"), ("ß!", "ss!"), ("ﷺ", "ﷺ ")])
def test_what_nobody_can_have_is_counted_alike_in_every_spelling(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_folding_is_bounded() -> None:
    assert len(fold("ﷺ" * 5000)) <= 320 * 18


@pytest.mark.parametrize("parse", [parse_phone, parse_email, parse_username, classify, fold, masked])
@pytest.mark.parametrize(
    "near_miss",
    ["1" * 50_000, "a." * 25_000 + "@", "a@" + "b." * 25_000, "+86" + "-" * 50_000 + "1", "ﷺ" * 50_000, " " * 50_000,
     "(" * 50_000, "a" * 50_000 + "@b.example", "@" * 50_000],
    ids=range(9),
)  # fmt: skip
@budgeted
def test_no_text_takes_long(parse: Callable[[str], object], near_miss: str, budget: TimeBudget) -> None:
    budget.hold(partial(parse, near_miss), 0.05)
