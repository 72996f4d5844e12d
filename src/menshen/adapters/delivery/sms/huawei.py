"""Send text messages through Huawei Cloud, which keeps their texts. (docs/contracts/vendors.md section 3, "Huawei".)

Huawei does not sign its receipts: the secret in their address is all that proves them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlencode, urlsplit

from msgspec import Meta, field

from menshen.adapters.delivery.exchanges import answer_of, form_of, object_of, refuse
from menshen.adapters.delivery.templated import TemplatedSettings
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.outward.signatures.sdk_hmac import DATE, PAYLOAD, UNSIGNED, authorization, date_of
from menshen.core.secret import Secret
from menshen.ports.delivery import Accepted, DeliveryFailed, Handover, Sender
from menshen.ports.outward import Outward, Request
from menshen.ports.receipts import Push, Pushed, Receipt

ACCEPTED: Final = "000000"

SEE_RESULT: Final = frozenset({ACCEPTED, "E000510"})
"""Codes beside which the number has a code of its own, the more exact one."""

ANSWERS: Final[Mapping[str, Verdict]] = {
    # Codes of the whole request: the header of authorization, the key, the clock, the source address.
    **dict.fromkeys((f"E00000{digit}" for digit in range(1, 9)), Verdict.CONFIG),
    **dict.fromkeys((f"E00002{digit}" for digit in range(8)), Verdict.CONFIG),
    **dict.fromkeys(("E000040", "E000045"), Verdict.CONFIG),
    **dict.fromkeys((f"E00010{digit}" for digit in range(1, 7)), Verdict.CONFIG),
    **dict.fromkeys(("E000110", "E000111", "E000620"), Verdict.CONFIG),
    "E000109": Verdict.VENDOR_DOWN,
    "E000112": Verdict.VENDOR_DOWN,
    # Codes of the number's own result: all of them are about the template.
    **dict.fromkeys(("E200028", "E200029", "E200030", "E200033"), Verdict.CONFIG),
}

_PATH: Final = "/sms/batchSendSms/v1"
_DELIVERED: Final = "DELIVRD"
_UNDER_WAY: Final = frozenset({"ACCEPTD", "ENROUTE", "UNKNOWN"})
_MESSAGE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# No run of digits is long enough for a number of a person.
_STATUS: Final = re.compile(r"(?!.*[0-9]{7})[A-Za-z0-9][A-Za-z0-9:._-]{0,31}", re.ASCII)


_ENDPOINT: Final = "https://smsapi.cn-north-4.myhuaweicloud.com"


class Settings(TemplatedSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `huawei`."""

    home: ClassVar[tuple[str, ...]] = ("+86",)

    app_key: Annotated[Secret, Meta(description="The key of your SMS application.")]
    app_secret: Annotated[Secret, Meta(description="The secret of that application.")]
    from_: Annotated[str, Meta(description="The number of the channel that the signature belongs to.")] = field(
        name="from"
    )
    signature: Annotated[
        str, Meta(description="The name in front of the text; for general templates only, else empty.")
    ] = ""
    parameters: Annotated[
        list[str],
        Meta(description="What a code's template gets, by places. `{code}`, `{minutes}` and `{detail}` are replaced."),
    ] = field(default_factory=lambda: ["{code}"])
    notice_parameters: Annotated[
        list[str], Meta(description="What the template of a notice gets, as `parameters`.")
    ] = field(default_factory=list)
    status_callback: Annotated[
        Secret, Meta(description="The address of this server that Huawei sends receipts to; empty: none.")
    ] = Secret("")
    endpoint: Annotated[
        str, Meta(description="The address of your application's region; https, or http on loopback.")
    ] = _ENDPOINT

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from super().find_problems()
        for key in ("app_key", "app_secret"):
            if not getattr(self, key):
                yield error(key, "is empty")
        if not self.from_:
            yield error("from", "must be the number of a channel")
        if self.status_callback and any(find_endpoint_problems("status_callback", self.status_callback)):
            yield error("status_callback", "must be the https address that receipts go to")
        problems = [*find_endpoint_problems("endpoint", self.endpoint)]
        yield from problems
        if not problems and (urlsplit(self.endpoint).path.strip("/") or {"?", "#"} & {*self.endpoint}):
            yield error("endpoint", f"must have nothing behind its host and port: {_PATH} is added")


class HuaweiSender:
    """Send text messages and read their receipts.

    Implements `Sender` of `menshen.ports.delivery` and `ReceiptReader` of `menshen.ports.receipts`.
    """

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def send(self, handover: Handover) -> Accepted:
        if not self._settings.serves(handover.message.template):
            raise DeliveryFailed("no template for such a message", Verdict.CONFIG)
        answer = await answer_of(self._outward, self._request(handover))
        told = object_of(answer.body)
        result = _result_of(told)
        whole, receipt = _text_in(told, "code"), _text_in(result, "smsMsgId")
        code = _text_in(result, "status") if whole in SEE_RESULT else whole
        if (answer.status, whole, code) != (200, ACCEPTED, ACCEPTED) or not _MESSAGE.fullmatch(receipt):
            # A server that is at fault proves nothing.
            verdict = ANSWERS.get(code, Verdict.UNKNOWN) if answer.status < 500 else Verdict.UNKNOWN
            refuse(verdict, answer.status, code)
        return Accepted(receipt)

    def read_push(self, push: Push) -> Pushed | None:
        form = form_of(push.body)
        receipt, status = form.get("smsMsgId", ""), form.get("status", "")
        if not _MESSAGE.fullmatch(receipt) or not status:
            return None
        if status in _UNDER_WAY:
            return Pushed([])
        shown = status if _STATUS.fullmatch(status) else ""
        return Pushed([Receipt(receipt, delivered=status == _DELIVERED, code=shown)])

    def _request(self, handover: Handover) -> Request:
        settings = self._settings
        message = handover.message
        form = {
            "from": settings.from_,
            "to": message.to,
            "templateId": settings.template_of(message.template),
            "templateParas": json.dumps(settings.parameters_of(message), ensure_ascii=False, separators=(",", ":")),
            "signature": settings.signature,
            "statusCallback": settings.status_callback,
            "extend": str(handover.message_id),
        }
        body = urlencode({name: value for name, value in form.items() if value}).encode()
        url = settings.endpoint.rstrip("/") + _PATH
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            PAYLOAD: UNSIGNED,
            DATE: date_of(handover.now),
            # The host is signed as it is sent.
            "Host": urlsplit(url).netloc.rpartition("@")[2],
        }
        signed = authorization(settings.app_key, settings.app_secret, "POST", url, headers)
        own_host, seconds = settings.endpoint != _ENDPOINT, settings.timeout_seconds
        return Request("POST", url, headers | {"Authorization": signed}, body, seconds=seconds, own_host=own_host)


def _result_of(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the result of the only number that was asked for, {} for an answer without one."""
    results = told.get("result")
    if not isinstance(results, list) or len(results) != 1:
        return {}
    return results[0] if isinstance(results[0], dict) else {}


def _text_in(told: Mapping[str, Any], key: str) -> str:
    text = told.get(key)
    return text if isinstance(text, str) else ""


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return HuaweiSender(settings, outward)
