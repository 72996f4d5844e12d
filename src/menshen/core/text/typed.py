"""Fold what people type or paste, so that spellings of one text meet. Only this module knows invisible characters.

Identifiers, codes and captcha answers are compared in the form of `folded`. Names that people see are kept in the form
of `shown`. Passwords and tokens are compared as they came. (docs/contracts/core.md section 1.3, decision 0058.)
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

_JOINERS: Final = "\u200c\u200d"
# Default_Ignorable_Code_Point of Unicode (DerivedCoreProperties.txt), the interlinear marks U+FFF9 to U+FFFB, and the
# blank of Braille.
# The ranges are written out: two nodes with two versions of Python must agree.
_INVISIBLE: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_ANY: Final = re.compile(f"[{_INVISIBLE}]")
_ANY_BUT_JOINERS: Final = re.compile(f"(?![{_JOINERS}])[{_INVISIBLE}]")

_EMOJI: Final = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_DRAWN: Final = rf"{_EMOJI}[\U0001f3fb-\U0001f3ff]?[\ufe0e\ufe0f]?"
# Signs that end the vowel of an Indic consonant: a joiner behind one chooses the form of the letter.
_VIRAMA: Final = (
    r"\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0f84\u1039\u103a\u17d2\u1a60\u1b44"
    r"\u1baa\u1bab\ua806\ua8c4\ua953\ua9c0\uaaf6\uabed"
)
# Letters of scripts that are written joined, and the marks on them: Arabic, Syriac, N'Ko.
_JOINING: Final = (
    r"[\u0620-\u065f\u066e-\u06d3\u06d5-\u06dc\u06fa-\u06fc\u06ff\u0710-\u074a\u0750-\u077f\u07ca-\u07fa\u08a0-\u08ff]"
)
_SHOWN: Final = (
    r"(?P<kept>"
    # The flags of England, Scotland and Wales; keycaps; emoji, also several that are joined into one picture.
    r"\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
    r"|[0-9#*]\ufe0f\u20e3"
    rf"|{_DRAWN}(?:\u200d{_DRAWN})*"
    # Forms of Mongolian letters, and of ideographs in names of people and places.
    r"|[\u1820-\u18aa][\u180b-\u180d\u180f]|[\u1820-\u18aa]\u180e(?=[\u1820-\u18aa])"
    r"|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\U000e0100-\U000e01ef]"
    rf"|(?<=[{_VIRAMA}])[{_JOINERS}]|(?<={_JOINING})[{_JOINERS}](?={_JOINING})"
    rf")|[{_INVISIBLE}]"
)
# Between the digits of a code: blanks and dashes, as messages and people group them.
_GROUPING: Final = re.compile(r"(?<=[0-9])[\s\-\u2010-\u2015\u2212\u00b7]+(?=[0-9])")
_BLANKS: Final = re.compile(r"\s+")


def folded(typed: str) -> str:
    """Return the text in NFKC, without invisible characters and surrounding blanks. Upper and lower case stay.

    Full-width forms become ASCII by NFKC. Digits of scripts that have their own stay what they are: they are no ASCII.
    """
    if typed.isascii():
        return typed.strip()
    return unicodedata.normalize("NFKC", _ANY.sub("", typed)).strip()


def folded_but_joiners(typed: str) -> str:
    """Return the text as `folded` does, but keep U+200C and U+200D: two domains can differ by one of them."""
    if typed.isascii():
        return typed.strip()
    return unicodedata.normalize("NFKC", _ANY_BUT_JOINERS.sub("", typed)).strip()


def has_invisible(text: str) -> bool:
    """Return whether the text holds a character that `folded` leaves out."""
    return _ANY.search(text) is not None


def shown(text: str) -> str:
    """Return the text without invisible characters, but keep those that choose how the letters beside them look.

    Those are parts of emoji and flags, forms of Mongolian letters and of ideographs, and joiners behind a virama or
    between letters of a joined script. Nothing else changes, blanks neither.
    """
    return text if text.isascii() or not has_invisible(text) else _shown_pattern().sub(_kept, text)


@cache
def _shown_pattern() -> re.Pattern[str]:
    """Compile at the first use: few texts need it, and it takes longer than all other patterns here."""
    return re.compile(_SHOWN)


def _kept(found: re.Match[str]) -> str:
    return found["kept"] or ""


def typed_code(typed: str) -> str:
    """Return a one-time code as it is compared: folded, without blanks and dashes between its digits."""
    return _GROUPING.sub("", folded(typed))


def typed_answer(typed: str) -> str:
    """Return what a person read in an image as it is compared: folded, case-folded, without any blanks."""
    # Once more: without a blank between them, a letter and the mark behind it become one.
    return folded(_BLANKS.sub("", folded(typed).casefold()))
