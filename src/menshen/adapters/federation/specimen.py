"""Show an identity provider to copy. It does not exist: replace addresses, fields and words by your provider's.

It speaks OAuth 2.0 with PKCE (RFC 7636) and the issuer in the callback (RFC 9207). The token answer names the person.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from menshen.core.findings import Finding, error
from menshen.core.identifiers import parse_email
from menshen.core.secret import Secret
from menshen.core.strict_json import NotStrictError, read_object
from menshen.core.time import Instant
from menshen.ports.federation import (
    LONGEST_SUBJECT,
    Finished,
    Identity,
    IdentityProvider,
    Refusal,
    RefusalReason,
    RoundTrip,
    Started,
)
from menshen.ports.outward import Answer, NotReached, Outward, Request, Unknown

HOSTS: Final = frozenset({"login.specimen.example", "api.specimen.example"})
"""Every host that a browser is sent to, or that is called."""

ISSUER: Final = "https://login.specimen.example"
AUTHORIZE: Final = "https://login.specimen.example/authorize"
TOKEN: Final = "https://api.specimen.example/token"
_LONGEST_CODE: Final = 1024

ANSWERS: Final[Mapping[str, RefusalReason]] = {
    "access_denied": RefusalReason.CANCELLED,
    "invalid_grant": RefusalReason.CODE_INVALID,
    "account_at_risk": RefusalReason.PERSON_REFUSED,
    "invalid_client": RefusalReason.MISCONFIGURED,
    "unauthorized_client": RefusalReason.MISCONFIGURED,
    "redirect_uri_mismatch": RefusalReason.MISCONFIGURED,
}
"""From the provider's word for an error to the reason. A word that is not here is no verdict."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hold the keys of this type."""

    client_id: Annotated[str, Meta(min_length=1, description="The id of this server at the provider.")]
    client_secret: Annotated[Secret, Meta(description="The secret of client_id.")]
    timeout_seconds: Annotated[
        float, Meta(ge=0.1, le=60, description="Maximum time of one call to the provider, in seconds.")
    ] = 5.0

    def find_problems(self) -> Iterator[Finding]:
        """Find what the types cannot say."""
        if not self.client_secret:
            yield error("client_secret", "must not be empty")


class SpecimenProvider:
    """Implement `menshen.ports.federation.IdentityProvider`."""

    def __init__(self, settings: Settings, outward: Outward) -> None:
        """Keep the settings. No call is made."""
        self._settings = settings
        self._outward = outward

    def start(self, trip: RoundTrip, chance: bytes) -> Started:
        verifier, nonce = _text(chance[:32]), _text(chance[32:])
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": trip.callback,
            "scope": "profile",
            "state": trip.state,
            "nonce": nonce,
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if trip.fresh:
            asked["prompt"] = "login"
        return Started(f"{AUTHORIZE}?{urlencode(asked)}", f"{verifier} {nonce}")

    async def finish(self, trip: RoundTrip, remembered: str, callback: Mapping[str, str], now: Instant) -> Finished:
        # The issuer tells a callback of another provider apart, whose code must not be sent to this one.
        if not _same(callback.get("state", ""), trip.state) or callback.get("iss") != ISSUER:
            return Refusal(RefusalReason.MISMATCH)
        if word := callback.get("error", ""):
            return _refused(word) or Refusal(RefusalReason.CANCELLED)
        if not (code := callback.get("code", "")):
            return Refusal(RefusalReason.CANCELLED)
        if len(code) > _LONGEST_CODE or not code.isascii() or not code.isprintable():
            return Refusal(RefusalReason.CODE_INVALID)
        verifier, _, nonce = remembered.partition(" ")
        match await self._outward.exchange(self._request(trip, code, verifier)):
            case Answer(status=200, body=body):
                return self._identity(body, nonce)
            case Answer(status=400 | 401, body=body):
                return _refused(_read(body).get("error")) or Unknown("unlisted")
            case Answer(status=status):
                return Unknown(f"HTTP {status}")
            case NotReached() | Unknown() as unanswered:
                return unanswered

    def _request(self, trip: RoundTrip, code: str, verifier: str) -> Request:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": trip.callback,
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", TOKEN, headers, urlencode(fields).encode(), seconds=self._settings.timeout_seconds)

    def _identity(self, body: bytes, nonce: str) -> Finished:
        said = _read(body)
        subject = said.get("subject")
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            return Unknown("no subject")
        if said.get("client_id") != self._settings.client_id or not _same(str(said.get("nonce", "")), nonce):
            return Refusal(RefusalReason.MISMATCH)
        # Only the JSON value true proves an address: the text "false" is true to Python.
        email = parse_email(_word(said.get("email"))) if said.get("email_verified") is True else None
        return Identity(
            provider=ISSUER,
            subject=subject,
            union_id=_word(said.get("union_id")),
            email=email or "",
            nickname=_word(said.get("name")),
            picture=picture if (picture := _word(said.get("picture"))).startswith("https://") else "",
        )


def _read(body: bytes) -> dict[str, Any]:
    """Read an answer. One that is no strict JSON object says nothing."""
    try:
        return read_object(body)
    except NotStrictError:
        return {}


def _refused(word: object) -> Refusal | None:
    reason = ANSWERS.get(word) if isinstance(word, str) else None
    return Refusal(reason, str(word)) if reason else None


def _word(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST_SUBJECT else ""


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def _text(raw: bytes) -> str:
    """Spell bytes as RFC 7636 does."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def build(settings: Settings, outward: Outward) -> IdentityProvider:
    """Make the provider."""
    return SpecimenProvider(settings, outward)
