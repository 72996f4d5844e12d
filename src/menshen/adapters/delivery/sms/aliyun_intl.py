"""Send text messages through the international site of Aliyun (Dysmsapi 2018-05-01).

It takes our own text, but to mainland China a template. `To` always begins with the country code, 86 for the mainland,
so +1 862 555 0123 is no number there. (docs/contracts/vendors.md section 3.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, field

from menshen.adapters.delivery.aliyun_calls import (
    PUSH_ANSWER,
    AliyunCalls,
    KeyId,
    KeySecret,
    demand_accepted,
    find_call_problems,
    find_list_problems,
    is_mainland,
    pushed_items,
    receipt_in,
    refuse_number,
    result_in,
    template_text,
)
from menshen.adapters.delivery.templated import TemplatedSettings
from menshen.core.delivery.messages import Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.outward.signatures.acs3 import Acs3Key
from menshen.ports.delivery import Accepted, Handover, Sender
from menshen.ports.outward import Outward
from menshen.ports.receipts import Push, Pushed, Receipt

ANSWERS: Final[Mapping[str, Verdict]] = {
    "OK": Verdict.ACCEPTED,
    "MOBILE_NUMBER_ILLEGAL": Verdict.NUMBER,
    "OUT_OF_SERVICE": Verdict.VENDOR_DOWN,
    "INVALID_SENDERID": Verdict.CONFIG,
    "FORBIDDEN_ACTION": Verdict.CONFIG,
    "ACCOUNT_NOT_EXISTS": Verdict.CONFIG,
    "SMS_CONTENT_CODE_ILLEGAL": Verdict.CONFIG,
    "SMS_SIGN_NAME_ILLEGAL": Verdict.CONFIG,
    "CONTENT_MISSING_PARAMETERS": Verdict.CONFIG,
    "INVALID_PARAMETERS": Verdict.CONFIG,
    "INVALID_JSON_PARAM": Verdict.CONFIG,
    "isv.MOBILE_NUMBER_ILLEGAL": Verdict.NUMBER,
    "isv.BUSINESS_LIMIT_CONTROL": Verdict.THROTTLED_NUMBER,
    "isv.OUT_OF_SERVICE": Verdict.VENDOR_DOWN,
    "isv.AMOUNT_NOT_ENOUGH": Verdict.VENDOR_DOWN,
    "isv.ACCOUNT_ABNORMAL": Verdict.VENDOR_DOWN,
    "isv.INVALID_PARAMETERS": Verdict.CONFIG,
    "isv.INVALID_JSON_PARAM": Verdict.CONFIG,
    "isv.BLACK_KEY_CONTROL_LIMIT": Verdict.CONFIG,
    "isp.RAM_PERMISSION_DENY": Verdict.CONFIG,
    "isv.PRODUCT_UN_SUBSCRIPT": Verdict.CONFIG,
    "isp.SYSTEM_ERROR": Verdict.UNKNOWN,
}
"""What the service answers; older documents of the vendor write `isv.` before the codes. The gateway has its own."""

_ENDPOINT: Final = "https://dysmsapi.ap-southeast-1.aliyuncs.com"
_VERSION: Final = "2018-05-01"
_RESULTS: Final = {"1": True, "2": False, "6": False}
"""`Status` of a pushed receipt: delivered, failed, expired. Others are under way."""


class Settings(TemplatedSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `aliyun_intl`."""

    access_key_id: KeyId
    access_key_secret: KeySecret
    from_: Annotated[
        str, Meta(description="The sender's id that people abroad see; empty: the vendor chooses one.")
    ] = field(name="from", default="")
    sign_name: Annotated[
        str, Meta(description="The signature of messages to mainland China, as Aliyun approved it: its text.")
    ] = ""
    templates: Annotated[
        dict[str, str],
        Meta(
            description="The templates of messages to mainland China, as for other senders. Without them it sends none "
            "there; messages abroad need none."
        ),
    ] = field(default_factory=dict)
    endpoint: Annotated[
        str, Meta(description="The address of the service: another region has another; https, or http on loopback.")
    ] = _ENDPOINT

    def serves(self, template: Template) -> bool:
        """Tell that every message is served: abroad none needs a template."""
        return True

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from super().find_problems()
        yield from find_call_problems(self.access_key_id, self.access_key_secret, self.endpoint)
        yield from find_list_problems(self)
        if self.templates and not self.sign_name:
            yield error("sign_name", "must be the text of an approved signature, where there are templates")


class AliyunIntlSender:
    """Send text messages. Implements `menshen.ports.delivery.Sender` and `menshen.ports.receipts.ReceiptReader`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._calls = AliyunCalls(
            outward,
            Acs3Key(settings.access_key_id, settings.access_key_secret),
            endpoint=settings.endpoint,
            version=_VERSION,
            seconds=settings.timeout_seconds,
            own_host=settings.endpoint != _ENDPOINT,
        )

    async def send(self, handover: Handover) -> Accepted:
        mainland = is_mainland(handover.message.to)
        action = "SendMessageWithTemplate" if mainland else "SendMessageToGlobe"
        asked = self._by_template(handover) if mainland else self._by_text(handover)
        told = await self._calls.ask(action, asked, nonce=handover.nonce, now=handover.now)
        demand_accepted(told, ANSWERS, code_key="ResponseCode")
        return Accepted(receipt=receipt_in(told.values.get("MessageId")))

    def _by_template(self, handover: Handover) -> dict[str, str]:
        settings, message = self._settings, handover.message
        template = settings.template_of(message.template)
        if not template:
            refuse_number("there is no template for mainland China")
        asked = {"To": message.to.removeprefix("+"), "From": settings.sign_name, "TemplateCode": template}
        if parameters := template_text(settings, message):
            asked["TemplateParam"] = parameters
        return asked

    def _by_text(self, handover: Handover) -> dict[str, str]:
        asked = {
            "To": handover.message.to.removeprefix("+"),
            "Message": handover.text,
            "Type": "OTP" if handover.message.template.has_code else "NOTIFY",
        }
        if self._settings.from_:
            asked["From"] = self._settings.from_
        return asked

    def read_push(self, push: Push) -> Pushed | None:
        """Read a push as the port says. Aliyun signs nothing: the address is what keeps others out."""
        items = pushed_items(push)
        if items is None or not all(map(_is_receipt, items)):
            return None
        done = [item for item in items if item["Status"] in _RESULTS]
        return Pushed([_receipt_of(item) for item in done], PUSH_ANSWER)


def _is_receipt(item: Mapping[str, Any]) -> bool:
    texts = (item.get("Status"), item.get("ErrorCode", ""))
    return bool(receipt_in(item.get("MessageId"))) and all(isinstance(text, str) for text in texts)


def _receipt_of(item: Mapping[str, Any]) -> Receipt:
    return Receipt(item["MessageId"], _RESULTS[item["Status"]], result_in(item.get("ErrorCode")))


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return AliyunIntlSender(settings, outward)
