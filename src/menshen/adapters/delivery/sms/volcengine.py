"""Send text messages through Volcengine: SendSms of 2020-01-01. (docs/contracts/vendors.md section 3, "Volcengine".)

The vendor keeps the texts as templates, and names their places.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from menshen.adapters.delivery.exchanges import answer_of, object_of, refuse
from menshen.adapters.delivery.templated import TemplatedSettings
from menshen.adapters.delivery.vendor_words import code_in, id_in, is_header_word, judged, pushed_objects
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.identifiers import can_receive_sms, national
from menshen.core.outward.endpoints import find_origin_problems, origin_of
from menshen.core.outward.signatures.volcengine import VolcengineCall, VolcengineKey, headers_of, target_of
from menshen.core.secret import Secret
from menshen.ports.delivery import Accepted, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Outward, Request
from menshen.ports.receipts import Push, Pushed, Receipt

ANSWERS: Final[Mapping[str, Verdict]] = {
    "RE:0006": Verdict.NUMBER,
    "RE:0002": Verdict.VENDOR_DOWN,
    "RE:0010": Verdict.VENDOR_DOWN,
    "RE:0013": Verdict.VENDOR_DOWN,
    "RE:0000": Verdict.CONFIG,
    "RE:0001": Verdict.CONFIG,
    "RE:0003": Verdict.CONFIG,
    "RE:0004": Verdict.CONFIG,
    "RE:0005": Verdict.CONFIG,
    "RE:0007": Verdict.CONFIG,
    "RE:0009": Verdict.CONFIG,
    "RE:0011": Verdict.CONFIG,
    "RE:0012": Verdict.CONFIG,
}
"""What the vendor's codes say of a message. A message that it took has no code."""

_QUERY: Final = {"Action": "SendSms", "Version": "2020-01-01"}
_REGION: Final = "cn-north-1"
_SERVICE: Final = "volcSMS"
_MAINLAND: Final = "+86"
_DELIVERED: Final = "0"


_ENDPOINT: Final = "https://sms.volcengineapi.com"


class Settings(TemplatedSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `volcengine`."""

    home: ClassVar[tuple[str, ...]] = ("+86",)

    access_key_id: Annotated[Secret, Meta(description="The id of your key (Access Key ID).")]
    secret_access_key: Annotated[Secret, Meta(description="The secret of your key (Secret Access Key).")]
    sms_account: Annotated[
        str, Meta(min_length=1, description="The id of your message group in the vendor's console (SmsAccount).")
    ]
    sign_name: Annotated[str, Meta(min_length=1, description="The text of your approved signature (Sign).")]
    endpoint: Annotated[
        str, Meta(description="The address of the vendor without a path; https, or http on loopback.")
    ] = _ENDPOINT

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from TemplatedSettings.find_problems(self)
        yield from find_origin_problems("endpoint", self.endpoint)
        for key in ("access_key_id", "secret_access_key"):
            if not is_header_word(getattr(self, key)):
                yield error(key, "must be visible ASCII characters, at least one")
        for key, given in (("parameters", self.parameters), ("notice_parameters", self.notice_parameters)):
            if isinstance(given, list):
                yield error(key, "must be a table: the vendor names its places")


class VolcengineSender:
    """Send text messages. Implements `menshen.ports.delivery.Sender`, and reads receipts.

    It tries once: others decide about a second try.
    """

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def send(self, handover: Handover) -> Accepted:
        answer = await answer_of(self._outward, self._request(handover))
        told = object_of(answer.body)
        failed, message_id = _inside(told, "ResponseMetadata").get("Error"), _message_id_in(told)
        if failed is not None and not message_id:
            verdict, entry = judged(ANSWERS, answer.status, failed.get("Code") if isinstance(failed, dict) else None)
            refuse(verdict, answer.status, entry)
        if failed is not None or not message_id or answer.status != 200:
            raise DeliveryUnknown(f"HTTP {answer.status}")
        return Accepted(message_id)

    def read_push(self, push: Push) -> Pushed | None:
        given = [(id_in(one.get("message_id")), one.get("status_code")) for one in pushed_objects(push.body)]
        readable = [(receipt, status) for receipt, status in given if receipt and status and isinstance(status, str)]
        if not readable:
            return None
        return Pushed([Receipt(receipt, status == _DELIVERED, code_in(status)) for receipt, status in readable])

    def _request(self, handover: Handover) -> Request:
        settings, message = self._settings, handover.message
        parameters = settings.parameters_of(message)
        asked = {
            "SmsAccount": settings.sms_account,
            "Sign": settings.sign_name,
            "TemplateID": settings.template_of(message.template),
            "TemplateParam": json.dumps(parameters, ensure_ascii=False, separators=(",", ":")),
            "PhoneNumbers": _number_of(message.to),
            "Tag": str(handover.message_id),
        }
        origin, host = origin_of(settings.endpoint)
        body = json.dumps(asked).encode()
        call = VolcengineCall(host, _QUERY, _REGION, _SERVICE, handover.now, body)
        headers = headers_of(call, VolcengineKey(settings.access_key_id, settings.secret_access_key))
        url = f"{origin}{target_of(call)}"
        own_host, seconds = settings.endpoint != _ENDPOINT, settings.timeout_seconds
        return Request("POST", url, headers, body, seconds=seconds, own_host=own_host)


def _number_of(e164: str) -> str:
    """Return a number as the vendor wants it: 11 digits in mainland China, country code and number elsewhere.

    Where the digits alone are those of a mobile in mainland China too, such as those of +1 862 555 0123, the plus sign
    stays. Without it the code would go to a stranger.
    """
    digits = national(e164).removeprefix("+")
    abroad = e164.startswith("+") and not e164.startswith(_MAINLAND)
    return e164 if abroad and can_receive_sms(_MAINLAND + digits, (_MAINLAND,)) else digits


def _inside(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = told.get(key)
    return inner if isinstance(inner, dict) else {}


def _message_id_in(told: Mapping[str, Any]) -> str:
    """Return the vendor's number of the one message, "" for none or several."""
    ids = _inside(told, "Result").get("MessageID")
    return id_in(ids[0]) if isinstance(ids, list) and len(ids) == 1 else ""


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return VolcengineSender(settings, outward)
