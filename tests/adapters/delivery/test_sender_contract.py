"""The suite of senders itself: a sender that breaks a promise does not pass it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from menshen.adapters.delivery.sms import specimen
from menshen.adapters.delivery.sms.specimen import Settings, SpecimenSender
from menshen.core.delivery.messages import Message
from menshen.core.delivery.verdicts import Verdict
from menshen.core.secret import Secret
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover
from menshen.ports.outward import Answer, NotReached, Outcome, Outward, Request, Unknown
from menshen.testing.sender_contract import OutwardSenderContract, SenderCase
from tests.adapters.delivery.senders import case_of

GOOD = case_of("sms", "specimen")
PROMISES = [name for name in dir(OutwardSenderContract) if name.startswith("test_")]


# --- breaches, each as somebody might write it ------------------------------------------------------------------------


class Twice(SpecimenSender):
    async def send(self, handover: Handover) -> Accepted:
        await super().send(handover)
        return await super().send(handover)


class Never(SpecimenSender):
    async def send(self, handover: Handover) -> Accepted:
        return Accepted()


class TriesAgain(SpecimenSender):
    async def send(self, handover: Handover) -> Accepted:
        try:
            return await super().send(handover)
        except DeliveryFailed:
            return await super().send(handover)


class SendsAgainWhatMayHaveLeft(SpecimenSender):
    async def send(self, handover: Handover) -> Accepted:
        try:
            return await super().send(handover)
        except DeliveryUnknown:
            raise DeliveryFailed("no answer") from None


class ShelvesWhatWasNotReached(SpecimenSender):
    async def send(self, handover: Handover) -> Accepted:
        try:
            return await super().send(handover)
        except DeliveryFailed as error:
            raise DeliveryUnknown(str(error)) from None


class ByTheOutcome(SpecimenSender):
    """Does the call itself; `judge` makes what it likes of the outcome."""

    def judge(self, outcome: Outcome, message: Message) -> Accepted:
        raise NotImplementedError

    async def send(self, handover: Handover) -> Accepted:
        return self.judge(await self._outward.exchange(self._request(handover)), handover.message)


class BelievesTheStatus(ByTheOutcome):
    def judge(self, outcome: Outcome, message: Message) -> Accepted:
        match outcome:
            case Answer(status) if status < 400:
                return Accepted()
            case Answer():
                raise DeliveryFailed("refused", Verdict.NUMBER)
            case NotReached():
                raise DeliveryFailed("not reached")
            case Unknown():
                raise DeliveryUnknown("unknown")


class FollowsRedirects(SpecimenSender):
    async def send(self, handover: Handover) -> Accepted:
        request = self._request(handover)
        outcome = await self._outward.exchange(request)
        if isinstance(outcome, Answer) and "location" in outcome.headers:
            request = Request("POST", outcome.headers["location"], request.headers, request.body)
            await self._outward.exchange(request)
        raise DeliveryUnknown


class TellsTheNumber(ByTheOutcome):
    def judge(self, outcome: Outcome, message: Message) -> Accepted:
        raise DeliveryUnknown(f"{message.to} got nothing")


class TellsWhatTheVendorSaid(ByTheOutcome):
    def judge(self, outcome: Outcome, message: Message) -> Accepted:
        if isinstance(outcome, Answer):
            raise DeliveryUnknown(outcome.body.decode())
        return Accepted()


class TellsTheCodeInItsCause(ByTheOutcome):
    def judge(self, outcome: Outcome, message: Message) -> Accepted:
        try:
            raise ValueError(message.code)
        except ValueError as error:
            raise DeliveryUnknown from error


class Logs(SpecimenSender):
    async def send(self, handover: Handover) -> Accepted:
        logging.getLogger("specimen").debug("sending to %s", handover.message.to)
        return await super().send(handover)


class ShowsItsKey(SpecimenSender):
    def __repr__(self) -> str:
        return f"Sender({self._settings.access_key})"


class CallsAtOnce(SpecimenSender):
    def __init__(self, settings: Settings, outward: Outward) -> None:
        super().__init__(settings, outward)
        # A coroutine runs up to its first wait, which the fake one has not.
        with suppress(StopIteration):
            self._outward.exchange(Request("GET", settings.endpoint)).__await__().send(None)


class WithoutEnd(SpecimenSender):
    def _request(self, handover: Handover) -> Request:
        request = super()._request(handover)
        return Request(request.method, request.url, request.headers, request.body, seconds=1e9)


class TheSameForAll(SpecimenSender):
    def _request(self, handover: Handover) -> Request:
        return super()._request(GOOD.handover())


class FailsAtNotices(SpecimenSender):
    def _request(self, handover: Handover) -> Request:
        if not handover.message.code:
            raise DeliveryUnknown("no template")
        return super()._request(handover)


class Lenient(Settings, frozen=True, forbid_unknown_fields=False):
    pass


class Changing(Struct, kw_only=True, forbid_unknown_fields=True):
    access_key: Annotated[Secret, Meta(description="A key.")]
    sender: Annotated[str, Meta(description="A name.")]


class Bare(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    access_key: str
    sender: str


def with_sender(sender: Callable[[Any, Outward], Any]) -> SenderCase:
    return SenderCase(SimpleNamespace(Settings=Settings, build=sender), GOOD.recorded)


def with_settings(settings: type[Struct]) -> SenderCase:
    return SenderCase(SimpleNamespace(Settings=settings, build=specimen.build), GOOD.recorded)


BREACHES = [
    (with_sender(Twice), "test_it_hands_over_once_and_in_the_recorded_bytes"),
    (with_sender(Never), "test_it_hands_over_once_and_in_the_recorded_bytes"),
    (with_sender(Never), "test_each_recorded_answer_has_its_verdict"),
    (with_sender(TriesAgain), "test_what_was_not_reached_failed_and_is_not_repeated_here"),
    (with_sender(ShelvesWhatWasNotReached), "test_what_was_not_reached_failed_and_is_not_repeated_here"),
    (with_sender(SendsAgainWhatMayHaveLeft), "test_what_may_have_left_is_unknown_and_is_not_repeated"),
    (with_sender(SendsAgainWhatMayHaveLeft), "test_an_answer_that_nobody_listed_is_unknown"),
    (with_sender(BelievesTheStatus), "test_an_answer_that_nobody_listed_is_unknown"),
    (with_sender(BelievesTheStatus), "test_each_recorded_answer_has_its_verdict"),
    (with_sender(BelievesTheStatus), "test_no_redirect_is_followed"),
    (with_sender(FollowsRedirects), "test_no_redirect_is_followed"),
    (with_sender(TellsTheNumber), "test_errors_hold_neither_the_message_nor_a_secret"),
    (with_sender(TellsWhatTheVendorSaid), "test_errors_hold_neither_the_message_nor_a_secret"),
    (with_sender(TellsTheCodeInItsCause), "test_errors_hold_neither_the_message_nor_a_secret"),
    (with_sender(Logs), "test_nothing_is_logged"),
    (with_sender(ShowsItsKey), "test_settings_and_sender_show_no_secret"),
    (with_sender(CallsAtOnce), "test_building_calls_nobody"),
    (with_sender(WithoutEnd), "test_an_exchange_has_an_end"),
    (with_sender(TheSameForAll), "test_two_messages_are_two_requests"),
    (with_sender(FailsAtNotices), "test_each_message_ends_in_one_of_three_ways"),
    (with_settings(Lenient), "test_unknown_keys_are_refused"),
    (with_settings(Changing), "test_settings_do_not_change"),
    (with_settings(Bare), "test_each_key_says_what_it_is_for"),
    (with_settings(Bare), "test_what_is_secret_has_the_type_of_secrets"),
]


@pytest.mark.parametrize(
    ("case", "told_by"),
    BREACHES,
    ids=[f"{getattr(case.module.build, '__name__', '')}-{case.module.Settings.__name__}-{by}" for case, by in BREACHES],
)
async def test_a_broken_promise_is_told(case: SenderCase, told_by: str) -> None:
    with pytest.raises(AssertionError):
        await getattr(OutwardSenderContract(), told_by)(case)


def test_each_promise_was_seen_broken() -> None:
    assert {told_by for _, told_by in BREACHES} == {*PROMISES}


@pytest.mark.parametrize("promise", PROMISES)
async def test_a_good_sender_keeps_each_promise(promise: str) -> None:
    await getattr(OutwardSenderContract(), promise)(GOOD)
