"""Send text messages through Twilio, which gets their whole texts. (docs/contracts/vendors.md section 3, "Twilio".)"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, NoReturn, TypeGuard
from urllib.parse import urlencode, urlsplit

from msgspec import Meta, Struct, field

from menshen.adapters.delivery.exchanges import answer_of, form_of, object_of, refuse, seconds_in
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error, warning
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.outward.signatures.twilio import HEADER, is_signed
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Answer, Outward, Request
from menshen.ports.receipts import Push, Pushed, Receipt, Unsigned

ANSWERS: Final[Mapping[int, Verdict]] = {
    21211: Verdict.NUMBER,
    21217: Verdict.NUMBER,
    21610: Verdict.NUMBER,
    21614: Verdict.NUMBER,
    14107: Verdict.THROTTLED_VENDOR,
    20429: Verdict.THROTTLED_VENDOR,
    21611: Verdict.THROTTLED_VENDOR,
    10001: Verdict.VENDOR_DOWN,
    20005: Verdict.VENDOR_DOWN,
    20003: Verdict.CONFIG,
    20404: Verdict.CONFIG,
    21267: Verdict.CONFIG,
    21408: Verdict.CONFIG,
    21606: Verdict.CONFIG,
    21612: Verdict.CONFIG,
}

VALIDITY: Final = 300
"""Twilio drops a message that it could not pass on for so long (s): the life of a code."""

_DELIVERED: Final = frozenset({"delivered", "read"})
_FAILED: Final = frozenset({"failed", "undelivered"})
_ACCOUNT: Final = re.compile(r"AC[0-9a-fA-F]{32}", re.ASCII)
_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}", re.ASCII)
_MESSAGE: Final = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}", re.ASCII)
_SMALL_NUMBER: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_MOST_PARTS: Final = 32


_ENDPOINT: Final = "https://api.twilio.com"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `twilio`."""

    account_sid: Annotated[str, Meta(description="Your account: `AC` and 32 hexadecimal digits.")]
    auth_token: Annotated[
        Secret,
        Meta(description="The token of the account. It also checks the signatures of receipts. Or set `api_key`."),
    ] = Secret("")
    api_key: Annotated[Secret, Meta(description="A key of the account in place of `auth_token`.")] = Secret("")
    api_secret: Annotated[Secret, Meta(description="The secret of `api_key`.")] = Secret("")
    from_: Annotated[str, Meta(description="The number (with `+` and country) or name that messages come from.")] = (
        field(default="", name="from")
    )
    messaging_service_sid: Annotated[
        str, Meta(description="The messaging service that chooses the number, in place of `from`.")
    ] = ""
    status_callback: Annotated[
        Secret, Meta(description="The address of this server that Twilio sends receipts to; empty: none.")
    ] = Secret("")
    endpoint: Annotated[str, Meta(description="The address of the vendor; https, or http on loopback.")] = _ENDPOINT
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time to hand over one message, in seconds.")
    ] = 5.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        if not _ACCOUNT.fullmatch(self.account_sid):
            yield error("account_sid", "must be AC and 32 hexadecimal digits")
        if bool(self.auth_token) == bool(self.api_key or self.api_secret):
            yield error("auth_token", "or api_key with api_secret is needed: set one of the two ways")
        elif bool(self.api_key) != bool(self.api_secret):
            yield error("api_secret", "and api_key belong together: set both or none")
        if bool(self.from_) == bool(self.messaging_service_sid):
            yield error("from", "or messaging_service_sid is needed: set one of the two")
        if self.messaging_service_sid and not _SERVICE.fullmatch(self.messaging_service_sid):
            yield error("messaging_service_sid", "must be MG and 32 hexadecimal digits")
        if self.status_callback and any(find_endpoint_problems("status_callback", self.status_callback)):
            yield error("status_callback", "must be the https address that receipts go to")
        elif self.status_callback and not self.auth_token:
            yield warning("status_callback", "needs auth_token: without it, all receipts are refused as not signed")
        problems = [*find_endpoint_problems("endpoint", self.endpoint)]
        yield from problems
        if not problems and (urlsplit(self.endpoint).path.strip("/") or {"?", "#"} & {*self.endpoint}):
            yield error("endpoint", "must have nothing behind its host: the path is added")


