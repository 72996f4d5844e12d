"""What people type or paste: one folding for what is compared, and names without anything that nobody sees."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from menshen.core.codes.one_time_codes import looks_like_code
from menshen.core.gates.captcha import IMAGE_ALPHABET
from menshen.core.text.typed import folded, folded_but_joiners, has_invisible, shown, typed_answer, typed_code
from tests.cost import TimeBudget, budgeted

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt 15.0), and four marks that are drawn as nothing.
INVISIBLE = frozenset(
    chr(point)
    for low, high in (
        (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164),
        (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
        (0xFFF9, 0xFFFB),
    )
    for point in range(low, high + 1)
)  # fmt: skip
EVERY = [chr(point) for point in range(sys.maxunicode + 1)]
JOINERS = "\u200c\u200d"
odd = st.sampled_from(sorted(INVISIBLE))
mixed = st.lists(
    st.text(max_size=3) | odd | st.sampled_from("👩👧🏽❤\ufe0f🏴\U000e0067\U000e007f1#\u20e3ᠮक्\u200dن小葛\U000e0100 "),
    max_size=12,
).map("".join)


@pytest.mark.attack("IN-12")
def test_every_character_alone() -> None:
    """Folding leaves nothing invisible, is done after once, and takes away what is invisible and nothing else."""
    for one in EVERY:
        made = folded(one)
        assert not INVISIBLE & set(made), ascii(one)
        assert folded(made) == made, ascii(one)
        assert has_invisible(one) == (one in INVISIBLE)
        if one in INVISIBLE:
            assert folded(f"4{one}2") == "42"
            assert folded_but_joiners(one) == (one if one in JOINERS else "")


@pytest.mark.attack("IN-12")
def test_no_script_has_digits_of_its_own_here_but_the_wide_and_the_drawn_ones() -> None:
    """Digits that NFKC makes ASCII of are digits. Those of other scripts stay what they are, and are in no code."""
    decimal = [one for one in EVERY if unicodedata.category(one) == "Nd"]
    read = {one for one in decimal if looks_like_code(typed_code("48291" + one))}
    assert read == {one for one in decimal if unicodedata.normalize("NFKC", one).isascii()}
    assert "3" in read
    assert "３" in read
    assert not read & set("٣۳३৪๓")
    for one in read - set("0123456789"):
        assert typed_code("48291" + one) == f"48291{unicodedata.decimal(one)}"


@pytest.mark.attack("IN-12")
@given(mixed | st.text())
@example(" \u00b4")
@example("\u200b \u200b")
@example("a \u0301")
def test_folding_once_is_enough_and_leaves_nothing_unseen(typed: str) -> None:
    for fold in (folded, typed_code, typed_answer):
        made = fold(typed)
        assert fold(made) == made
        assert not INVISIBLE & set(made)
        assert made == made.strip()
    assert folded_but_joiners(folded_but_joiners(typed)) == folded_but_joiners(typed)


@pytest.mark.attack("IN-12")
@given(st.text(max_size=8), odd, st.text(max_size=8))
def test_what_nobody_sees_changes_nothing(before: str, unseen: str, after: str) -> None:
    assert folded(before + unseen + after) == folded(before + after)
    assert folded(f"{unseen}{before}{after}{unseen}") == folded(before + after)


@pytest.mark.parametrize(
    "typed",
    ["482913", "482 913", "482913\n", "４８２９１３", " 482913\t", "482-913", "48 29 13", "4 8 2 9 1 3",
     "482\u00a0913",
     "\u202d482913\u202c", "\u2068482\u2069913", "482\u200b913", "\ufeff482913", "482\u3000913", "４８２－９１３",
     "482–913", "482 - 913", "482\u2212913", "48\u28002913", "\u200e４８２\u2009９１３\r\n", "𝟒𝟖𝟐𝟗𝟏𝟑"],
)  # fmt: skip
def test_every_spelling_of_a_code_is_the_code(typed: str) -> None:
    assert typed_code(typed) == "482913"
    assert looks_like_code(typed_code(typed))


@pytest.mark.parametrize(
    "typed",
    ["", "48291", "0482913", "4829130", "482_913", "+482913", "-482913", "482913-", "482,913", "482.913", "٤٨٢٩١٣",
     "48291३", "48291²3", "482\0913", "482913x", "\ud800", "G-482913", "4829l3"],
)  # fmt: skip
def test_what_is_another_text_is_not(typed: str) -> None:
    assert typed_code(typed) != "482913"


@pytest.mark.parametrize(
    ("typed", "read"),
    [("AbC2", "abc2"), (" abc2\n", "abc2"), ("ａbc２", "abc2"), ("a b c 2", "abc2"), ("ab\u200bc2", "abc2"), ("", ""),
     ("\u202dABC2\u202c", "abc2"), ("аbc2", "аbc2")],
)  # fmt: skip
def test_an_images_answer_is_read_without_case_width_and_blanks(typed: str, read: str) -> None:
    assert typed_answer(typed) == read


def test_no_two_characters_of_an_image_fold_together() -> None:
    assert len({typed_answer(one) for one in IMAGE_ALPHABET}) == len(IMAGE_ALPHABET)


NAMES = [
    "", "小明", "P40", "Zoë", "a  b　c", "👨‍👩‍👧", "👩🏽‍🚀", "❤️", "1️⃣", "#️⃣", "🏳️‍🌈", "🏴‍☠️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "🧑‍❤️‍💋‍🧑", "👁️‍🗨️", "⛹🏿‍♂️",
    "🇨🇳", "☝🏽", "✌︎", "نامه‌ای", "می‌خواهم", "क्‍ष", "क्‌ष", "ශ්‍රී", "ᠮᠣᠩᠭᠣᠯ᠋", "葛󠄀飾", "هاتف علي",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_stay_as_their_owners_write_them(name: str) -> None:
    assert shown(name) == name


@pytest.mark.attack("IN-12")
@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("小\u200b明", "小明"), ("小\u200d明", "小明"), ("al\u200cice", "alice"), ("\ufeffKen\u00ad", "Ken"),
        ("\u2800", ""),
        ("Ken\u200d", "Ken"), ("\u3164", ""), ("\u115f\u1160\uffa0", ""), ("a\ufe0fb", "ab"), ("12\ufe0f", "12"),
        ("小\ufe00明", "小明"), ("\U000e0041\U000e0042x", "x"), ("🏴\U000e0068\U000e0069", "🏴"), ("👩\u200d", "👩"),
        ("👩\u200d\u200d👧", "👩👧"), ("👩\u200b\u200d👧", "👩👧"), ("👩\u200dx", "👩x"), ("نا\u200c", "نا"),
        ("🏴" + "\U000e0061" * 9, "🏴"),
        ("\u202eabc\u202c", "abc"), ("a\u2066b\u2069", "ab"), ("a\u180eb", "ab"), ("\U0001d173x", "x"),
        ("\ufff9x\ufffb", "x"),
    ],
    ids=ascii,
)  # fmt: skip
def test_nothing_else_that_is_unseen_stays_in_a_name(name: str, left: str) -> None:
    assert shown(name) == left


@pytest.mark.attack("IN-12")
@given(mixed | st.text())
def test_a_name_is_cleaned_once_and_loses_nothing_that_is_seen(name: str) -> None:
    made = shown(name)
    assert shown(made) == made
    assert [c for c in made if c not in INVISIBLE] == [c for c in name if c not in INVISIBLE]


@pytest.mark.attack("IN-12")
@given(st.text(st.characters(max_codepoint=0x24F) | st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)), odd)
def test_between_letters_of_latin_or_han_nothing_unseen_makes_another_name(name: str, unseen: str) -> None:
    visible = "".join(c for c in name if c not in INVISIBLE and c not in "©®0123456789#*")
    for place in range(len(visible) + 1):
        made = shown(visible[:place] + unseen + visible[place:])
        # A variant of an ideograph is another picture of it, and stays.
        assert made == visible or "\U000e0100" <= unseen <= "\U000e01ef"


@pytest.mark.parametrize("fold", [folded, folded_but_joiners, shown, typed_code, typed_answer])
@pytest.mark.parametrize(
    "text",
    ["\u200b" * 16_000, "👩\u200d" * 8_000, "1 " * 8_000, "क्\u200d" * 5_000, "🏴" + "\U000e0061" * 16_000,
     "ن\u200c" * 8_000, "1" + " " * 16_000],
    ids=range(7),
)  # fmt: skip
@budgeted
def test_no_text_takes_long(fold: object, text: str, budget: TimeBudget) -> None:
    assert callable(fold)
    budget.hold(lambda: fold(text), 0.05)
