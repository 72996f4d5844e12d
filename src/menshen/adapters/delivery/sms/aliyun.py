"""Send text messages through the SMS service of Aliyun (Dysmsapi 2017-05-25), over an account of mainland China.

Numbers abroad need a template for them, so they need a sender of their own. Those whose digits are a mobile of the
mainland, too, such as +1 862 555 0123, are left to the next sender. (docs/contracts/vendors.md section 3.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from menshen.adapters.delivery.aliyun_calls import (
    PUSH_ANSWER,
    AliyunCalls,
    KeyId,
    KeySecret,
    demand_accepted,
    dialled,
    find_call_problems,
    find_list_problems,
    pushed_items,
    receipt_in,
    result_in,
    template_text,
)
from menshen.adapters.delivery.templated import TemplatedSettings
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.outward.signatures.acs3 import Acs3Key
from menshen.core.time import SECOND, Instant
from menshen.ports.delivery import Accepted, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Outward
from menshen.ports.receipts import Push, Pushed, Receipt

ANSWERS: Final[Mapping[str, Verdict]] = {
    "OK": Verdict.ACCEPTED,
    "isv.MOBILE_NUMBER_ILLEGAL": Verdict.NUMBER,
    "isv.BUSINESS_LIMIT_CONTROL": Verdict.THROTTLED_NUMBER,
    "isv.OUT_OF_SERVICE": Verdict.VENDOR_DOWN,
    "isv.AMOUNT_NOT_ENOUGH": Verdict.VENDOR_DOWN,
    "isv.DAY_LIMIT_CONTROL": Verdict.VENDOR_DOWN,
    "isv.MONTH_LIMIT_CONTROL": Verdict.VENDOR_DOWN,
    "isv.ACCOUNT_ABNORMAL": Verdict.VENDOR_DOWN,
    "isv.SMS_TEMPLATE_ILLEGAL": Verdict.CONFIG,
    "isv.SMS_SIGNATURE_ILLEGAL": Verdict.CONFIG,
    "isv.SMS_SIGN_ILLEGAL": Verdict.CONFIG,
    "isv.SIGN_STATE_ILLEGAL": Verdict.CONFIG,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": Verdict.CONFIG,
    "isv.TEMPLATE_MISSING_PARAMETERS": Verdict.CONFIG,
    "isv.INVALID_PARAMETERS": Verdict.CONFIG,
    "isv.INVALID_JSON_PARAM": Verdict.CONFIG,
    "isv.BLACK_KEY_CONTROL_LIMIT": Verdict.CONFIG,
    "isv.DENY_IP_RANGE": Verdict.CONFIG,
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": Verdict.CONFIG,
    "isp.RAM_PERMISSION_DENY": Verdict.CONFIG,
    "isv.PRODUCT_UN_SUBSCRIPT": Verdict.CONFIG,
    "isp.SYSTEM_ERROR": Verdict.UNKNOWN,
}
"""What the service answers; the gateway before it has a table of its own."""

_ENDPOINT: Final = "https://dysmsapi.aliyuncs.com"
_VERSION: Final = "2017-05-25"
_CHINA: Final = timezone(timedelta(hours=8))
_RESULTS: Final = {1: None, 2: False, 3: True}
"""`SendStatus` of an asked receipt: under way, failed, delivered."""


class Settings(TemplatedSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `aliyun`."""

    home: ClassVar[tuple[str, ...]] = ("+86",)

    access_key_id: KeyId
    access_key_secret: KeySecret
    sign_name: Annotated[str, Meta(description="The signature of messages, as Aliyun approved it: its text.")]
    endpoint: Annotated[
        str, Meta(description="The address of the service: another region has another; https, or http on loopback.")
    ] = _ENDPOINT

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from super().find_problems()
        yield from find_call_problems(self.access_key_id, self.access_key_secret, self.endpoint)
        yield from find_list_problems(self)
        if not self.sign_name:
            yield error("sign_name", "must be the text of an approved signature")


class AliyunSender:
    """Send text messages. Implements `menshen.ports.delivery.Sender`, and both ports of `menshen.ports.receipts`."""

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
        told = await self._calls.ask("SendSms", self._asked(handover), nonce=handover.nonce, now=handover.now)
        demand_accepted(told, ANSWERS)
        return Accepted(receipt=receipt_in(told.values.get("BizId")))

    def _asked(self, handover: Handover) -> dict[str, str]:
        settings, message = self._settings, handover.message
        asked = {
            "PhoneNumbers": dialled(message.to),
            "SignName": settings.sign_name,
            "TemplateCode": settings.template_of(message.template),
            "OutId": str(handover.message_id),
        }
        if parameters := template_text(settings, message):
            asked["TemplateParam"] = parameters
        return asked

    def read_push(self, push: Push) -> Pushed | None:
        """Read a push as the port says. Aliyun signs nothing: the address is what keeps others out."""
        items = pushed_items(push)
        if items is None:
            return None
        receipts = [receipt for receipt in map(_pushed, items) if receipt]
        return Pushed(receipts, PUSH_ANSWER) if len(receipts) == len(items) else None

    async def ask_receipt(self, receipt: str, *, to: str, sent_at: Instant, nonce: str, now: Instant) -> Receipt | None:
        asked = {
            "PhoneNumber": dialled(to),
            "BizId": receipt,
            # The vendor keeps messages by the days of China.
            "SendDate": datetime.fromtimestamp(sent_at // SECOND, UTC).astimezone(_CHINA).strftime("%Y%m%d"),
            "PageSize": "10",
            "CurrentPage": "1",
        }
        told = await self._calls.ask("QuerySendDetails", asked, nonce=nonce, now=now)
        demand_accepted(told, ANSWERS)
        return _asked_receipt(receipt, told.values)


def _pushed(item: Mapping[str, Any]) -> Receipt | None:
    """Return one receipt of a push, None for an object of another form."""
    receipt, delivered, code = receipt_in(item.get("biz_id")), item.get("success"), item.get("err_code", "")
    if not receipt or not isinstance(delivered, bool) or not isinstance(code, str):
        return None
    return Receipt(receipt, delivered, result_in(code))


def _asked_receipt(receipt: str, values: Mapping[str, Any]) -> Receipt | None:
    """Return what an accepted answer to a question says, None while the message is under way or not listed.

    Raises:
        DeliveryUnknown: the answer has another form.
    """
    outer = values.get("SmsSendDetailDTOs")
    details = outer.get("SmsSendDetailDTO") if isinstance(outer, dict) else None
    if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details):
        raise DeliveryUnknown("an answer without SmsSendDetailDTO")
    if len(details) != 1:
        return None
    status = details[0].get("SendStatus")
    delivered = _RESULTS.get(status) if isinstance(status, int) else None
    return None if delivered is None else Receipt(receipt, delivered, result_in(details[0].get("ErrCode")))


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return AliyunSender(settings, outward)
