"""SMS as a thing to steal: how many codes went to a prefix, and how many of them came back right.

Whoever earns on messages (pumping) asks for codes that nobody types in. Numbers come and go; the prefix of a
carrier's block stays. Pure: counts in, judgement out. (docs/security/attacks.md OT-11.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from menshen.core.gates.limits import Limits
from menshen.core.time import DAY, Instant

PUMPED_DIFFICULTY: Final = 4
"""What a captcha must cost where a prefix is pumped: eight times the easiest."""

_PERSONAL_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Traffic:
    """Codes sent to one prefix of one country, and those told right, over some days."""

    prefix: str
    country: str
    sent: int
    verified: int


def prefix_of(phone: str) -> str:
    """All of an E.164 number but its last four digits: a mainland number's first seven, behind +86."""
    return phone[:-_PERSONAL_DIGITS]


def country_of(phone: str, countries: Iterable[str]) -> str:
    """The longest of the settings' prefixes (`+86`) that the number begins with, "" for none."""
    return max((prefix for prefix in countries if phone.startswith(prefix)), key=len, default="")


def day_of(now: Instant) -> int:
    """The day that `now` lies in, in UTC: counts are kept by it."""
    return now // DAY


def is_pumped(traffic: Traffic, limits: Limits) -> bool:
    """Whether so few of so many codes came back that nobody can have wanted them."""
    if traffic.sent < limits.prefix_watch_from:
        return False
    return traffic.verified * 100 < traffic.sent * limits.prefix_ratio


def is_worth_an_alarm(traffic: Traffic, limits: Limits) -> bool:
    """Whether to tell now: when the prefix can first be judged, and whenever what was sent doubles."""
    times, rest = divmod(traffic.sent, max(1, limits.prefix_watch_from))
    return is_pumped(traffic, limits) and rest == 0 and times.bit_count() == 1
