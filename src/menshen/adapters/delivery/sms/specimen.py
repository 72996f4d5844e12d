"""Show a sender to copy: text messages through a vendor that does not exist.

Copy this file under the name of your vendor, and `tests/adapters/delivery/specimen.json` with it. The name of the file
is the type that the settings write; there is no list to edit. Then answer the questions in the comments.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta, Struct

from menshen.adapters.delivery.exchanges import answer_of, object_of, refuse
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.delivery import Accepted, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Outward, Request
from menshen.ports.receipts import Push, Pushed, Receipt, Unsigned

# Which codes does the vendor answer with, and what do they say of the message? List only what its documents promise:
# a code that is not here is unknown. A message with an unknown result is never sent a second time.
ANSWERS: Final[Mapping[str, Verdict]] = {
    "OK": Verdict.ACCEPTED,
    "INVALID_NUMBER": Verdict.NUMBER,
    "TOO_MANY_MESSAGES": Verdict.THROTTLED_NUMBER,
    "TOO_MANY_CALLS": Verdict.THROTTLED_VENDOR,
    "ACCOUNT_SUSPENDED": Verdict.VENDOR_DOWN,
    "WRONG_KEY": Verdict.CONFIG,
}

# Which words say for certain that a message arrived, or that it did not? All others mean that it is under way.
RESULTS: Final[Mapping[str, bool]] = {"DELIVERED": True, "FAILED": False}


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `specimen`. What the vendor gave you in secret has the type `Secret`."""

    access_key: Annotated[Secret, Meta(description="The key of your account at the vendor.")]
    sender: Annotated[str, Meta(description="The sender's name, as registered with the vendor.")]
    endpoint: Annotated[str, Meta(description="The address of the vendor; https, or http on loopback.")] = (
        "https://sms.vendor.example/v1/messages"
    )
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time to hand over one message, in seconds.")
    ] = 5.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from find_endpoint_problems("endpoint", self.endpoint)


class SpecimenSender:
    """Send text messages, and read what the vendor says of them later.

    Implements `menshen.ports.delivery.Sender`, which tries once: others decide about a second try. Implements
    `ReceiptReader` and `ReceiptAsker` of `menshen.ports.receipts`. Leave out what your vendor does not have.
    """

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def send(self, handover: Handover) -> Accepted:
        answer = await answer_of(self._outward, self._request(handover))
        told = object_of(answer.body)
        code = _code_of(told)
        verdict = ANSWERS.get(code, Verdict.UNKNOWN)
        # A status alone proves nothing: a proxy on the way may have made it.
        if verdict is not Verdict.ACCEPTED or answer.status != 200:
            refuse(verdict, answer.status, code)
        # What does the vendor call the message? Receipts are found by it.
        return Accepted(receipt=str(told.get("id", "")))

    def read_push(self, push: Push) -> Pushed | Unsigned | None:
        # Does the vendor sign what it pushes? Then check that first. If not, the secret in the address must do.
        made = hmac.new(self._settings.access_key.encode(), push.url.encode() + push.body, "sha256").hexdigest()
        if not hmac.compare_digest(made.encode(), push.headers.get("x-vendor-signature", "").encode()):
            return Unsigned()
        told = object_of(push.body)
        receipt = _receipt_of(told)
        if receipt is None and not isinstance(told.get("result"), str):
            return None
        return Pushed([receipt] if receipt else [], answer=b'{"received":true}')

    async def ask_receipt(self, receipt: str, *, to: str, sent_at: Instant, nonce: str, now: Instant) -> Receipt | None:
        settings = self._settings
        headers = {"Authorization": f"Bearer {settings.access_key}"}
        url = f"{settings.endpoint}/{quote(receipt, safe='')}"
        answer = await answer_of(self._outward, Request("GET", url, headers, seconds=settings.timeout_seconds))
        told = object_of(answer.body)
        if answer.status != 200 or told.get("id") != receipt:
            code = _code_of(told)
            refuse(ANSWERS.get(code, Verdict.UNKNOWN), answer.status, code)
        if not isinstance(told.get("result"), str):
            raise DeliveryUnknown(f"HTTP {answer.status}")
        return _receipt_of(told)

    def _request(self, handover: Handover) -> Request:
        # How does the vendor want to be asked?
        settings = self._settings
        asked = {
            "from": settings.sender,
            "to": handover.message.to,
            "text": handover.text,
            "reference": str(handover.message_id),
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {settings.access_key}"}
        body = json.dumps(asked, ensure_ascii=False).encode()
        return Request("POST", settings.endpoint, headers, body, seconds=settings.timeout_seconds)


def _code_of(told: Mapping[str, object]) -> str:
    """Return the code of the vendor, "" for an answer that has none."""
    # Where does the vendor put its code?
    code = told.get("code")
    return code if isinstance(code, str) else ""


def _receipt_of(told: Mapping[str, object]) -> Receipt | None:
    """Return what the vendor says of one message, None while nothing is certain."""
    number, result, reason = told.get("id"), told.get("result"), told.get("reason", "")
    if not isinstance(number, str) or not isinstance(result, str) or result not in RESULTS:
        return None
    return Receipt(number, RESULTS[result], reason if isinstance(reason, str) else "")


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return SpecimenSender(settings, outward)
