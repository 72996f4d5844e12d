"""Ask Tencent's captcha about tickets. (docs/contracts/vendors.md section 4, "tencent".)

The payload is the JSON text of what the page's callback gets: `ticket` and `randstr`, and more that is not needed.
Tencent says neither host nor action, and ends a ticket after five minutes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from menshen.adapters.captcha.questions import (
    Blame,
    find_empty,
    find_root_problems,
    is_token,
    read_payload,
    root_of,
    said_of,
)
from menshen.core.findings import Finding
from menshen.core.outward.signatures.tc3 import Tc3Call, Tc3Key, headers_of
from menshen.core.secret import Secret
from menshen.core.time import Instant
from menshen.ports.captcha import CaptchaVendor, Failed, Passed, VendorVerdict
from menshen.ports.outward import Outward, Request, Unknown

ENDPOINT: Final = "https://captcha.tencentcloudapi.com/"
TYPE_OF_CAPTCHA: Final = 9
"""The only type that Tencent still has."""

HOME_MADE: Final = ("trerror_", "terror_")
"""How a ticket begins that the page made by itself, because it did not reach the vendor. Anyone can write one."""

PASSED: Final = 1
EVIL: Final = 100
"""The level at which the vendor judges, in its invisible mode, that a program asks."""

ANSWERS: Final[Mapping[int, Blame]] = {
    7: Blame.CLIENT,
    8: Blame.CLIENT,
    9: Blame.CLIENT,
    15: Blame.CLIENT,
    # The ticket of another site gives 16, and anyone can get one. Were it an error, it would choose the easier test.
    16: Blame.CLIENT,
    21: Blame.CLIENT,
    100: Blame.OURS,
}
"""From the vendor's code to whose fault it is. A code that is not here says nothing about the ticket."""

ERRORS: Final = frozenset(
    {
        "AuthFailure.SecretIdNotFound",
        "AuthFailure.SignatureExpire",
        "AuthFailure.SignatureFailure",
        "InternalError",
        "MissingParameter",
        "RequestLimitExceeded",
        "UnauthorizedOperation",
        "UnauthorizedOperation.Unauthorized",
    }
)
"""The errors of the vendor that are named in the log. None of them says anything about the ticket."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `tencent`."""

    secret_id: Annotated[Secret, Meta(description="The id of an API key of your account, which may use captchas only.")]
    secret_key: Annotated[Secret, Meta(description="The secret of that API key.")]
    captcha_app_id: Annotated[int, Meta(ge=1, description="The CaptchaAppId of the captcha; the pages show it.")]
    app_secret_key: Annotated[Secret, Meta(description="The AppSecretKey of the captcha.")]
    endpoint: Annotated[str, Meta(description="The vendor's address; https, or http on loopback.")] = ENDPOINT
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time of one question to the vendor, in seconds.")
    ] = 3.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from find_empty(secret_id=self.secret_id, secret_key=self.secret_key, app_secret_key=self.app_secret_key)
        yield from find_root_problems("endpoint", self.endpoint)


class TencentCaptcha:
    """Implement `menshen.ports.captcha.CaptchaVendor`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def verify(
        self, payload: str, *, hosts: frozenset[str], action: str, client_ip: str, now: Instant
    ) -> VendorVerdict:
        given = read_payload(payload) or {}
        ticket, randstr = given.get("ticket"), given.get("randstr")
        if not is_token(ticket) or not is_token(randstr):
            return Failed("shape")
        if ticket.startswith(HOME_MADE):
            return Failed("made by the page")
        said = said_of(await self._outward.exchange(self._request(ticket, randstr, client_ip, now)))
        return _verdict(said.get("Response")) if isinstance(said, dict) else said

    def token_of(self, payload: str) -> str:
        """Return the ticket, `payload` where it has none."""
        ticket = (read_payload(payload) or {}).get("ticket")
        return ticket if is_token(ticket) else payload

    def _request(self, ticket: str, randstr: str, client_ip: str, now: Instant) -> Request:
        settings = self._settings
        asked = {
            "CaptchaType": TYPE_OF_CAPTCHA,
            "Ticket": ticket,
            **({"UserIp": client_ip} if client_ip else {}),
            "Randstr": randstr,
            "CaptchaAppId": settings.captcha_app_id,
            "AppSecretKey": settings.app_secret_key,
        }
        body = json.dumps(asked).encode()
        call = Tc3Call(urlsplit(settings.endpoint).netloc, "captcha", "DescribeCaptchaResult", "2019-07-22", now, body)
        return Request(
            "POST",
            root_of(settings.endpoint),
            headers_of(call, Tc3Key(settings.secret_id, settings.secret_key)),
            body,
            seconds=settings.timeout_seconds,
            own_host=root_of(settings.endpoint) != ENDPOINT,
        )


def _verdict(said: Any) -> Passed | Failed | Unknown:
    """Return the verdict of a `Response`. An error in it stands above all else."""
    if not isinstance(said, dict):
        return Unknown("unlisted")
    if "Error" in said:
        fault = said["Error"]
        code = fault.get("Code") if isinstance(fault, dict) else None
        return Unknown(code if isinstance(code, str) and code in ERRORS else "unlisted")
    code, level = said.get("CaptchaCode"), said.get("EvilLevel", ...)
    if type(code) is not int:
        return Unknown("unlisted")
    if code == PASSED:
        # Outside its invisible mode, the vendor may say null.
        if level is not None and type(level) is not int:
            return Unknown("unlisted")
        return Failed("evil") if level == EVIL else Passed()
    if ANSWERS.get(code) is Blame.CLIENT:
        return Failed(str(code))
    return Unknown(str(code) if code in ANSWERS else "unlisted")


def build(settings: Settings, outward: Outward) -> CaptchaVendor:
    """Make the vendor."""
    return TencentCaptcha(settings, outward)
