"""Ask GeeTest v4 about solved tests. (docs/contracts/vendors.md section 4, "geetest".)

The payload is the JSON text of what `getValidate()` gives the page. GeeTest says neither host nor action. The address
that it says is a hint only: people change networks while they solve a test.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from menshen.adapters.captcha.questions import (
    find_empty,
    form_request,
    is_fresh,
    is_token,
    read_payload,
    said_of,
)
from menshen.core.findings import Finding
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.secret import Secret
from menshen.core.time import SECOND, Instant
from menshen.ports.captcha import CaptchaVendor, Failed, Passed, VendorVerdict
from menshen.ports.outward import Outward, Request, Unknown

ENDPOINT: Final = "https://gcaptcha4.geetest.com/validate"
OLDEST: Final = 300 * SECOND
"""How old a solved test may be, in ms."""

FIELDS: Final = ("lot_number", "captcha_output", "pass_token", "gen_time")
"""The fields of the page that the vendor wants to see again, in its order."""

ERRORS: Final = frozenset({"-50005"})
"""The vendor's codes for a question that it does not take."""

_DIGITS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `geetest`."""

    captcha_id: Annotated[str, Meta(description="The id of the captcha, from GeeTest's console; the pages show it.")]
    captcha_key: Annotated[Secret, Meta(description="The key of the captcha, from GeeTest's console.")]
    endpoint: Annotated[str, Meta(description="The vendor's address; https, or http on loopback.")] = ENDPOINT
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time of one question to the vendor, in seconds.")
    ] = 3.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from find_empty(captcha_id=self.captcha_id, captcha_key=self.captcha_key)
        yield from find_endpoint_problems("endpoint", self.endpoint)


class GeetestCaptcha:
    """Implement `menshen.ports.captcha.CaptchaVendor`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def verify(
        self, payload: str, *, hosts: frozenset[str], action: str, client_ip: str, now: Instant
    ) -> VendorVerdict:
        given = self._fields(payload)
        if given is None:
            return Failed("shape")
        if not is_fresh(int(given["gen_time"]) * SECOND, now, OLDEST):
            return Failed("age")
        said = said_of(await self._outward.exchange(self._request(given)))
        if not isinstance(said, dict):
            return said
        if said.get("status") != "success":
            code = said.get("code")
            return Unknown(code if isinstance(code, str) and code in ERRORS else "unlisted")
        match said.get("result"):
            case "success":
                return Passed()
            case "fail":
                return Failed("refused")
            case _:
                return Unknown("unlisted")

    def token_of(self, payload: str) -> str:
        """Return the number of the solved test, `payload` where it has none. One test is spent once."""
        given = self._fields(payload)
        return given["lot_number"] if given else payload

    def _fields(self, payload: str) -> Mapping[str, str] | None:
        """Return what the page gave, None for a text that no page of this captcha makes."""
        given = read_payload(payload) or {}
        if not all(is_token(given.get(name)) for name in FIELDS) or not _DIGITS.fullmatch(given["gen_time"]):
            return None
        if given.get("captcha_id", self._settings.captcha_id) != self._settings.captcha_id:
            return None
        return {name: given[name] for name in FIELDS}

    def _request(self, given: Mapping[str, str]) -> Request:
        settings = self._settings
        lot = given["lot_number"].encode()
        fields = {**given, "sign_token": hmac.new(settings.captcha_key.encode(), lot, "sha256").hexdigest()}
        url = f"{settings.endpoint}?{urlencode({'captcha_id': settings.captcha_id})}"
        return form_request(url, fields, settings.timeout_seconds, own_host=settings.endpoint != ENDPOINT)


def build(settings: Settings, outward: Outward) -> CaptchaVendor:
    """Make the vendor."""
    return GeetestCaptcha(settings, outward)
