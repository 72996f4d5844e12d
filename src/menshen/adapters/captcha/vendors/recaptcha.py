"""Ask Google reCAPTCHA v2 and v3 about tokens. (docs/contracts/vendors.md section 4, "recaptcha".)

The payload is the token, as the page's script gives it. v3 says an action and a score, v2 neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, TypeGuard

from msgspec import Meta, Struct

from menshen.adapters.captcha.questions import (
    Blame,
    blamed,
    find_empty,
    find_root_problems,
    form_request,
    instant_of,
    is_fresh,
    is_token,
    said_of,
    shown_on,
)
from menshen.core.findings import Finding, error, warning
from menshen.core.secret import Secret
from menshen.core.time import SECOND, Instant
from menshen.ports.captcha import CaptchaVendor, Failed, Passed, VendorVerdict
from menshen.ports.outward import Outward, Request

HOSTS: Final = ("www.google.com", "www.recaptcha.net")
"""Google's own hosts. The second is reached where the first is cut off."""

OLDEST: Final = 120 * SECOND
"""How old a solved test may be, in ms."""

TEST_SECRET: Final = "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe"
"""The secret that Google publishes for tests. It takes every token."""

ANSWERS: Final[Mapping[str, Blame]] = {
    "timeout-or-duplicate": Blame.CLIENT,
    "invalid-input-response": Blame.CLIENT,
    "missing-input-response": Blame.CLIENT,
    "invalid-input-secret": Blame.OURS,
    "missing-input-secret": Blame.OURS,
    "bad-request": Blame.OURS,
}
"""From the vendor's word to whose fault it is. A word that is not here says nothing about the token."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `recaptcha`."""

    secret: Annotated[Secret, Meta(description="The secret key of the site, from Google's console.")]
    host: Annotated[
        str, Meta(description="The vendor's host: `www.recaptcha.net` where `www.google.com` is cut off.")
    ] = HOSTS[0]
    min_score: Annotated[
        float, Meta(ge=0, le=1, description="The least score of v3 that passes: 0 is a program, 1 a person.")
    ] = 0.5
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time of one question to the vendor, in seconds.")
    ] = 3.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from find_empty(secret=self.secret)
        if any(find_root_problems("host", f"https://{self.host}/")):
            yield error("host", "must be the name of a host alone")
        if self.secret == TEST_SECRET:
            yield warning("secret", "is published for tests: it takes every token")


class ReCaptcha:
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
        # An action that is asked for means v3. Without one, the answer's own words say which version it is.
        if action or "action" in said or "score" in said:
            if action and said.get("action") != action:
                return Failed("action")
            if not _is_score(score := said.get("score")) or score < self._settings.min_score:
                return Failed("score")
        if not is_fresh(instant_of(said.get("challenge_ts")), now, OLDEST):
            return Failed("age")
        return Passed()

    def _request(self, payload: str, client_ip: str) -> Request:
        settings = self._settings
        fields = {"secret": settings.secret, "response": payload}
        if client_ip:
            fields["remoteip"] = client_ip
        url = f"https://{settings.host}/recaptcha/api/siteverify"
        return form_request(url, fields, settings.timeout_seconds, own_host=settings.host not in HOSTS)


def _is_score(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def build(settings: Settings, outward: Outward) -> CaptchaVendor:
    """Make the vendor."""
    return ReCaptcha(settings, outward)
