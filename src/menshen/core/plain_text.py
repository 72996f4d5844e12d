"""Judge short texts of clients that other people will read, in lists and at terminals.

A plain text shows what it says: no control characters, no line separators, and none of Unicode's bidirectional
controls, which turn the direction of the text around them.
"""

from __future__ import annotations

import re
from typing import Final

_BREAKS: Final = r"\t\n\r"
_OTHERS: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
PLAIN_LINE: Final = rf"^[^{_BREAKS}{_OTHERS}]*$"
"""The rule as a pattern, for descriptions of an interface."""

PLAIN_LINES: Final = rf"^[^{_OTHERS}]*$"
"""The same for a text of several lines: tabs, line feeds and carriage returns may stand in it."""

# Halves of characters, which no encoding can carry, cannot stand in such a pattern: others count in halves.
_UNFIT: Final = re.compile(rf"[{_BREAKS}{_OTHERS}\ud800-\udfff]")


def is_plain(text: str) -> bool:
    """Return whether all of the text may be shown as it is, in one line."""
    return _UNFIT.search(text) is None


def plain(text: str) -> str:
    """Return the text with U+FFFD in the place of each character that may not be shown."""
    return _UNFIT.sub("\ufffd", text)
