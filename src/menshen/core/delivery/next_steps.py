"""Decide what happens to a message after a try that certainly sent nothing. (docs/contracts/vendors.md section 2.)"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from menshen.core.codes.one_time_codes import LIFETIME
from menshen.core.delivery.messages import Message, MessageState
from menshen.core.delivery.verdicts import Verdict
from menshen.core.time import HOUR, MINUTE, SECOND, Instant, after

FIRST_PAUSE: Final = 10 * SECOND
"""The pause before the same senders are asked again (ms). It doubles each time."""

LONGEST_PAUSE: Final = 10 * MINUTE
"""The longest of these pauses (ms), unless the vendor asks for more."""

NOTICE_TIME: Final = HOUR
"""How long a message without a code is tried (ms)."""

GIVE_UP: Final = 120 * SECOND
"""How long a code is tried where the settings say nothing (ms). A code is valid for 300 s."""


class Next(Enum):
    """Name what can follow at once."""

    ASK_ANOTHER = auto()
    """The next sender is asked now."""


def end_of(message: Message, give_up: int) -> Instant:
    """Return the instant (epoch ms) after which the message is not sent any more; `give_up` (ms) holds for codes."""
    return after(message.created_at, min(give_up, LIFETIME) if message.code else NOTICE_TIME)


def next_step(
    verdict: Verdict, *, another: bool, later: bool, pauses: int, retry_after: float, ends: Instant, now: Instant
) -> Next | Instant | MessageState:
    """Return what follows a verdict of `NOT_HANDED_OVER`: another sender now, a try later, or an end.

    `another`: there is a sender that was not asked yet. `later`: there is one that may be asked again. `pauses` counts
    the rounds before this one. `retry_after` (s) is what the vendor asked for. Nothing is tried after `ends`: a sender
    that was slow to refuse may leave no time for another.
    """
    if verdict is Verdict.NUMBER:
        return MessageState.GIVEN_UP
    if another:
        return Next.ASK_ANOTHER if now <= ends else MessageState.EXPIRED
    pause = max(round(retry_after * SECOND), min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(pauses, 10)))
    again = after(now, pause)
    return again if later and again <= ends else MessageState.GIVEN_UP
