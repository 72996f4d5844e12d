"""Define tickets for exports that can be fetched for a day. No copy of the data rests. (decision 0080.)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from menshen.core.time import DAY, NEVER, Instant

LIFETIME: Final = DAY
"""How long an export can be fetched (ms)."""

MOST_FETCHES: Final = 5
"""How often one export can be fetched."""

_ID_LENGTH: Final = 26


@dataclass(frozen=True, slots=True)
class ExportTicket:
    """Hold an ordered export. `id` alone opens nothing: its owner has to be logged in.

    Instants are epoch ms. `fetches` counts how often it was fetched.
    """

    id: str
    expires_at: Instant
    created_at: Instant = NEVER
    fetches: int = 0


def may_be_id(text: str) -> bool:
    """Return whether a text has the shape of an id. A database takes not every other text."""
    return len(text) == _ID_LENGTH and text.isascii() and text.isalnum()