class TwilioSender:
    """Send text messages and read their receipts.

    Implements `Sender` of `menshen.ports.delivery`, `ReceiptReader` and `ReceiptAsker` of `menshen.ports.receipts`.
    """

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def send(self, handover: Handover) -> Accepted:
        settings = self._settings
        form = {
            "To": handover.message.to,
            "StatusCallback": settings.status_callback,
            "ValidityPeriod": str(VALIDITY),
            "From": settings.from_,
            "MessagingServiceSid": settings.messaging_service_sid,
            "Body": handover.text,
        }
        body = urlencode({name: value for name, value in form.items() if value}).encode()
        answer = await answer_of(self._outward, self._request("POST", "Messages.json", body))
        told = object_of(answer.body)
        if answer.status != 201:
            _refuse(answer, told.get("code"))
        sid, status, code = told.get("sid"), told.get("status"), told.get("error_code")
        if isinstance(status, str) and status in _FAILED:
            _refuse(answer, code)
        if not isinstance(status, str) or code or not _is_message(sid):
            raise DeliveryUnknown(f"HTTP {answer.status}")
        return Accepted(sid, _parts(told.get("num_segments")))

    def read_push(self, push: Push) -> Pushed | Unsigned | None:
        form = form_of(push.body)
        if not is_signed(self._settings.auth_token, push.url, form.items(), push.headers.get(HEADER, "")):
            return Unsigned()
        if not _is_message(form.get("MessageSid")) or "MessageStatus" not in form:
            return None
        receipt = _receipt(form["MessageSid"], form["MessageStatus"], form.get("ErrorCode"))
        return Pushed([receipt] if receipt else [], content_type="text/plain")

    async def ask_receipt(self, receipt: str, *, to: str, sent_at: Instant, nonce: str, now: Instant) -> Receipt | None:
        if not _is_message(receipt):
            raise DeliveryFailed("not a number of a message at Twilio")
        answer = await answer_of(self._outward, self._request("GET", f"Messages/{receipt}.json"))
        told = object_of(answer.body)
        if answer.status != 200:
            _refuse(answer, told.get("code"))
        status = told.get("status")
        if told.get("sid") != receipt or not isinstance(status, str):
            raise DeliveryUnknown(f"HTTP {answer.status}")
        return _receipt(receipt, status, told.get("error_code"))

    def _request(self, method: str, path: str, body: bytes = b"") -> Request:
        settings = self._settings
        user, password = settings.account_sid, settings.auth_token
        if settings.api_key:
            user, password = settings.api_key, settings.api_secret
        headers = {
            "Accept": "application/json",
            **({"Content-Type": "application/x-www-form-urlencoded"} if body else {}),
            "Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii"),
        }
        url = f"{settings.endpoint.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}/{path}"
        own_host = settings.endpoint != _ENDPOINT
        return Request(method, url, headers, body, seconds=settings.timeout_seconds, own_host=own_host)


def _refuse(answer: Answer, code: object) -> NoReturn:
    """Raise what an answer means that is no acceptance.

    A status from 500 proves nothing, also with a code that is listed: the server itself is at fault.

    Raises:
        DeliveryFailed: the table lists the code.
        DeliveryUnknown: it does not, or the server was at fault.
    """
    listed = code if isinstance(code, int) and answer.status < 500 else 0
    verdict = ANSWERS.get(listed, Verdict.UNKNOWN)
    refuse(verdict, answer.status, str(listed), seconds_in(answer.headers.get("retry-after", "")))


def _is_message(sid: object) -> TypeGuard[str]:
    return isinstance(sid, str) and _MESSAGE.fullmatch(sid) is not None


def _parts(told: object) -> int:
    """Return the parts that Twilio counts. It says 0 while a messaging service has not chosen a number yet."""
    parts = int(_digits_of(told) or 1)
    return parts if 1 <= parts <= _MOST_PARTS else 1


def _digits_of(told: object) -> str:
    """Return a small whole number as Twilio writes it, in JSON or in a text, "" for anything else."""
    text = str(told) if isinstance(told, str | int) else ""
    return text if _SMALL_NUMBER.fullmatch(text) else ""


def _receipt(sid: str, status: str, code: object) -> Receipt | None:
    """Return what a status says of a message, None while it is under way."""
    if status in _DELIVERED:
        return Receipt(sid, delivered=True, code=status)
    if status in _FAILED:
        return Receipt(sid, delivered=False, code=_digits_of(code) or status)
    return None


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return TwilioSender(settings, outward)
