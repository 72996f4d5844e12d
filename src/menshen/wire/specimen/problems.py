"""Turn a reason of the core, or of this wire alone, into an HTTP status, an error word and a sentence.

The table is total over `ProblemCode`. It must not know which call was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec import UNSET

from menshen.core.problems import Denied, ProblemCode
from menshen.wire.specimen.envelope import Failure, Header, Reply
from menshen.wire.specimen.texts import sentence


class Rule(NamedTuple):
    """Define the form of one refusal. `word` is for programs, and has a sentence in `texts`."""

    status: int
    word: str


MALFORMED: Final = Rule(400, "malformed")
UNAUTHENTICATED: Final = Rule(401, "unauthenticated")
NOT_FOUND: Final = Rule(404, "not_found")
METHOD_NOT_ALLOWED: Final = Rule(405, "method_not_allowed")
TOO_LARGE: Final = Rule(413, "too_large")

SECOND_STEP: Final = Rule(403, "second_step")

TABLE: Final[Mapping[ProblemCode, Rule]] = {
    ProblemCode.INVALID_REQUEST: MALFORMED,
    # An answer never tells whether an account exists.
    ProblemCode.WRONG_CREDENTIALS: Rule(401, "wrong_credentials"),
    ProblemCode.NOT_REGISTERED: Rule(401, "wrong_credentials"),
    ProblemCode.WRONG_CODE: Rule(401, "wrong_code"),
    ProblemCode.CODE_EXPIRED: Rule(401, "wrong_code"),
    ProblemCode.ACCOUNT_DISABLED: Rule(403, "account_disabled"),
    ProblemCode.NOT_FOUND: NOT_FOUND,
    ProblemCode.ALREADY_TAKEN: Rule(409, "already_taken"),
    ProblemCode.WEAK_PASSWORD: Rule(400, "weak_password"),
    ProblemCode.PASSWORD_SUSPENDED: Rule(429, "password_suspended"),
    ProblemCode.CAPTCHA_REQUIRED: Rule(428, "captcha"),
    ProblemCode.CAPTCHA_INVALID: Rule(428, "captcha"),
    ProblemCode.CAPTCHA_EXPIRED: Rule(428, "captcha"),
    ProblemCode.TOO_MANY_REQUESTS: Rule(429, "too_many_requests"),
    ProblemCode.UNAUTHENTICATED: UNAUTHENTICATED,
    ProblemCode.SESSION_EXPIRED: UNAUTHENTICATED,
    # This dialect has no second step: its client says where to go on.
    ProblemCode.WRONG_SECOND_FACTOR: Rule(401, "wrong_code"),
    ProblemCode.TICKET_INVALID: UNAUTHENTICATED,
    ProblemCode.WRONG_PASSKEY: Rule(401, "wrong_credentials"),
    ProblemCode.PASSKEY_UNKNOWN: Rule(401, "wrong_credentials"),
    ProblemCode.CHALLENGE_EXPIRED: Rule(401, "wrong_code"),
    ProblemCode.PROOF_REQUIRED: Rule(403, "proof_required"),
    ProblemCode.FORBIDDEN: Rule(403, "forbidden"),
    ProblemCode.DEVICE_REQUIRED: Rule(400, "device_refused"),
    ProblemCode.DEVICE_SIGN_INVALID: Rule(403, "device_refused"),
    ProblemCode.TIMESTAMP_SKEWED: Rule(400, "device_refused"),
    ProblemCode.REFRESH_INVALID: UNAUTHENTICATED,
    ProblemCode.REFRESH_EXPIRED: UNAUTHENTICATED,
    ProblemCode.COUNTRY_NOT_ALLOWED: Rule(400, "country_not_allowed"),
    ProblemCode.DELIVERY_FAILED: Rule(503, "unavailable"),
    ProblemCode.OVERLOADED: Rule(503, "unavailable"),
    ProblemCode.UNAVAILABLE: Rule(503, "unavailable"),
    ProblemCode.INTERNAL: Rule(500, "internal"),
}


class Refused(Exception):
    """Report that the wire refuses before it calls a flow. `routing` catches it."""

    def __init__(self, rule: Rule, headers: tuple[Header, ...] = ()) -> None:
        """Take the form of the refusal, and headers to add to the answer."""
        super().__init__(rule.word)
        self.rule, self.headers = rule, headers


def refuse(denied: Denied, language: str) -> Reply:
    """Return the answer to a refusal of the core."""
    return _answer(TABLE[denied.code], language, retry_after=denied.retry_after)


def refuse_at_wire(refused: Refused, language: str) -> Reply:
    """Return the answer to a refusal of the wire."""
    return _answer(refused.rule, language, refused.headers)


def _answer(rule: Rule, language: str, headers: tuple[Header, ...] = (), retry_after: int | None = None) -> Reply:
    if retry_after is not None:
        headers = (*headers, ("retry-after", str(retry_after)))
    if rule.status == 401:
        # RFC 9110 section 11.6.1 demands a challenge with every 401.
        headers = (*headers, ("www-authenticate", "Bearer"))
    failure = Failure(
        error=rule.word,
        message=sentence(rule.word, language),
        retry_after=UNSET if retry_after is None else retry_after,
    )
    return Reply(rule.status, failure, headers, rule.word)
