"""Define what the answer of a vendor means for a message. (docs/contracts/vendors.md section 2.)"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """Say what an answer means for the message. A code that no table of a sender lists is UNKNOWN, never a refusal.

    The docs show the text below each member.
    """

    ACCEPTED = "accepted"
    """The vendor said so. Nothing more is sent, also after a receipt of a failure."""
    NUMBER = "rejected:number"
    """The number is bad, a land line, opted out or on a list of the vendor. No other sender is asked."""
    THROTTLED_NUMBER = "rejected:throttled_number"
    """The vendor's own limit for this number. Each other sender is asked once."""
    THROTTLED_VENDOR = "rejected:throttled_vendor"
    """The vendor takes no more at this moment. The next sender is asked; without one, the same sender later."""
    VENDOR_DOWN = "rejected:vendor_down"
    """The account is in arrears, suspended, or over the vendor's limit of the day. The next sender is asked."""
    CONFIG = "rejected:config"
    """Key, clock, template, sign name or source address are wrong. The next sender is asked."""
    NOT_REACHED = "not_reached"
    """No byte of the request left. The next sender is asked."""
    UNKNOWN = "unknown"
    """The vendor may have the message. It is never sent again."""


REFUSALS: Final = frozenset(verdict for verdict in Verdict if verdict.value.startswith("rejected:"))
"""Verdicts by which a vendor says that it did not take the message."""

NOT_HANDED_OVER: Final = REFUSALS | {Verdict.NOT_REACHED}
"""Verdicts that prove that no vendor has the message."""

BROKEN: Final = frozenset({Verdict.VENDOR_DOWN, Verdict.CONFIG})
"""Refusals that an operator has to end. They open the breaker of a sender at once."""
