"""Define the one-time keys of forms: each submit of a form carries its key, and one of them is worked on.

(docs/contracts/pages.md section 3, "Double submits are stopped by the form's one-time `key`".)
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from menshen.core.time import MINUTE

FORM_KEY_LIFETIME: Final = 15 * MINUTE
"""How long a spent key is remembered at least (ms). What a page keeps for the next one lasts as long."""

_KEY: Final = re.compile(r"[a-z0-9]{26}", re.ASCII)


class Submit(Enum):
    """Say which submit of its form a request is.

    FIRST: it is worked on. DONE: an earlier one was, and did what it asked for. AGAIN: an earlier one is being worked
    on, or was refused.
    """

    FIRST = auto()
    DONE = auto()
    AGAIN = auto()


def is_form_key(text: str) -> bool:
    """Return whether a text has the form of a key: 26 small letters and digits."""
    return _KEY.fullmatch(text) is not None
