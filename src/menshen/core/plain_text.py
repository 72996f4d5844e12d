"""Check short texts of clients that other people will read in lists and terminals.

A plain text has no control characters and no line separators. It also has no bidirectional controls of Unicode, because
these change the direction of the text around them.
"""

from __future__ import annotations

import re
from typing import Final

_BREAKS: Final = r"\t\n\r"
_OTHERS: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
PLAIN_LINE: Final = rf"^[^{_BREAKS}{_OTHERS}]*$"
"""The rule as a pattern, for descriptions of an API."""

PLAIN_LINES: Final = rf"^[^{_OTHERS}]*$"
"""The same rule for a text of several lines: tabs, line feeds and carriage returns are allowed."""

# This pattern also refuses lone surrogates, which UTF-8 cannot encode. The patterns above leave them out: programs that
# use UTF-16 would match the surrogate pairs of valid characters.
_UNFIT: Final = re.compile(rf"[{_BREAKS}{_OTHERS}\ud800-\udfff]")
_UNFIT_IN_LINES: Final = re.compile(rf"[{_OTHERS}\ud800-\udfff]")


def is_plain(text: str) -> bool:
    """Return whether the whole text may be shown unchanged, in one line."""
    return _UNFIT.search(text) is None


def plain(text: str) -> str:
    """Return the text with U+FFFD in place of each character that is not allowed."""
    return _UNFIT.sub("\ufffd", text)


def is_plain_lines(text: str) -> bool:
    """Return whether the whole text may be shown unchanged, in several lines."""
    return _UNFIT_IN_LINES.search(text) is None


def plain_lines(text: str) -> str:
    """Return the text as `plain` does, but keep tabs, line feeds and carriage returns."""
    return _UNFIT_IN_LINES.sub("\ufffd", text)
