"""How many parts a text is, at each edge of both alphabets."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.delivery.parts import size_of

PLAIN = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà"
ESCAPED = "\f^{}\\[~]|€"
OTHERS = "中【】ç`—’\t\u00a0α"
EMOJI = "😀"


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "parts"),
    [
        ("", "GSM", 0, 1),
        ("a" * 160, "GSM", 160, 1),
        ("a" * 161, "GSM", 161, 2),
        ("a" * 306, "GSM", 306, 2),
        ("a" * 307, "GSM", 307, 3),
        ("a" * 158 + "€", "GSM", 160, 1),
        ("a" * 159 + "€", "GSM", 161, 2),
        # An escape stays beside its character: it would be the 153rd.
        ("a" * 152 + "€" + "a" * 152, "GSM", 306, 3),
        ("中" * 70, "UCS-2", 70, 1),
        ("中" * 71, "UCS-2", 71, 2),
        ("中" * 134, "UCS-2", 134, 2),
        ("中" * 135, "UCS-2", 135, 3),
        ("a" * 69 + "中", "UCS-2", 70, 1),
        ("a" * 70 + "中", "UCS-2", 71, 2),
        (EMOJI * 35, "UCS-2", 70, 1),
        (EMOJI * 36, "UCS-2", 72, 2),
        # Neither half of a pair is in another part: each holds 33 of them.
        (EMOJI * 66, "UCS-2", 132, 2),
        (EMOJI * 67, "UCS-2", 134, 3),
        ("【神】482913 is your code.", "UCS-2", 23, 1),
    ],
)
def test_edges(text: str, alphabet: str, units: int, parts: int) -> None:
    size = size_of(text)
    assert (size.alphabet, size.units, size.parts) == (alphabet, units, parts)
    assert size.one_part == (160 if alphabet == "GSM" else 70)


@pytest.mark.parametrize("letter", [*PLAIN, *ESCAPED, *OTHERS])
def test_each_letter_has_its_alphabet_and_its_width(letter: str) -> None:
    size = size_of(letter)
    assert size.alphabet == ("UCS-2" if letter in OTHERS else "GSM")
    assert size.units == (2 if letter in ESCAPED else 1)


@given(st.text(alphabet=st.one_of(st.sampled_from(PLAIN + ESCAPED + OTHERS + EMOJI), st.characters()), max_size=700))
def test_any_text_has_a_size(text: str) -> None:
    size = size_of(text)
    joined = 153 if size.alphabet == "GSM" else 67
    assert (size.parts == 1) == (size.units <= size.one_part)
    if size.parts > 1:
        # At most one unit is lost at the end of each part.
        assert ceil(size.units / joined) <= size.parts <= ceil(size.units / (joined - 1))
    if size.alphabet == "UCS-2":
        assert size.units == len(text.encode("utf-16-le", "surrogatepass")) // 2
