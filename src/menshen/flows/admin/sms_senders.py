"""Try a sender of text messages with a code that opens nothing, and ask a vendor about one message.

Both are for operators. Neither uses the outbox: a server that runs beside them notices only the counters.
(docs/contracts/vendors.md section 3, "Commands and figures"; decision 0069.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import DIGITS
from menshen.core.codes.sms_traffic import day_of
from menshen.core.delivery.messages import Channel, Message, StoredMessage, Template
from menshen.core.delivery.senders import SenderTerms, choose
from menshen.core.delivery.verdicts import NOT_HANDED_OVER, Verdict
from menshen.core.gates.limits import Claim, number_claims
from menshen.core.identifiers import can_receive_sms
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.time import Instant
from menshen.flows.audit.recording import admin_event
from menshen.flows.codes.budgets import charge_notice
from menshen.flows.delivery.configured import ConfiguredSender, DeliveryRules
from menshen.flows.delivery.receipts import note_receipts
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover
from menshen.ports.receipts import Receipt, ReceiptAsker
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.texts import Texts
from menshen.ports.world import World

OUTSIDE_THE_OUTBOX: Final = 0
"""The number of a message that is in no row."""

_MAINLAND: Final = "+86"
_BACKSTOP: Final = DeliveryRules().backstop


class Obstacle(StrEnum):
    """Say why a test message is not sent."""

    NO_SUCH_SENDER = "no_such_sender"
    COUNTRY = "country"
    TEST_NUMBER = "test_number"
    UNSERVED = "unserved"
    QUOTA = "quota"
    BUDGET = "budget"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Untried:
    """Say that no message was sent, and that nothing was charged. `detail`: seconds to wait, or the budget's name."""

    why: Obstacle
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """Hold how a test message ended. `why` is for people, `code` the vendor's word, `ms` the time of the call."""

    verdict: Verdict
    ms: int
    why: str = ""
    code: str = ""
    receipt: str = ""
    parts: int = 1
    retry_after: float = 0


class _SpentError(Exception):
    """Undo the transaction that charges a test message."""

    def __init__(self, untried: Untried) -> None:
        super().__init__(untried.why)
        self.untried = untried


def pick_sender(
    senders: Sequence[SenderTerms], to: str, template: Template, *, name: str, policy: Policy, world: World
) -> SenderTerms | Untried:
    """Return the sender that hands over a test message: the one called `name`, or for "" the one chosen for a code."""
    named = [terms for terms in senders if not name or terms.name == name]
    if not named:
        return Untried(Obstacle.NO_SUCH_SENDER)
    if not can_receive_sms(to, policy.sms_countries):
        return Untried(Obstacle.COUNTRY)
    if policy.test_number(to, world.now()):
        return Untried(Obstacle.TEST_NUMBER)
    serving = choose(named, to, template, broken=(), draw=world.token_bytes(8).hex())
    return serving[0] if serving else Untried(Obstacle.UNSERVED)


def trial_handover(to: str, template: Template, *, world: World, texts: Texts) -> Handover:
    """Make a try to hand over a code that opens nothing: no row keeps it."""
    now, language = world.now(), "zh" if to.startswith(_MAINLAND) else "en"
    message = Message(Channel.SMS, to, template, language, now, code=world.digits(DIGITS))
    words = texts.render(message)
    return Handover(message, OUTSIDE_THE_OUTBOX, world.token_bytes(16).hex(), now, words.text, words.subject)


async def try_sender(
    configured: ConfiguredSender, handover: Handover, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> Trial | Untried:
    """Charge a test message to the number, the budgets of the day and the sender, hand it over once, and say how.

    A message that was certainly not handed over is taken off the sender's day again. Raises as `Store.write`.
    """
    terms, at = configured.terms, handover.now
    try:
        await store.write(lambda tx: _charge(tx, terms, handover.message.to, keyring=keyring, policy=policy, now=at))
    except _SpentError as spent:
        return spent.untried
    begun = world.elapsed_ms()
    trial = await _call(configured, handover, lambda: round(world.elapsed_ms() - begun))
    if trial.verdict in NOT_HANDED_OVER:
        await store.write(lambda tx: _adjust(tx, terms, at, -1, -1))
    elif trial.parts > 1:
        await store.write(lambda tx: _adjust(tx, terms, at, 0, trial.parts - 1))
    return trial


async def _charge(tx: WriteTx, terms: SenderTerms, to: str, *, keyring: Keyring, policy: Policy, now: Instant) -> None:
    """Charge everything, or raise _SpentError, which undoes it. The counters that all share come last."""
    claims = [
        Claim(keyring.counter_key(claim.quota, *claim.key), claim.most, claim.window)
        for claim in number_claims(policy.limits, to)
    ]
    if wait := await tx.counters.charge(claims, now):
        raise _SpentError(Untried(Obstacle.QUOTA, str(wait)))
    if await tx.sender_days.charge(terms, day_of(now)) is None:
        raise _SpentError(Untried(Obstacle.SPENT))
    if budget := await charge_notice(tx, to, None, keyring=keyring, policy=policy, now=now):
        raise _SpentError(Untried(Obstacle.BUDGET, budget))
    await tx.audit.append(admin_event(Tag.SENDER_TESTED, now, subject=to, reason=terms.name))


async def _adjust(tx: WriteTx, terms: SenderTerms, at: Instant, messages: int, parts: int) -> None:
    cost = parts * terms.cost_micros
    await tx.sender_days.adjust(terms.name, day_of(at), messages=messages, parts=parts, cost_micros=cost)


async def _call(configured: ConfiguredSender, handover: Handover, ms: Callable[[], int]) -> Trial:
    """Make the call. Any end of it that is not understood is unknown."""
    try:
        async with asyncio.timeout(configured.seconds + _BACKSTOP):
            accepted: Accepted = await configured.sender.send(handover)
    except DeliveryFailed as failed:
        return Trial(failed.verdict, ms(), str(failed), failed.code, retry_after=failed.retry_after)
    except DeliveryUnknown as unknown:
        return Trial(Verdict.UNKNOWN, ms(), str(unknown))
    except Exception as error:  # noqa: BLE001 - for any error of a sender, the message may have left
        # Only the type is shown: the text may quote the message.
        return Trial(Verdict.UNKNOWN, ms(), type(error).__name__)
    return Trial(Verdict.ACCEPTED, ms(), receipt=accepted.receipt, parts=accepted.parts)


async def ask_about(
    stored: StoredMessage, asker: ReceiptAsker, seconds: float, *, store: Store, world: World
) -> Receipt | None:
    """Ask the vendor of a message what became of it, and note that as a pushed receipt. None: nothing is certain yet.

    `seconds` is the deadline of the sender. Raises as `Store.write`, and:
        DeliveryFailed: the vendor was not reached, or refused the question.
        DeliveryUnknown: it gave no answer that can be read.
    """
    nonce, now = world.token_bytes(16).hex(), world.now()
    to, sent_at = stored.message.to, stored.sent_at
    try:
        async with asyncio.timeout(seconds + _BACKSTOP):
            told = await asker.ask_receipt(stored.receipt, to=to, sent_at=sent_at, nonce=nonce, now=now)
    except TimeoutError:
        raise DeliveryUnknown("TimeoutError") from None
    if told is not None:
        await note_receipts(stored.sender, [told], store=store)
    return told
