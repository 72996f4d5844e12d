"""Send codes through the number verification service of Aliyun (Dypnsapi 2017-05-25), which people may use, too.

The vendor gives signatures and templates, and reaches mainland China only. It does not make or check the code: that
stays here. (docs/contracts/vendors.md section 3.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from menshen.adapters.delivery.aliyun_calls import (
    AliyunCalls,
    KeyId,
    KeySecret,
    demand_accepted,
    dialled,
    find_call_problems,
    find_list_problems,
    is_mainland,
    receipt_in,
    refuse_number,
    template_text,
)
from menshen.adapters.delivery.templated import Parameters, TemplatedSettings
from menshen.core.delivery.messages import Template
from menshen.core.delivery.verdicts import Verdict
from menshen.core.findings import Finding, error
from menshen.core.outward.signatures.acs3 import Acs3Key
from menshen.ports.delivery import Accepted, Handover, Sender
from menshen.ports.outward import Outward

ANSWERS: Final[Mapping[str, Verdict]] = {
    "OK": Verdict.ACCEPTED,
    "isv.MOBILE_NUMBER_ILLEGAL": Verdict.NUMBER,
    "isv.BUSINESS_LIMIT_CONTROL": Verdict.THROTTLED_NUMBER,
    "biz.FREQUENCY": Verdict.THROTTLED_NUMBER,
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
    "isp.RAM_PERMISSION_DENY": Verdict.CONFIG,
    "isv.PRODUCT_UN_SUBSCRIPT": Verdict.CONFIG,
    "isp.SYSTEM_ERROR": Verdict.UNKNOWN,
}
"""What the service answers; the gateway before it has a table of its own."""

_ENDPOINT: Final = "https://dypnsapi.aliyuncs.com"
_VERSION: Final = "2017-05-25"


class Settings(TemplatedSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `aliyun_pnvs`."""

    home: ClassVar[tuple[str, ...]] = ("+86",)
    home_only: ClassVar[bool] = True

    access_key_id: KeyId
    access_key_secret: KeySecret
    sign_name: Annotated[str, Meta(description="A signature that the service gives its users: its text.")]
    parameters: Annotated[
        Parameters,
        Meta(description="What a code's template gets: `code` and `min`. `{code}` and `{minutes}` are replaced."),
    ] = field(default_factory=lambda: {"code": "{code}", "min": "{minutes}"})
    endpoint: Annotated[str, Meta(description="The address of the service; https, or http on loopback.")] = _ENDPOINT

    def serves(self, template: Template) -> bool:
        """Tell whether there is a template for such a message. The service sends codes only."""
        return template.has_code and super().serves(template)

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from super().find_problems()
        yield from find_call_problems(self.access_key_id, self.access_key_secret, self.endpoint)
        yield from find_list_problems(self)
        if not self.sign_name:
            yield error("sign_name", "must be the text of a signature that the service gave")
        if isinstance(self.parameters, dict) and (
            self.parameters.get("code") != "{code}" or not self.parameters.get("min")
        ):
            yield error("parameters", 'must have code = "{code}", and min: each template of the service has both')
        for template in Template:
            if not template.has_code and template.value in self.templates:
                yield error("templates", f"has {template.value!r}, and the service sends codes only")


class AliyunPnvsSender:
    """Send text messages. Implements `menshen.ports.delivery.Sender`."""

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
        settings, message = self._settings, handover.message
        if not is_mainland(message.to):
            refuse_number("the service reaches mobiles of mainland China only")
        asked = {
            "PhoneNumber": dialled(message.to),
            "SignName": settings.sign_name,
            "TemplateCode": settings.template_of(message.template),
            "TemplateParam": template_text(settings, message),
        }
        told = await self._calls.ask("SendSmsVerifyCode", asked, nonce=handover.nonce, now=handover.now)
        demand_accepted(told, ANSWERS)
        return Accepted(receipt=_receipt_of(told.values.get("Model")))


def _receipt_of(model: Any) -> str:
    return receipt_in(model.get("BizId")) if isinstance(model, dict) else ""


def build(settings: Settings, outward: Outward) -> Sender:
    """Make the sender."""
    return AliyunPnvsSender(settings, outward)
