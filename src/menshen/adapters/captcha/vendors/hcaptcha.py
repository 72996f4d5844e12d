"""Ask hCaptcha about tokens. (docs/contracts/vendors.md section 4, "hcaptcha".)

The payload is the token, as the page's widget gives it. hCaptcha knows no action.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct

from menshen.adapters.captcha.questions import (
    Blame,
    blamed,
    find_empty,
    form_request,
    instant_of,
    is_fresh,
    is_token,
    said_of,
    shown_on,
)
from menshen.core.findings import Finding, warning
from menshen.core.outward.endpoints import find_endpoint_problems
from menshen.core.secret import Secret
from menshen.core.time import SECOND, Instant
from menshen.ports.captcha import CaptchaVendor, Failed, Passed, VendorVerdict
from menshen.ports.outward import Outward, Request

ENDPOINT: Final = "https://api.hcaptcha.com/siteverify"
OLDEST: Final = 300 * SECOND
"""How old a solved test may be, in ms."""

TEST_SECRET: Final = "0x0000000000000000000000000000000000000000"
"""The secret that hCaptcha publishes for tests. It takes a token that everyone knows."""

ANSWERS: Final[Mapping[str, Blame]] = {
    "expired-input-response": Blame.CLIENT,
    "already-seen-response": Blame.CLIENT,
    "invalid-or-already-seen-response": Blame.CLIENT,
    "invalid-input-response": Blame.CLIENT,
    "missing-input-response": Blame.CLIENT,
    "invalid-input-secret": Blame.OURS,
    "missing-input-secret": Blame.OURS,
    "sitekey-secret-mismatch": Blame.OURS,
    "not-using-dummy-passcode": Blame.OURS,
    "not-using-dummy-secret": Blame.OURS,
    "bad-request": Blame.OURS,
}
"""From the vendor's word to whose fault it is. A word that is not here says nothing about the token."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `hcaptcha`."""

    secret: Annotated[Secret, Meta(description="The secret key of your account, from hCaptcha's console.")]
    site_key: Annotated[str, Meta(description="The site key of the pages: tokens of other sites are refused.")]
    endpoint: Annotated[str, Meta(description="The vendor's address; https, or http on loopback.")] = ENDPOINT
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time of one question to the vendor, in seconds.")
    ] = 3.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from find_empty(secret=self.secret, site_key=self.site_key)
        yield from find_endpoint_problems("endpoint", self.endpoint)
        if self.secret == TEST_SECRET:
            yield warning("secret", "is published for tests: it takes a token that everyone knows")


class HCaptcha:
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
        said = said_of(await self._outward.exchange(self._request(payload, client_ip)))
        if not isinstance(said, dict):
            return said
        if said.get("success") is not True:
            return blamed(said.get("error-codes"), ANSWERS)
        if not shown_on(said.get("hostname"), hosts):
            return Failed("hostname")
        if not is_fresh(instant_of(said.get("challenge_ts")), now, OLDEST):
            return Failed("age")
        return Passed()

    def _request(self, payload: str, client_ip: str) -> Request:
        settings = self._settings
        fields = {"secret": settings.secret, "response": payload}
        if client_ip:
            fields["remoteip"] = client_ip
        fields["sitekey"] = settings.site_key
        return form_request(settings.endpoint, fields, settings.timeout_seconds, own_host=settings.endpoint != ENDPOINT)


def build(settings: Settings, outward: Outward) -> CaptchaVendor:
    """Make the vendor."""
    return HCaptcha(settings, outward)
