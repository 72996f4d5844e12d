"""Detect SMS pumping from two counters for each prefix: codes sent, and codes verified.

A pumping attacker earns money for each message. The attacker requests codes and never enters them. The numbers change,
but the prefix of a carrier's block stays the same. All functions here are pure. (docs/security/attacks.md OT-11.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from menshen.core.gates.limits import Limits
from menshen.core.time import DAY, Instant

PUMPED_DIFFICULTY: Final = 4
"""Difficulty of a captcha for a pumped prefix. It is eight times as much work as the easiest one."""

_PERSONAL_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Traffic:
    """Hold the numbers of codes that were sent to one prefix of one country, and verified, over some days."""

    prefix: str
    country: str
    sent: int
    verified: int


def prefix_of(phone: str) -> str:
    """Return an E.164 number without its last four digits: +86 and the first seven digits of a mainland number."""
    return phone[:-_PERSONAL_DIGITS]


def country_of(phone: str, countries: Iterable[str]) -> str:
    """Return the longest prefix (`+86`) of the settings that the number begins with, "" for none."""
    return max((prefix for prefix in countries if phone.startswith(prefix)), key=len, default="")


def day_of(now: Instant) -> int:
    """Return the UTC day number of `now`. The counters are kept per day."""
    return now // DAY


def is_pumped(traffic: Traffic, limits: Limits) -> bool:
    """Return whether enough codes were sent to judge, and the share of verified codes is too low for real users."""
    if traffic.sent < limits.prefix_watch_from:
        return False
    return traffic.verified * 100 < traffic.sent * limits.prefix_ratio


def is_worth_an_alarm(traffic: Traffic, limits: Limits) -> bool:
    """Return whether to raise an alarm now: at the first count that can be judged, and each time that count doubles."""
    times, rest = divmod(traffic.sent, max(1, limits.prefix_watch_from))
    return is_pumped(traffic, limits) and rest == 0 and times.bit_count() == 1
