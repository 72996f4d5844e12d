"""What may be shown as it is: people's names for things in any script, and nothing that moves or turns a line."""

from __future__ import annotations

import re

import pytest

from menshen.core.plain_text import PLAIN_LINE, is_plain, plain

UNFIT = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
]


@pytest.mark.parametrize("text", ["", "P40", "阿肯的手机", "Zoë's “phone”", "هاتف علي", "👨‍👩‍👧 📱", "a b　c"])
def test_names_are_plain(text: str) -> None:
    assert is_plain(text)
    assert plain(text) == text
    assert re.search(PLAIN_LINE, text)


@pytest.mark.parametrize("text", UNFIT, ids=ascii)
def test_what_moves_or_turns_a_line_is_not(text: str) -> None:
    for whole in (text, f"a{text}", f"{text}a", f"a{text}b"):
        assert not is_plain(whole)
        assert plain(whole) == whole.replace(text, "\ufffd")
        assert not re.search(PLAIN_LINE.replace("$", r"\Z"), whole)


def test_halves_of_characters_are_not_either() -> None:
    assert not is_plain("a\ud83d")
    assert plain("a\ud83d").encode() == "a\ufffd".encode()
