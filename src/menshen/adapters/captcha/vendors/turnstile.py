"""Ask Cloudflare Turnstile about tokens. (docs/contracts/vendors.md section 4, "turnstile".)

The payload is the token, as the page's widget gives it.
"""

from __future__ import annotations

import hashlib
import uuid
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
from menshen.ports.outward import Answer, NotReached, Outcome, Outward, Request, Unknown

ENDPOINT: Final = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
LONGEST_TOKEN: Final = 2048
OLDEST: Final = 300 * SECOND
"""How old a solved test may be, in ms."""

TEST_SECRETS: Final = frozenset(f"{n}x0000000000000000000000000000000AA" for n in (1, 2, 3))
"""The secrets that Cloudflare publishes for tests. Their verdict does not depend on the token."""

ANSWERS: Final[Mapping[str, Blame]] = {
    "timeout-or-duplicate": Blame.CLIENT,
    "invalid-input-response": Blame.CLIENT,
    "missing-input-response": Blame.CLIENT,
    "invalid-input-secret": Blame.OURS,
    "missing-input-secret": Blame.OURS,
    "bad-request": Blame.OURS,
    "internal-error": Blame.OURS,
}
"""From the vendor's word to whose fault it is. A word that is not here says nothing about the token."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of `turnstile`."""

    secret: Annotated[Secret, Meta(description="The secret key of the widget, from Cloudflare's console.")]
    endpoint: Annotated[str, Meta(description="The vendor's address; https, or http on loopback.")] = ENDPOINT
    timeout_seconds: Annotated[
        float,
        Meta(ge=0.1, le=60, description="Maximum time for one token, in seconds. Each of two tries gets half of it."),
    ] = 3.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        yield from find_empty(secret=self.secret)
        yield from find_endpoint_problems("endpoint", self.endpoint)
        if self.secret in TEST_SECRETS:
            yield warning("secret", "is published for tests: it says the same of every token")


class TurnstileCaptcha:
    """Implement `menshen.ports.captcha.CaptchaVendor`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def verify(
        self, payload: str, *, hosts: frozenset[str], action: str, client_ip: str, now: Instant
    ) -> VendorVerdict:
        if not is_token(payload, LONGEST_TOKEN):
            return Failed("shape")
        said = said_of(await self._ask(self._request(payload, client_ip)))
        if not isinstance(said, dict):
            return said
        if said.get("success") is not True:
            return blamed(said.get("error-codes"), ANSWERS)
        if not shown_on(said.get("hostname"), hosts):
            return Failed("hostname")
        if action and said.get("action") != action:
            return Failed("action")
        if not is_fresh(instant_of(said.get("challenge_ts")), now, OLDEST):
            return Failed("age")
        return Passed()

    async def _ask(self, request: Request) -> Outcome:
        """Ask, and ask once more where no whole answer came: by its idempotency key, the vendor counts the token once.

        An answer of any kind is final. Without one, the outcome is `Unknown` where either question may have arrived.
        """
        first = await self._outward.exchange(request)
        if isinstance(first, Answer):
            return first
        second = await self._outward.exchange(request)
        return first if isinstance(first, Unknown) and isinstance(second, NotReached) else second

    def _request(self, payload: str, client_ip: str) -> Request:
        settings = self._settings
        fields = {"secret": settings.secret, "response": payload}
        if client_ip:
            fields["remoteip"] = client_ip
        fields["idempotency_key"] = idempotency_key(payload)
        seconds = settings.timeout_seconds / 2
        return form_request(settings.endpoint, fields, seconds, own_host=settings.endpoint != ENDPOINT)


def idempotency_key(token: str) -> str:
    """Return a UUID that is the same for each question about one token, and tells nothing of it."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"turnstile {token}".encode()).digest()[:16], version=4))


def build(settings: Settings, outward: Outward) -> CaptchaVendor:
    """Make the vendor."""
    return TurnstileCaptcha(settings, outward)
