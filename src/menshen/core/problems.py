"""Define the reasons for refusals in terms of login. This module does not know HTTP.

Each dialect has a complete table from `ProblemCode` to its own code, text and status.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ProblemCode(StrEnum):
    """Name every reason for which a flow can refuse a request."""

    INVALID_REQUEST = "invalid_request"
    WRONG_CREDENTIALS = "wrong_credentials"
    WRONG_CODE = "wrong_code"
    CODE_EXPIRED = "code_expired"
    ACCOUNT_DISABLED = "account_disabled"
    NOT_REGISTERED = "not_registered"
    NOT_FOUND = "not_found"
    ALREADY_TAKEN = "already_taken"
    WEAK_PASSWORD = "weak_password"
    PASSWORD_SUSPENDED = "password_suspended"
    CAPTCHA_REQUIRED = "captcha_required"
    CAPTCHA_INVALID = "captcha_invalid"
    CAPTCHA_EXPIRED = "captcha_expired"
    TOO_MANY_REQUESTS = "too_many_requests"
    UNAUTHENTICATED = "unauthenticated"
    SESSION_EXPIRED = "session_expired"
    PROOF_REQUIRED = "proof_required"
    WRONG_SECOND_FACTOR = "wrong_second_factor"
    TICKET_INVALID = "ticket_invalid"
    WRONG_PASSKEY = "wrong_passkey"
    PASSKEY_UNKNOWN = "passkey_unknown"
    CHALLENGE_EXPIRED = "challenge_expired"
    FORBIDDEN = "forbidden"
    DEVICE_REQUIRED = "device_required"
    DEVICE_SIGN_INVALID = "device_sign_invalid"
    TIMESTAMP_SKEWED = "timestamp_skewed"
    REFRESH_INVALID = "refresh_invalid"
    REFRESH_EXPIRED = "refresh_expired"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    DELIVERY_FAILED = "delivery_failed"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Denied:
    """Report an expected refusal. Flows return it and never raise it, so that the counters keep the attempt.

    `retry_after` is in whole seconds if waiting helps, else None. `field` names the wrong input (for example "username"
    or "phone" with ALREADY_TAKEN). `challenge` is a captcha challenge ready to solve, as the JSON object of the captcha
    adapter. `least` is the least number of characters of a password, if the given one has fewer. `tries_left` counts
    the further steps that a pending login allows.
    """

    code: ProblemCode
    retry_after: int | None = None
    field: str | None = None
    challenge: dict[str, Any] | None = None
    least: int | None = None
    tries_left: int | None = None


class Problem(Exception):
    """Report a broken precondition whose cause is not in the request. It is raised, and rolls the transaction back.

    Dialects render it exactly like the `Denied` in it.
    """

    def __init__(self, code: ProblemCode, detail: str = "", retry_after: int | None = None) -> None:
        """Make a problem. `detail` is only for the log and must hold no secret. `retry_after` is in seconds."""
        super().__init__(detail or code.value)
        self.denied = Denied(code, retry_after)
