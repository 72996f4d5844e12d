"""Show a captcha vendor to copy. It does not exist: replace its address, its fields and its words by your vendor's.

It sends one POST of a form for each token, over the outward port. The answer is JSON. (CONTRIBUTING.md.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

from msgspec import Meta, Struct

from menshen.core.findings import Finding, error
from menshen.core.networks import is_loopback
from menshen.core.secret import Secret
from menshen.core.strict_json import NotStrictError, read_object
from menshen.core.time import SECOND, Instant
from menshen.ports.captcha import CaptchaVendor, Failed, Passed, VendorVerdict
from menshen.ports.outward import Answer, NotReached, Outward, Request, Unknown

ENDPOINT: Final = "https://captcha.specimen.example/verify"
LONGEST_TOKEN: Final = 2048
OLDEST: Final = 300 * SECOND
"""How old a solved test may be, in ms."""


class Blame(Enum):
    """Say who caused an error that the vendor reports."""

    CLIENT = auto()
    OURS = auto()


ANSWERS: Final[Mapping[str, Blame]] = {
    "token-invalid": Blame.CLIENT,
    "token-expired": Blame.CLIENT,
    "token-used": Blame.CLIENT,
    "secret-invalid": Blame.OURS,
    "bad-request": Blame.OURS,
    "internal-error": Blame.OURS,
}
"""From the vendor's word to whose fault it is. A word that is not here says nothing about the token."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of this type."""

    secret: Annotated[Secret, Meta(description="The secret key of your server at the vendor.")]
    endpoint: Annotated[str, Meta(description="The vendor's address: https, or http on loopback for tests.")] = ENDPOINT
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time of one question to the vendor, in seconds.")
    ] = 3.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        if not self.secret:
            yield error("secret", "must not be empty")
        address = urlsplit(self.endpoint)
        if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname or "")):
            yield error("endpoint", "must be https, or http on loopback")


class SpecimenCaptcha:
    """Implement `menshen.ports.captcha.CaptchaVendor`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    async def verify(
        self, payload: str, *, hosts: frozenset[str], action: str, client_ip: str, now: Instant
    ) -> VendorVerdict:
        # A vendor bills each question, so it is asked only what its pages can have made.
        if not 0 < len(payload) <= LONGEST_TOKEN or not payload.isascii() or not payload.isprintable():
            return Failed("shape")
        match await self._outward.exchange(self._request(payload, client_ip)):
            case Answer(status=200, body=body):
                return _verdict(body, hosts, action, now)
            case Answer(status=status):
                return Unknown(f"HTTP {status}")
            case NotReached() | Unknown() as unanswered:
                return unanswered

    def _request(self, payload: str, client_ip: str) -> Request:
        fields = {"secret": self._settings.secret, "response": payload}
        if client_ip:
            fields["remoteip"] = client_ip
        return Request(
            "POST",
            self._settings.endpoint,
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode(fields).encode(),
            seconds=self._settings.timeout_seconds,
            # Another endpoint is the operator's own choice, and may lie in a private network.
            own_host=self._settings.endpoint != ENDPOINT,
        )


def _verdict(body: bytes, hosts: frozenset[str], action: str, now: Instant) -> VendorVerdict:
    try:
        said = read_object(body)
    except NotStrictError:
        return Unknown("no JSON")
    # Only the JSON value true is a success: "false" and 1 are true to Python.
    if said.get("success") is not True:
        return _blamed(said.get("errors"))
    hostname, solved_at = said.get("hostname"), said.get("solved_at")
    if not isinstance(hostname, str) or hostname not in hosts:
        return Failed("hostname")
    if action and said.get("action") != action:
        return Failed("action")
    if type(solved_at) is not int or not now - OLDEST <= solved_at * SECOND <= now + OLDEST:
        return Failed("age")
    return Passed()


def _blamed(errors: Any) -> Failed | Unknown:
    """Return the verdict for a token that was not taken. One error of ours makes the vendor's answer worthless."""
    words = [word for word in errors if isinstance(word, str)] if isinstance(errors, list) else []
    if words and all(ANSWERS.get(word) is Blame.CLIENT for word in words):
        return Failed(words[0])
    return Unknown(next((word for word in words if word in ANSWERS), "unlisted"))


def build(settings: Settings, outward: Outward) -> CaptchaVendor:
    """Make the vendor."""
    return SpecimenCaptcha(settings, outward)
