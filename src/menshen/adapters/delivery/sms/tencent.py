"""Send text messages through Tencent Cloud: API SMS of 2021-01-11. (docs/contracts/vendors.md section 3, "Tencent".)

The vendor keeps the texts as templates, and counts their places. It answers with HTTP 200 to refusals too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from menshen.adapters.delivery.exchanges import answer_of, object_of, refuse
from menshen.adapters.delivery.templated import Parameters, TemplatedSettings
from menshen.adapters.delivery.vendor_words import (
    code_in,
    id_in,
    is_header_word,
    judged,
    objects_in,
    parts_in,
    pushed_objects,
)
from menshen.core.delivery.messages import Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.outward.endpoints import find_origin_problems, origin_of
from menshen.core.outward.signatures.tc3 import Tc3Call, Tc3Key, headers_of
from menshen.core.secret import Secret
from menshen.core.time import CLOCK_BOUND, DAY, SECOND, Instant
from menshen.ports.delivery import Accepted, DeliveryFailed, DeliveryUnknown, Handover, Sender
from menshen.ports.outward import Answer, Outward, Request
from menshen.ports.receipts import Push, Pushed, Receipt

ANSWERS: Final[Mapping[str, Verdict]] = {
    "Ok": Verdict.ACCEPTED,
    "InvalidParameterValue.IncorrectPhoneNumber": Verdict.NUMBER,
    "FailedOperation.PhoneNumberInBlacklist": Verdict.NUMBER,
    "FailedOperation.PhoneNumberParseFail": Verdict.NUMBER,
    "LimitExceeded.PhoneNumberThirtySecondLimit": Verdict.THROTTLED_NUMBER,
    "LimitExceeded.PhoneNumberOneHourLimit": Verdict.THROTTLED_NUMBER,
    "LimitExceeded.PhoneNumberDailyLimit": Verdict.THROTTLED_NUMBER,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": Verdict.THROTTLED_NUMBER,
    "LimitExceeded.DeliveryFrequencyLimit": Verdict.THROTTLED_NUMBER,
    "RequestLimitExceeded": Verdict.THROTTLED_VENDOR,
    "LimitExceeded.GlobalSmsSendingRateLimit": Verdict.THROTTLED_VENDOR,
    "FailedOperation.InsufficientBalanceInSmsPackage": Verdict.VENDOR_DOWN,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Verdict.VENDOR_DOWN,
    "UnauthorizedOperation.SdkAppIdIsDisabled": Verdict.VENDOR_DOWN,
    "LimitExceeded.AppDailyLimit": Verdict.VENDOR_DOWN,
    "LimitExceeded.AppGlobalDailyLimit": Verdict.VENDOR_DOWN,
    "LimitExceeded.AppMainlandChinaDailyLimit": Verdict.VENDOR_DOWN,
    "LimitExceeded.AppCountryOrRegionDailyLimit": Verdict.VENDOR_DOWN,
    "LimitExceeded.DailyLimit": Verdict.VENDOR_DOWN,
    "AuthFailure.*": Verdict.CONFIG,
    "UnauthorizedOperation.*": Verdict.CONFIG,
    "MissingParameter*": Verdict.CONFIG,
    "InvalidParameter*": Verdict.CONFIG,
    "UnsupportedOperation.*": Verdict.CONFIG,
    "FailedOperation.Template*": Verdict.CONFIG,
    "FailedOperation.Signature*": Verdict.CONFIG,
    "FailedOperation.ContainSensitiveWord": Verdict.CONFIG,
    "FailedOperation.FailResolvePacket": Verdict.CONFIG,
    "LimitExceeded.AppCountryOrRegionInBlacklist": Verdict.CONFIG,
}
"""What the vendor's codes say of a message. An entry that ends in `*` is about all codes that begin so."""

_VERSION: Final = "2021-01-11"
_MAINLAND: Final = "+86"
_MOST_DIGITS: Final = 6
_ANSWER_TO_PUSH: Final = b'{"result":0,"errmsg":"OK"}'
_DELIVERED: Final = {"SUCCESS": True, "FAIL": False}
_OLDEST_RECEIPT: Final = 7 * DAY
_RECEIPTS_ASKED: Final = 10


_ENDPOINT: Final = "https://sms.tencentcloudapi.com"


