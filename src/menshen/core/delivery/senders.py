"""Choose who hands over a message: by its country, its purpose, and the order of the settings.

No I/O: breakers and the senders that were asked already come in as names. (docs/contracts/vendors.md sections 1, 2.)
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from menshen.core.delivery.messages import Template

EVERY_OTHER: Final = "*"
"""In place of a country: every one that no sender names."""


@dataclass(frozen=True, slots=True)
class SenderTerms:
    """Say when a sender is asked, and how much it may hand over a day.

    `countries` are prefixes of numbers, or `EVERY_OTHER`. `order`: the lowest is asked first; senders of equal order
    share by `weight`. `per_day` counts messages a day (UTC), `cost_per_day_micros` millionths of the operator's
    currency; 0 is no limit. `cost_micros` is the estimate of one part. `repeatable`: its receiver drops a message that
    it has already.
    """

    name: str
    countries: tuple[str, ...] = (EVERY_OTHER,)
    templates: frozenset[Template] = frozenset(Template)
    order: int = 1
    weight: int = 100
    per_day: int = 0
    cost_micros: int = 0
    cost_per_day_micros: int = 0
    repeatable: bool = False


def choose(
    senders: Sequence[SenderTerms], to: str, template: Template, *, broken: Collection[str], draw: str
) -> list[SenderTerms]:
    """Return who may hand over a message to `to`, the one to ask first in front. Empty: no sender serves it.

    The senders that name the longest prefix of the number serve it; for a number that none names, and for email, those
    of `EVERY_OTHER`. Those whose breaker is open (`broken`) come last: the least bad is asked where all are open.
    Equal order is shared by weight; the same `draw` gives the same order.
    """
    # An address of email may begin with a plus sign and digits, too.
    named = [country for one in senders for country in one.countries if country != EVERY_OTHER and "@" not in to]
    prefix = max((country for country in named if to.startswith(country)), key=len, default=EVERY_OTHER)
    serving = [one for one in senders if prefix in one.countries and template in one.templates]
    return sorted(serving, key=lambda one: (one.name in broken, one.order, _lot(one, draw)))


def _lot(sender: SenderTerms, draw: str) -> float:
    """Return a sender's place in a draw: the heavier, the more often the lowest. (Weighted rendezvous hashing.)"""
    if not sender.weight:
        return float("inf")
    hashed = int.from_bytes(hashlib.sha256(f"{draw}|{sender.name}".encode()).digest()[:7])
    # An exponential variable of rate `weight`, by the inverse of its distribution.
    return -math.log((hashed + 1) / (2**56 + 1)) / sender.weight


@dataclass(frozen=True, slots=True)
class SenderDay:
    """Hold what a sender handed over on one day (UTC): messages, their parts, and what they cost by the estimate."""

    sender: str
    messages: int
    parts: int
    cost_micros: int
