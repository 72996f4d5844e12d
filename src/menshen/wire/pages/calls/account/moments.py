"""Say instants in words. A page does not know the time zone of its reader: what is exact says UTC.

`assets/account.js` turns it into the reader's own time. Without scripts it stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from menshen.core.time import DAY, HOUR, MINUTE, SECOND, Instant
from menshen.wire.pages.look.words import Words

_LAST: Final = 253_402_300_799
"""The last second that a `datetime` can hold (epoch s)."""
_JUST_NOW: Final = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold an instant for a page: `said` in words, `exact` with its zone, and `iso` for programs.

    With `near`, `said` tells how long ago it was, which is right in every time zone.
    """

    iso: str
    exact: str
    said: str
    near: bool = False


def moment(words: Words, instant: Instant, now: Instant) -> Moment | None:
    """Return an instant in words: how long ago within a day, else its date and time. None for NEVER."""
    if instant <= 0:
        return None
    at = datetime.fromtimestamp(min(instant // SECOND, _LAST), UTC)
    exact = f"{at:%Y-%m-%d %H:%M} UTC"
    ago = _ago(words, now - instant)
    return Moment(f"{at:%Y-%m-%dT%H:%M:%SZ}", exact, ago or exact, bool(ago))


def day(instant: Instant) -> str:
    """Return the day of an instant, in UTC, as `2026-11-30`."""
    return f"{datetime.fromtimestamp(min(max(instant, 0) // SECOND, _LAST), UTC):%Y-%m-%d}"


def _ago(words: Words, passed: int) -> str:
    if not -_JUST_NOW < passed < DAY:
        return ""
    if passed < _JUST_NOW:
        return words("account.just_now")
    if passed < 2 * HOUR:
        return words("account.minutes_ago", count=passed // MINUTE)
    return words("account.hours_ago", count=passed // HOUR)