class Settings(TemplatedSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `tencent`."""

    home: ClassVar[tuple[str, ...]] = ("+86",)

    secret_id: Annotated[Secret, Meta(description="The id of your key (SecretId).")]
    secret_key: Annotated[Secret, Meta(description="The secret of your key (SecretKey).")]
    sdk_app_id: Annotated[
        str, Meta(min_length=1, description="The id of your application in the vendor's console (SmsSdkAppId).")
    ]
    sign_name: Annotated[
        str,
        Meta(
            description="The text of your approved signature, not its id. Numbers of mainland China need one; it may "
            "be empty for other countries."
        ),
    ] = ""
    sender_id: Annotated[str, Meta(description="Your own sender ID for countries that know such; empty for none.")] = ""
    region: Annotated[
        str,
        Meta(
            min_length=1,
            description="The vendor's region: ap-guangzhou, ap-beijing or ap-nanjing; ap-singapore for an account of "
            "other countries.",
        ),
    ] = "ap-guangzhou"
    endpoint: Annotated[
        str, Meta(description="The address of the vendor without a path; https, or http on loopback.")
    ] = _ENDPOINT
    parameters: Annotated[
        Parameters,
        Meta(
            description="What a code's template gets, by places: a list of digits, at most six in each. `{code}` and "
            "`{minutes}` are replaced."
        ),
    ] = field(default_factory=lambda: ["{code}"])

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from TemplatedSettings.find_problems(self)
        yield from find_origin_problems("endpoint", self.endpoint)
        for key in ("secret_id", "secret_key", "region"):
            if not is_header_word(getattr(self, key)):
                yield error(key, "must be visible ASCII characters, at least one")
        for key, given in (("parameters", self.parameters), ("notice_parameters", self.notice_parameters)):
            if isinstance(given, dict) and given:
                yield error(key, "must be a list: the vendor counts places")
        if isinstance(self.parameters, list) and any(self.serves(one) for one in Template if one.has_code):
            yield from self._find_other_than_digits(self.parameters)

    def _find_other_than_digits(self, places: list[str]) -> Iterator[Finding]:
        """Find the places of a code's template that would come to something else than up to six digits."""
        for text in places:
            filled = text.replace("{code}", "0" * _MOST_DIGITS).replace("{minutes}", "5")
            if filled and not (filled.isascii() and filled.isdigit() and len(filled) <= _MOST_DIGITS):
                yield error("parameters", f"{text!r} is not up to six digits, and a code's template takes nothing else")


class TencentSender:
    """Send text messages. Implements `menshen.ports.delivery.Sender`, and reads and asks for receipts.

    It tries once: others decide about a second try.
    """

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def send(self, handover: Handover) -> Accepted:
        settings, message = self._settings, handover.message
        if message.to.startswith(_MAINLAND) and not settings.sign_name:
            # The vendor would refuse it. The breaker and the alarm are the same without a call.
            raise DeliveryFailed("sign_name is empty, and the mainland needs it", Verdict.CONFIG)
        places = settings.parameters_of(message)
        asked: dict[str, Any] = {
            "PhoneNumberSet": [message.to],
            "SmsSdkAppId": settings.sdk_app_id,
            "TemplateId": settings.template_of(message.template),
        }
        if settings.sign_name:
            asked["SignName"] = settings.sign_name
        asked["TemplateParamSet"] = places if isinstance(places, list) else [*places.values()]
        asked["SessionContext"] = str(handover.message_id)
        if settings.sender_id:
            asked["SenderId"] = settings.sender_id
        answer = await answer_of(self._outward, self._request("SendSms", asked, handover.now))
        told = _response_in(answer)
        failed, statuses = told.get("Error"), objects_in(told.get("SendStatusSet"))
        if failed is not None and statuses:
            raise DeliveryUnknown(f"HTTP {answer.status}, an error and a status")
        status = statuses[0] if len(statuses) == 1 else {}
        verdict, entry = judged(ANSWERS, answer.status, status.get("Code") if failed is None else _code_in(failed))
        if verdict is not Verdict.ACCEPTED or failed is not None or answer.status != 200:
            refuse(verdict, answer.status, entry)
        return Accepted(id_in(status.get("SerialNo")), parts_in(status.get("Fee")))

    def read_push(self, push: Push) -> Pushed | None:
        given = [
            (id_in(one.get("sid")), one.get("report_status"), code_in(one.get("errmsg")))
            for one in pushed_objects(push.body)
        ]
        readable = [(sid, status, code) for sid, status, code in given if sid and isinstance(status, str)]
        if not readable:
            return None
        receipts = [Receipt(sid, _DELIVERED[status], code) for sid, status, code in readable if status in _DELIVERED]
        return Pushed(receipts, _ANSWER_TO_PUSH)

    async def ask_receipt(self, receipt: str, *, to: str, sent_at: Instant, nonce: str, now: Instant) -> Receipt | None:
        # The vendor took the message before `sent_at`, and its clock is another one.
        begin = max(sent_at - CLOCK_BOUND, now - _OLDEST_RECEIPT)
        asked = {
            "BeginTime": begin // SECOND,
            "Offset": 0,
            "Limit": _RECEIPTS_ASKED,
            "PhoneNumber": to,
            "SmsSdkAppId": self._settings.sdk_app_id,
            "EndTime": now // SECOND,
        }
        answer = await answer_of(self._outward, self._request("PullSmsSendStatusByPhoneNumber", asked, now))
        told = _response_in(answer)
        if told.get("Error") is not None:
            verdict, entry = judged(ANSWERS, answer.status, _code_in(told["Error"]))
            refuse(verdict, answer.status, entry)
        if answer.status != 200 or not isinstance(told.get("PullSmsSendStatusSet"), list):
            raise DeliveryUnknown(f"HTTP {answer.status}")
        for one in objects_in(told["PullSmsSendStatusSet"]):
            status = one.get("ReportStatus")
            if one.get("SerialNo") == receipt and isinstance(status, str) and status in _DELIVERED:
                return Receipt(receipt, _DELIVERED[status], code_in(one.get("Description")))
        return None

    def _request(self, action: str, asked: Mapping[str, Any], now: Instant) -> Request:
        settings = self._settings
        origin, host = origin_of(settings.endpoint)
        body = json.dumps(asked).encode()
        call = Tc3Call(host, "sms", action, _VERSION, now, body, settings.region)
        headers = headers_of(call, Tc3Key(settings.secret_id, settings.secret_key))
        own_host, seconds = settings.endpoint != _ENDPOINT, settings.timeout_seconds
        return Request("POST", f"{origin}/", headers, body, seconds=seconds, own_host=own_host)


def _response_in(answer: Answer) -> dict[str, Any]:
    """Return `Response` of an answer, {} if it has none. The content type is not looked at."""
    told = object_of(answer.body).get("Response")
    return told if isinstance(told, dict) else {}


def _code_in(failed: object) -> object:
    """Return the code of an `Error`."""
    return failed.get("Code") if isinstance(failed, dict) else None


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return TencentSender(settings, outward)
