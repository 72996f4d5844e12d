"""Show a sender to copy: text messages through a vendor that does not exist.

Copy this file under the name of your vendor, and `tests/adapters/delivery/specimen.json` with it. The name of the file
is the type that the settings write; there is no list to edit. Then answer the questions in the comments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from menshen.core.codes.messages import Message
from menshen.core.findings import Finding, error
from menshen.core.networks import is_loopback
from menshen.core.secret import Secret
from menshen.ports.delivery import DeliveryFailed, DeliveryUnknown, Sender, Verdict
from menshen.ports.outward import Answer, NotReached, Outward, Request, Unknown
from menshen.texts.reader import text_of

# Which codes does the vendor answer with, and what do they say of the message? List only what its documents promise:
# a code that is not here is unknown. A message with an unknown result is never sent a second time.
ANSWERS: Final[Mapping[str, Verdict]] = {
    "OK": Verdict.ACCEPTED,
    "INVALID_NUMBER": Verdict.REFUSED,
    "TOO_MANY_MESSAGES": Verdict.REFUSED,
    "ACCOUNT_SUSPENDED": Verdict.REFUSED,
    "WRONG_KEY": Verdict.REFUSED,
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
        address = urlsplit(self.endpoint)
        if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname or "")):
            yield error("endpoint", "must be an https address, or http on loopback")


class SpecimenSender:
    """Send text messages. Implements `menshen.ports.delivery.Sender`.

    It tries once: others decide about a second try.
    """

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def send(self, message: Message) -> None:
        match await self._outward.exchange(self._request(message)):
            case NotReached(reason):
                raise DeliveryFailed(reason)
            case Unknown(reason):
                raise DeliveryUnknown(reason)
            case Answer() as answer:
                _judge(answer)

    def _request(self, message: Message) -> Request:
        # How does the vendor want to be asked?
        settings = self._settings
        asked = {
            "from": settings.sender,
            "to": message.to,
            "text": text_of(message.text_id, message.language, **message.values),
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {settings.access_key}"}
        body = json.dumps(asked, ensure_ascii=False).encode()
        return Request("POST", settings.endpoint, headers, body, seconds=settings.timeout_seconds)


def _judge(answer: Answer) -> None:
    """Return when the vendor took the message. Raises DeliveryFailed or DeliveryUnknown.

    The exceptions hold neither number nor code. A status alone proves nothing: a proxy on the way may have made it.
    """
    code = _code_of(answer)
    match ANSWERS.get(code):
        case Verdict.ACCEPTED if answer.status == 200:
            return
        case Verdict.REFUSED:
            raise DeliveryFailed(f"HTTP {answer.status} {code}")
        case _:
            raise DeliveryUnknown(f"HTTP {answer.status}")


def _code_of(answer: Answer) -> str:
    """Return the code of the vendor, "" for an answer that has none."""
    # Where does the vendor put its code?
    try:
        code = json.loads(answer.body)["code"]
    except (ValueError, LookupError, TypeError):
        return ""
    return code if isinstance(code, str) else ""


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return SpecimenSender(settings, outward)
