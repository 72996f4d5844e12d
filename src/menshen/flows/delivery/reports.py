"""Describe what happens to messages and senders, for those who count and log it. It holds no address and no code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from menshen.core.delivery.messages import Channel, MessageState
from menshen.core.delivery.verdicts import Verdict
from menshen.core.outward.breaker import BreakerState
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class Attempt:
    """Describe one try. `country` is a prefix of the settings, "" for none or for email; `seconds` is its duration.

    `state` is what became of the message by it. `code` is the word of the vendor, from the sender's own table.
    `cost_micros` is the estimate of what was handed over.
    """

    message_id: int
    channel: Channel
    sender: str
    country: str
    verdict: Verdict
    state: MessageState
    why: str = ""
    code: str = ""
    tries: int = 1
    seconds: float = 0.0
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Describe a message that ended without a try: `state` says how, `why` is a word such as "spent" or ""."""

    message_id: int
    channel: Channel
    state: MessageState
    why: str = ""
    has_code: bool = True


class Reports(Protocol):
    """Count and log. Each call returns at once. `now` is in epoch ms."""

    def tried(self, attempt: Attempt, now: Instant) -> None: ...
    def dropped(self, dropped: Dropped, now: Instant) -> None: ...
    def breaker(self, channel: Channel, sender: str, state: BreakerState) -> None: ...
    def backlog(self, waiting: int, oldest_seconds: float) -> None: ...


class NoReports:
    """Count and log nothing."""

    def tried(self, attempt: Attempt, now: Instant) -> None:
        """Do nothing."""

    def dropped(self, dropped: Dropped, now: Instant) -> None:
        """Do nothing."""

    def breaker(self, channel: Channel, sender: str, state: BreakerState) -> None:
        """Do nothing."""

    def backlog(self, waiting: int, oldest_seconds: float) -> None:
        """Do nothing."""
