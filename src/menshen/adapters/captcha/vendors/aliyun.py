"""Ask Aliyun's captcha 2.0 about solved tests. (docs/contracts/vendors.md section 4, "aliyun".)

The payload is the page's `captchaVerifyParam`, untouched. Aliyun says neither host nor action nor time: it binds a
test to its scene, and ends it after some minutes. It does not get the client's address.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from menshen.adapters.captcha.questions import (
    FORM,
    Blame,
    find_empty,
    find_root_problems,
    is_token,
    read_payload,
    root_of,
    said_in,
    said_of,
)
from menshen.core.findings import Finding
from menshen.core.outward.signatures.acs3 import Acs3Key, query_text, signed_headers
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.captcha import CaptchaVendor, Failed, Passed, VendorVerdict
from menshen.ports.outward import Answer, Outcome, Outward, Request, Unknown

ENDPOINTS: Final = ("https://captcha.cn-shanghai.aliyuncs.com/", "https://captcha.ap-southeast-1.aliyuncs.com/")
"""Aliyun's own addresses, in the mainland and outside of it."""

PASSES: Final = frozenset({"T001", "T006"})
"""The codes of a pass: a solved test, and a white list of the console. T005 is a scene in test mode."""

ANSWERS: Final[Mapping[str, Blame]] = {
    "F001": Blame.CLIENT,
    "F002": Blame.CLIENT,
    "F003": Blame.CLIENT,
    "F004": Blame.CLIENT,
    # A forged parameter gives F005 and F012. Were they errors, its maker could choose the easier test.
    "F005": Blame.CLIENT,
    "F006": Blame.OURS,
    "F007": Blame.CLIENT,
    "F008": Blame.CLIENT,
    "F009": Blame.CLIENT,
    "F010": Blame.CLIENT,
    "F011": Blame.CLIENT,
    "F012": Blame.CLIENT,
    "F013": Blame.CLIENT,
    "F014": Blame.CLIENT,
    "F015": Blame.CLIENT,
    "F016": Blame.OURS,
    "F017": Blame.CLIENT,
    "T005": Blame.OURS,
}
"""From the vendor's code to whose fault it is. A code that is not here says nothing about the test."""

ERRORS: Final = frozenset(
    {
        "Forbidden.AccountAccessDenied",
        "Forbidden.RAM",
        "IncompleteSignature",
        "InternalError",
        "InvalidAccessKeyId.Inactive",
        "InvalidAccessKeyId.NotFound",
        "InvalidTimeStamp.Expired",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "SignatureNonceUsed",
        "Throttling",
        "Throttling.User",
    }
)
"""The errors of the vendor that are named in the log. None of them says anything about the test."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `aliyun`."""

    access_key_id: Annotated[Secret, Meta(description="The id of an access key of a RAM user that may use captchas.")]
    access_key_secret: Annotated[Secret, Meta(description="The secret of that access key.")]
    scene_id: Annotated[str, Meta(description="The id of the scene, from the captcha's console; the pages show it.")]
    endpoint: Annotated[
        str,
        Meta(description="The vendor's address; outside the mainland `https://captcha.ap-southeast-1.aliyuncs.com/`."),
    ] = ENDPOINTS[0]
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time of one question to the vendor, in seconds.")
    ] = 3.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from find_empty(
            access_key_id=self.access_key_id, access_key_secret=self.access_key_secret, scene_id=self.scene_id
        )
        yield from find_root_problems("endpoint", self.endpoint)


class AliyunCaptcha:
    """Implement `menshen.ports.captcha.CaptchaVendor`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def verify(
        self, payload: str, *, hosts: frozenset[str], action: str, client_ip: str, now: Instant
    ) -> VendorVerdict:
        if not is_token(payload):
            return Failed("shape")
        outcome = await self._outward.exchange(self._request(payload, now))
        said = said_of(outcome)
        if not isinstance(said, dict):
            return _named(outcome) or said
        return _verdict(said)

    def token_of(self, payload: str) -> str:
        """Return the id of the solved test, `payload` where it has none."""
        certified = (read_payload(payload) or {}).get("certifyId")
        return certified if is_token(certified) else payload

    def _request(self, payload: str, now: Instant) -> Request:
        settings, url = self._settings, root_of(self._settings.endpoint)
        body = query_text({"CaptchaVerifyParam": payload, "SceneId": settings.scene_id}).encode()
        headers = signed_headers(
            Acs3Key(settings.access_key_id, settings.access_key_secret),
            url,
            action="VerifyIntelligentCaptcha",
            version="2023-03-05",
            nonce=self._nonce(payload, now),
            now=now,
            body=body,
            content_type=FORM,
        )
        return Request(
            "POST",
            url,
            headers,
            body,
            seconds=settings.timeout_seconds,
            own_host=url not in ENDPOINTS,
        )

    def _nonce(self, payload: str, now: Instant) -> str:
        """Return a nonce for the one question about a test at one time. The vendor refuses a nonce that it has seen."""
        asked = f"captcha {now} {payload}".encode()
        return hmac.new(self._settings.access_key_secret.encode(), asked, hashlib.sha256).hexdigest()[:32]


def _named(outcome: Outcome) -> Unknown | None:
    """Return the verdict for an answer that is no 200 but names an error of the table, else None."""
    code = said_in(outcome.body).get("Code") if isinstance(outcome, Answer) else None
    return Unknown(code) if isinstance(code, str) and code in ERRORS else None


def _verdict(said: Mapping[str, Any]) -> Passed | Failed | Unknown:
    """Return the verdict of an answer. Success, result and code must say the same."""
    result = said.get("Result")
    if said.get("Success") is not True or not isinstance(result, dict):
        return Unknown("unlisted")
    passes, code = result.get("VerifyResult"), result.get("VerifyCode")
    if not isinstance(code, str):
        return Unknown("unlisted")
    if passes is True and code in PASSES:
        return Passed()
    if passes is False and ANSWERS.get(code) is Blame.CLIENT:
        return Failed(code)
    return Unknown(code if code in ANSWERS else "unlisted")


def build(settings: Settings, outward: Outward) -> CaptchaVendor:
    """Make the vendor."""
    return AliyunCaptcha(settings, outward)
