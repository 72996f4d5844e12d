"""Every sender that speaks HTTP against a real vendor that fails: nothing is sent twice, and no fault is a success.

The senders are found by name; what they send and what its answers mean comes from `<type>.json`.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from menshen.adapters.outward.client import HttpOutward
from menshen.core.delivery.verdicts import Verdict
from menshen.core.networks import NetworkSet
from menshen.ports.delivery import Sender
from menshen.testing.sender_contract import SenderCase, verdict_of
from tests.adapters.delivery.senders import SENDERS, case_of
from tests.adapters.delivery.vendors.loopback_vendor import (
    Arrived,
    Behave,
    answering,
    hanging,
    loopback_vendor,
    nobody_there,
    resetting,
    saying,
    trickling,
)

pytestmark = pytest.mark.attack("OT-22")

SPEAK_HTTP = [one for one in SENDERS if "request" in case_of(*one).recorded]

PATIENT = 60.0
"""Seconds for a busy machine: no test waits for them."""
SHORT = 1.0
"""Seconds where the vendor never answers."""

HTML = b"<html><body>Bad gateway</body></html>"
LONG = 10_000_000


@dataclass(frozen=True)
class Tried:
    """A sender with its recorded settings, whose vendor is on loopback."""

    case: SenderCase
    outward: HttpOutward

    def sender(self, origin: str, seconds: float = PATIENT) -> Sender:
        settings = self.case.settings()
        key = next(key for key in ("endpoint", "url") if hasattr(settings, key))
        address = urlsplit(getattr(settings, key))
        moved = address._replace(scheme="http", netloc=urlsplit(origin).netloc).geturl()
        sender: Sender = self.case.module.build(
            self.case.settings(**{key: moved, "timeout_seconds": seconds}), self.outward
        )
        return sender

    async def verdict(self, origin: str, seconds: float = PATIENT) -> Verdict:
        return (await verdict_of(self.sender(origin, seconds), self.case.handover()))[0]

    @property
    def arrived(self) -> Arrived:
        """Give the recorded request, as the vendor must see it."""
        recorded = self.case.recorded["request"]
        address = urlsplit(recorded["url"])
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        return Arrived(recorded["method"], target, recorded["body"].encode())

    @property
    def accepting(self) -> dict[str, Any]:
        """Give a recorded answer that accepts, with a body if one of them has it."""
        accepting = [one for one in self.case.recorded["answers"] if one["verdict"] == Verdict.ACCEPTED]
        return max(accepting, key=lambda one: len(one["body"]))

    def by_status(self, status: int) -> Verdict:
        """Return what a status alone means: something only to a sender that was recorded to take an empty answer."""
        meant = {one["status"]: Verdict(one["verdict"]) for one in self.case.recorded["answers"] if not one["body"]}
        return meant.get(status, Verdict.UNKNOWN) if Verdict.ACCEPTED in meant.values() else Verdict.UNKNOWN


@pytest.fixture(params=SPEAK_HTTP, ids=".".join)
async def tried(request: pytest.FixtureRequest) -> AsyncIterator[Tried]:
    # Nothing here speaks TLS: reading the roots of the machine would take most of the time.
    outward = HttpOutward(NetworkSet.of(["127.0.0.0/8"]), tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    yield Tried(case_of(*request.param), outward)
    await outward.close()


def accepting(tried: Tried, *, padded: int = 0, missing: int = 0) -> Behave:
    """Accept as was recorded. Blanks behind its JSON are legal, so only their number can be held against them."""
    told = tried.accepting
    return answering(told["status"], told["body"].encode() + b" " * padded, told.get("headers"), missing=missing)


def test_senders_were_found() -> None:
    assert {("sms", "specimen"), ("sms", "webhook"), ("sms", "twilio"), ("sms", "huawei")} <= {*SPEAK_HTTP}


async def test_a_good_vendor_gets_the_recorded_request_once(tried: Tried) -> None:
    async with loopback_vendor(accepting(tried)) as vendor:
        assert await tried.verdict(vendor.origin) is Verdict.ACCEPTED
    assert (vendor.connections, vendor.requests) == (1, [tried.arrived])


async def test_two_messages_are_two_requests(tried: Tried) -> None:
    async with loopback_vendor(accepting(tried)) as vendor:
        sender = tried.sender(vendor.origin)
        for _ in range(2):
            assert (await verdict_of(sender, tried.case.handover()))[0] is Verdict.ACCEPTED
    assert vendor.requests == [tried.arrived] * 2


async def test_each_recorded_answer_means_the_same_on_a_real_connection(tried: Tried) -> None:
    for answer in tried.case.recorded["answers"]:
        said = answering(answer["status"], answer["body"].encode(), answer.get("headers"))
        async with loopback_vendor(said) as vendor:
            assert await tried.verdict(vendor.origin) == answer["verdict"], answer
        assert vendor.requests == [tried.arrived], answer


@pytest.mark.parametrize("body", [b'{"code": "NO_SUCH_CODE", "message": "refused"}', HTML, b"", b"{}", b"\xff"])
async def test_a_refusal_with_200_is_no_success(tried: Tried, body: bytes) -> None:
    async with loopback_vendor(answering(200, body)) as vendor:
        assert await tried.verdict(vendor.origin) is tried.by_status(200)
    assert vendor.requests == [tried.arrived]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
async def test_a_page_of_a_gateway_proves_nothing(tried: Tried, status: int) -> None:
    async with loopback_vendor(answering(status, HTML, {"Content-Type": "text/html", "Retry-After": "1"})) as vendor:
        assert await tried.verdict(vendor.origin) is tried.by_status(status)
    assert vendor.requests == [tried.arrived]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_gateway_that_repeats_an_acceptance_proves_nothing(tried: Tried, status: int) -> None:
    async with loopback_vendor(answering(status, tried.accepting["body"].encode())) as vendor:
        assert await tried.verdict(vendor.origin) is tried.by_status(status)
    assert vendor.requests == [tried.arrived]


@pytest.mark.parametrize("behave", [hanging, trickling])
async def test_a_vendor_that_never_ends_is_left_in_time(tried: Tried, behave: Behave) -> None:
    async with loopback_vendor(behave) as vendor:
        assert await tried.verdict(vendor.origin, SHORT) is Verdict.UNKNOWN
    assert (vendor.connections, vendor.requests) == (1, [tried.arrived])


async def test_an_acceptance_that_is_cut_is_unknown(tried: Tried) -> None:
    async with loopback_vendor(accepting(tried, missing=1)) as vendor:
        assert await tried.verdict(vendor.origin) is Verdict.UNKNOWN
    assert (vendor.connections, vendor.requests) == (1, [tried.arrived])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        b"220 mail.example ESMTP\r\n",
    ],
)
async def test_a_cut_or_strange_answer_is_unknown(tried: Tried, answer: bytes) -> None:
    async with loopback_vendor(saying(answer)) as vendor:
        assert await tried.verdict(vendor.origin) is Verdict.UNKNOWN
    assert (vendor.connections, vendor.requests) == (1, [tried.arrived])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(tried: Tried, status: int) -> None:
    async with loopback_vendor(accepting(tried)) as elsewhere:
        moved = {"Location": f"{elsewhere.origin}{tried.arrived.target}"}
        async with loopback_vendor(answering(status, headers=moved)) as vendor:
            assert await tried.verdict(vendor.origin) is Verdict.UNKNOWN
    assert vendor.requests == [tried.arrived]
    assert elsewhere.connections == 0


async def test_an_answer_without_an_end_is_not_read(tried: Tried) -> None:
    async with loopback_vendor(accepting(tried, padded=LONG)) as vendor:
        assert await tried.verdict(vendor.origin) is Verdict.UNKNOWN
    assert (vendor.connections, vendor.requests) == (1, [tried.arrived])


async def test_a_connection_that_is_reset_behind_the_request_is_unknown(tried: Tried) -> None:
    async with loopback_vendor(resetting) as vendor:
        assert await tried.verdict(vendor.origin) is Verdict.UNKNOWN
    assert (vendor.connections, vendor.requests) == (1, [tried.arrived])


async def test_a_connection_that_is_reset_at_once_is_not_tried_again(tried: Tried) -> None:
    async with loopback_vendor(accepting(tried), greet=resetting) as vendor:
        # The connection stood, so bytes may have left: only the vendor knows that it read none.
        assert await tried.verdict(vendor.origin) is Verdict.UNKNOWN
    assert (vendor.connections, vendor.requests) == (1, [])


async def test_a_vendor_that_is_not_there_was_not_reached(tried: Tried) -> None:
    with nobody_there() as origin:
        assert await tried.verdict(origin) is Verdict.NOT_REACHED


async def test_a_vendor_that_came_back_gets_the_next_message(tried: Tried) -> None:
    async with loopback_vendor(resetting) as vendor:
        sender = tried.sender(vendor.origin)
        assert (await verdict_of(sender, tried.case.handover()))[0] is Verdict.UNKNOWN
        vendor.behave = accepting(tried)
        assert (await verdict_of(sender, tried.case.handover()))[0] is Verdict.ACCEPTED
    assert vendor.requests == [tried.arrived] * 2
