"""Tell what senders did with messages: a metric of each, and a line of the log for each that was not sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from menshen.app.telemetry.metrics import MESSAGES
from menshen.core.delivery.messages import Channel
from menshen.core.line_budget import LineBudget
from menshen.core.time import Instant
from menshen.flows.delivery.deliver import Attempt, Sent

log = structlog.get_logger("menshen.delivery")


@dataclass(frozen=True, slots=True)
class Sends:
    """Report attempts to send. `names` are the names of the senders in the settings, by channel."""

    names: Mapping[Channel, str]
    _lines: LineBudget = field(default_factory=LineBudget)

    def __post_init__(self) -> None:
        """Begin each series at 0: an alert sees the first failure only as a change."""
        for channel, name in self.names.items():
            for result in Sent:
                MESSAGES.labels(channel.value, name, result.value)

    def report(self, attempt: Attempt, now: Instant) -> None:
        """Count an attempt, and write `message.failed` unless it was accepted. The line names no receiver."""
        name = self.names[attempt.channel]
        MESSAGES.labels(attempt.channel.value, name, attempt.result.value).inc()
        if attempt.result is Sent.ACCEPTED:
            return
        if seen := self._lines.count((name, attempt.result), now):
            log.warning(
                "message.failed",
                channel=attempt.channel.value,
                sender=name,
                result=attempt.result.value,
                why=attempt.why,
                tries=attempt.tries,
                message=attempt.message_id,
                seen=seen,
            )
