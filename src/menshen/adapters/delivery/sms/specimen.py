"""Show a sender to copy: text messages through a vendor that does not exist.

Copy this file under the name of your vendor, and `tests/adapters/delivery/specimen.json` with it. The name of the file
is the type that the settings write; there is no list to edit. Then answer the questions in the comments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct

from menshen.adapters.delivery.exchanges import answer_of, object_of, refuse
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.secret import Secret
from menshen.ports.delivery import Accepted, Handover, Sender
from menshen.ports.outward import Outward, Request

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
    """Send text messages. Implements `menshen.ports.delivery.Sender`.

    It tries once: others decide about a second try.
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


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return SpecimenSender(settings, outward)
