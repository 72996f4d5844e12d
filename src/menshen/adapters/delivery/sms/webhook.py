"""Send text messages to an address of your own, which passes them to the carrier.

One POST for each message, JSON, signed: `X-Menshen-Signature` is the hex HMAC-SHA256 of the timestamp header, a dot
and the body. The timestamp is the time of the try. Any 2xx accepts it. Your side must answer each `id` once: the same
id means the same message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from menshen.adapters.delivery.exchanges import answer_of, seconds_in
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.networks import is_loopback
from menshen.core.secret import Secret
from menshen.core.time import SECOND
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Outward, Request


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `webhook`."""

    repeatable: ClassVar[bool] = True

    url: Annotated[str, Meta(description="The address that receives messages by POST; https, or http on loopback.")]
    secret: Annotated[Secret, Meta(description="The key that signs messages: 16 characters or more.")]
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time to hand over one message, in seconds.")
    ] = 10.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        address = urlsplit(self.url)
        if address.scheme not in {"http", "https"} or not address.hostname or not _can_be_asked(self.url):
            yield error("url", "must be the http(s) address that messages go to")
        elif address.scheme == "http" and not is_loopback(address.hostname):
            yield error("url", f"would send codes in clear to {address.hostname}: use https")
        if len(self.secret) < 16:
            yield error("secret", "must have 16 characters or more to sign with")


def _can_be_asked(url: str) -> bool:
    """Return whether the address has a port that exists, and no character that a request cannot carry."""
    try:
        urlsplit(url).port  # noqa: B018 - it raises
    except ValueError:
        return False
    return url.isascii() and url.isprintable() and " " not in url


class WebhookSender:
    """Send text messages. Implements `menshen.ports.delivery.Sender`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Connect nothing before the first message."""
        self._settings = settings
        self._outward = outward

    async def send(self, handover: Handover) -> Accepted:
        answer = await answer_of(self._outward, self._request(handover))
        if 200 <= answer.status < 300:
            return Accepted()
        if answer.status in {429, 503}:
            # Its own rule: these two say that nothing was taken on. Any other status leaves that open.
            wait = seconds_in(answer.headers.get("retry-after", ""))
            raise DeliveryFailed(f"HTTP {answer.status}", Verdict.THROTTLED_VENDOR, retry_after=wait)
        raise DeliveryUnknown(f"HTTP {answer.status}")

    def _request(self, handover: Handover) -> Request:
        message = handover.message
        told = {
            "id": hashlib.sha256(f"{message.to}|{message.created_at}|{message.template}".encode()).hexdigest()[:32],
            "to": message.to,
            "template": message.template.value,
            "language": message.language,
            "code": message.code,
            "detail": message.detail,
            "text": handover.text,
        }
        body = json.dumps(told, ensure_ascii=False).encode()
        stamp = str(handover.now // SECOND)
        signature = hmac.new(self._settings.secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Menshen-Timestamp": stamp,
            "X-Menshen-Signature": signature,
        }
        seconds = self._settings.timeout_seconds
        return Request(
            "POST", self._settings.url, headers, body, seconds=seconds, connect_seconds=seconds, own_host=True
        )


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return WebhookSender(settings, outward)
