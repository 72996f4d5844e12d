"""Tell what senders did with messages: metrics, and a line of the log for each message that was not sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from menshen.app.telemetry.metrics import (
    MESSAGES,
    OUTBOX_OLDEST,
    OUTBOX_WAITING,
    SMS_BREAKER,
    SMS_COST,
    SMS_HANDED_OVER,
    SMS_SECONDS,
)
from menshen.core.delivery.messages import Channel, MessageState
from menshen.core.delivery.verdicts import Verdict
from menshen.core.line_budget import LineBudget
from menshen.core.outward.breaker import BreakerState
from menshen.core.time import Instant
from menshen.flows.delivery.reports import Attempt, Dropped

log = structlog.get_logger("menshen.delivery")

RESULTS = (
    MessageState.SENT,
    MessageState.FAILED,
    MessageState.GIVEN_UP,
    MessageState.UNKNOWN,
    MessageState.EXPIRED,
    MessageState.SUPERSEDED,
    MessageState.UNREADABLE,
)
"""How the last look at a message can end, as the metric `menshen_messages` names it."""

_WITHOUT_A_TRY = tuple(state for state in RESULTS if state not in {MessageState.SENT, MessageState.FAILED})
"""Those of them in which a message may end without being handed to a sender."""

_EXPECTED = {MessageState.SUPERSEDED}
_ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Sends:
    """Report messages and senders. Implements `menshen.flows.delivery.reports.Reports`.

    `names` are the names of the senders in the settings, by channel. `countries` are the prefixes of `[sms] countries`.
    """

    names: Mapping[Channel, Sequence[str]]
    countries: Sequence[str] = ()
    _lines: LineBudget = field(default_factory=LineBudget)

    def __post_init__(self) -> None:
        """Begin each series at 0: an alert sees the first failure only as a change."""
        for channel, names in self.names.items():
            for name in names:
                for state in RESULTS:
                    MESSAGES.labels(channel.value, name, _word(state))
            for state in _WITHOUT_A_TRY:
                MESSAGES.labels(channel.value, "", _word(state))
        for name in self.names.get(Channel.SMS, ()):
            SMS_BREAKER.labels(name).set(BreakerState.CLOSED)
            SMS_COST.labels(name)
            for country in self.countries:
                for verdict in Verdict:
                    SMS_HANDED_OVER.labels(name, country, verdict.value)

    def tried(self, attempt: Attempt, now: Instant) -> None:
        """Count a try, and write `message.failed` unless it was accepted. The line names no receiver."""
        MESSAGES.labels(attempt.channel.value, attempt.sender, _word(attempt.state)).inc()
        if attempt.channel is Channel.SMS:
            SMS_HANDED_OVER.labels(attempt.sender, attempt.country, attempt.verdict.value).inc()
            SMS_SECONDS.labels(attempt.sender).observe(attempt.seconds)
            SMS_COST.labels(attempt.sender).inc(attempt.cost_micros)
        if attempt.state is MessageState.SENT:
            return
        if seen := self._lines.count((attempt.sender, attempt.verdict, attempt.state), now):
            log.warning(
                "message.failed",
                channel=attempt.channel.value,
                sender=attempt.sender,
                result=attempt.state.value,
                verdict=attempt.verdict.value,
                why=attempt.why,
                tries=attempt.tries,
                message=attempt.message_id,
                seen=seen,
            )

    def dropped(self, dropped: Dropped, now: Instant) -> None:
        """Count a message that ended without a try, and write `message.dropped` unless that is as it should be.

        A code that a newer one replaced is, and so is a notice that no sender has a template for.
        """
        MESSAGES.labels(dropped.channel.value, "", _word(dropped.state)).inc()
        if dropped.state in _EXPECTED or (dropped.why == "unserved" and not dropped.has_code):
            return
        if seen := self._lines.count((dropped.channel, dropped.state, dropped.why), now):
            log.warning(
                "message.dropped",
                channel=dropped.channel.value,
                result=dropped.state.value,
                why=dropped.why,
                message=dropped.message_id,
                seen=seen,
            )

    def breaker(self, channel: Channel, sender: str, state: BreakerState) -> None:
        """Show the state of a sender's breaker."""
        if channel is Channel.SMS:
            SMS_BREAKER.labels(sender).set(state)

    def backlog(self, waiting: int, oldest_seconds: float) -> None:
        """Show how many messages wait, and for how long the oldest does."""
        OUTBOX_WAITING.set(waiting)
        OUTBOX_OLDEST.set(oldest_seconds)


def _word(state: MessageState) -> str:
    return _ACCEPTED if state is MessageState.SENT else state.value
