"""Short texts of clients that others will read, in lists and at terminals: one line that shows what it says.

No control characters, no ends of lines, nothing that turns the direction of what stands around it.
"""

from __future__ import annotations

import re
from typing import Final

_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
PLAIN_LINE: Final = rf"^[^{_CONTROLS}]*$"
"""The rule as a pattern, for descriptions of an interface."""

# Halves of characters, which no encoding can carry, cannot stand in such a pattern: others count in halves.
_UNFIT: Final = re.compile(rf"[{_CONTROLS}\ud800-\udfff]")


def is_plain(text: str) -> bool:
    """Whether all of it may be shown as it is."""
    return _UNFIT.search(text) is None


def plain(text: str) -> str:
    """The text as it may be shown: U+FFFD in the place of each character that may not."""
    return _UNFIT.sub("\ufffd", text)
