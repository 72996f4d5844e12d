"""What may be shown as it is: people's names for things in any script, and nothing that moves or turns a line."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from menshen.core.plain_text import PLAIN_LINE, PLAIN_LINES, is_plain, plain

# Unicode's property Bidi_Control (PropList.txt), which the standard library does not know.
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in {"Cc", "Zl", "Zp"}]
UNFIT = [*CONTROLS, *TURNING]
BREAKS = "\t\n\r"


@pytest.mark.parametrize("text", ["", "P40", "阿肯的手机", "Zoë's “phone”", "هاتف علي", "👨‍👩‍👧 📱", "a b　c"])
def test_names_are_plain(text: str) -> None:
    assert is_plain(text)
    assert plain(text) == text
    assert re.search(PLAIN_LINE, text)
    assert re.search(PLAIN_LINES, text)


@pytest.mark.parametrize("text", UNFIT, ids=ascii)
def test_what_moves_or_turns_a_line_is_not(text: str) -> None:
    for whole in (text, f"a{text}", f"{text}a", f"a{text}b"):
        assert not is_plain(whole)
        assert plain(whole) == whole.replace(text, "\ufffd")
        assert not re.search(PLAIN_LINE.replace("$", r"\Z"), whole)
        assert bool(re.search(PLAIN_LINES.replace("$", r"\Z"), whole)) == (text in BREAKS)


def test_nothing_else_is_refused() -> None:
    """Other invisible characters stay: scripts and emoji need them (U+200C and U+200D), and they turn nothing."""
    refused = {c for c in map(chr, range(sys.maxunicode + 1)) if not is_plain(c)}
    assert refused == {*UNFIT, *map(chr, range(0xD800, 0xE000))}
    assert len(UNFIT) == 65 + 2 + len(TURNING)
    assert all(is_plain(c) and re.search(PLAIN_LINES, c) for c in "\u00ad\u200b\u200c\u200d\u2060\ufeff\U000e0041")


def test_halves_of_characters_are_not_either() -> None:
    assert not is_plain("a\ud83d")
    assert plain("a\ud83d").encode() == "a\ufffd".encode()
