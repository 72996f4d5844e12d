"""Translate refusals, of the core or of this dialect, into the dialect's error word, status and sentence.

The table is total over `ProblemCode`; a test checks it. Must not know the calls.
(docs/contracts/weidu.md section 6.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec import UNSET

from menshen.core.problems import Denied, ProblemCode
from menshen.wire.weidu.envelope import Failure, Reply, fail
from menshen.wire.weidu.texts import Message, sentence

_NO_NAMES: Final[Mapping[str, str]] = {}
_NO_MORE: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold the dialect's form of one refusal. `word` is stable, for programs."""

    word: str
    status: int
    message: Message


_OVERLOADED = Rule("overloaded", 503, Message.OVERLOADED)
_UNAUTHENTICATED = Rule("unauthenticated", 401, Message.UNAUTHENTICATED)
_WRONG_CODE = Rule("wrong_code", 401, Message.WRONG_CODE)
_CAPTCHA_INVALID = Rule("captcha_invalid", 428, Message.CAPTCHA_INVALID)
_INVALID_REQUEST = Rule("invalid_request", 400, Message.MALFORMED)
_WEAK_PASSWORD = Rule("weak_password", 400, Message.PASSWORD_COMMON)
_WEAK_BECAUSE: Final = {
    "short": Message.PASSWORD_SHORT,
    "long": Message.PASSWORD_LONG,
    "common": Message.PASSWORD_COMMON,
    "own_words": Message.PASSWORD_OWN_WORDS,
}
_TOO_MANY = Rule("too_many_requests", 429, Message.TOO_MANY_REQUESTS)

TABLE: Final[Mapping[ProblemCode, Rule]] = {
    ProblemCode.INVALID_REQUEST: _INVALID_REQUEST,
    ProblemCode.WRONG_CREDENTIALS: Rule("wrong_credentials", 401, Message.WRONG_CREDENTIALS),
    ProblemCode.WRONG_CODE: _WRONG_CODE,
    # Wrong, spent, expired and missing codes get the same answer (docs/contracts/weidu.md section 3.1).
    ProblemCode.CODE_EXPIRED: _WRONG_CODE,
    ProblemCode.ACCOUNT_DISABLED: Rule("account_disabled", 403, Message.ACCOUNT_DISABLED),
    ProblemCode.NOT_REGISTERED: Rule("not_registered", 404, Message.NOT_REGISTERED),
    ProblemCode.NOT_FOUND: Rule("not_found", 404, Message.NOT_FOUND),
    ProblemCode.ALREADY_TAKEN: Rule("already_taken", 409, Message.ALREADY_TAKEN),
    ProblemCode.WEAK_PASSWORD: _WEAK_PASSWORD,
    ProblemCode.PASSWORD_SUSPENDED: Rule("too_many_requests", 429, Message.PASSWORD_SUSPENDED),
    ProblemCode.CAPTCHA_REQUIRED: Rule("captcha_required", 428, Message.CAPTCHA_REQUIRED),
    ProblemCode.CAPTCHA_INVALID: _CAPTCHA_INVALID,
    ProblemCode.CAPTCHA_EXPIRED: _CAPTCHA_INVALID,
    ProblemCode.TOO_MANY_REQUESTS: _TOO_MANY,
    ProblemCode.UNAUTHENTICATED: _UNAUTHENTICATED,
    ProblemCode.SESSION_EXPIRED: _UNAUTHENTICATED,
    ProblemCode.WRONG_SECOND_FACTOR: Rule("wrong_second_factor", 401, Message.WRONG_SECOND_FACTOR),
    ProblemCode.TICKET_INVALID: Rule("ticket_invalid", 401, Message.TICKET_INVALID),
    ProblemCode.WRONG_PASSKEY: Rule("wrong_passkey", 401, Message.WRONG_PASSKEY),
    ProblemCode.PASSKEY_UNKNOWN: Rule("passkey_unknown", 401, Message.PASSKEY_UNKNOWN),
    ProblemCode.CHALLENGE_EXPIRED: Rule("challenge_expired", 401, Message.CHALLENGE_EXPIRED),
    ProblemCode.PROOF_REQUIRED: Rule("proof_required", 403, Message.PROOF_REQUIRED),
    ProblemCode.FORBIDDEN: Rule("forbidden", 403, Message.FORBIDDEN),
    ProblemCode.DEVICE_REQUIRED: Rule("device_required", 400, Message.FIELD_REQUIRED),
    ProblemCode.DEVICE_SIGN_INVALID: Rule("device_sign_invalid", 403, Message.DEVICE_SIGN_INVALID),
    ProblemCode.TIMESTAMP_SKEWED: Rule("timestamp_skewed", 400, Message.TIMESTAMP_SKEWED),
    # This dialect issues no refresh tokens, so a caller with one is not logged in.
    ProblemCode.REFRESH_INVALID: _UNAUTHENTICATED,
    ProblemCode.REFRESH_EXPIRED: _UNAUTHENTICATED,
    ProblemCode.COUNTRY_NOT_ALLOWED: Rule("invalid_request", 400, Message.COUNTRY_NOT_ALLOWED),
    ProblemCode.DELIVERY_FAILED: Rule("delivery_failed", 503, Message.DELIVERY_FAILED),
    ProblemCode.OVERLOADED: _OVERLOADED,
    ProblemCode.UNAVAILABLE: Rule("unavailable", 503, Message.UNAVAILABLE),
    ProblemCode.INTERNAL: Rule("internal", 500, Message.INTERNAL),
}

SECOND_FACTOR_REQUIRED: Final = Rule("second_factor_required", 428, Message.SECOND_FACTOR_REQUIRED)
CSRF: Final = Rule("csrf", 403, Message.CSRF)
FORBIDDEN_FIELD: Final = Rule("forbidden_field", 400, Message.FIELD_FORBIDDEN)
METHOD_NOT_ALLOWED: Final = Rule("method_not_allowed", 405, Message.METHOD_NOT_ALLOWED)
PAYLOAD_TOO_LARGE: Final = Rule("payload_too_large", 413, Message.PAYLOAD_TOO_LARGE)

WIRE_RULES: Final = (SECOND_FACTOR_REQUIRED, CSRF, FORBIDDEN_FIELD, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE)
"""The refusals that only this dialect makes, for which the core has no code."""


class Refused(Exception):
    """Refuse a request before a flow runs. Caught in one place, `routing`."""

    def __init__(self, rule: Rule, field: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Take the contract's name of a wrong field, and headers to add to the answer."""
        super().__init__(rule.word)
        self.rule = rule
        self.field = field
        self.headers = headers


def invalid(field: str | None = None) -> Refused:
    """Return 400 invalid_request, with the field if it is about one."""
    return Refused(_INVALID_REQUEST, field)


def unauthenticated() -> Refused:
    """Return 401 unauthenticated."""
    return Refused(_UNAUTHENTICATED)


def refuse(
    denied: Denied, language: str, names: Mapping[str, str] = _NO_NAMES, more: Mapping[str, Any] = _NO_MORE
) -> Reply:
    """Return the answer for a refusal of the core.

    `names` maps the core's field names to this call's, where they differ ("phone" -> "mobile"). `more` are further
    fields of `Failure`.
    """
    field = None if denied.field is None else names.get(denied.field, denied.field)
    rule = TABLE[denied.code]
    seconds = denied.retry_after
    message = rule.message
    if rule is _WEAK_PASSWORD:
        # The core's field holds the reason here, not a field name (core.login.passwords.weakness).
        message, field = _WEAK_BECAUSE.get(denied.field or "", message), names.get("password", "password")
    if rule is _TOO_MANY and seconds is None:
        message = Message.TOO_MANY_REQUESTS_SOME_TIME
    return _answer(rule, message, language, field=field, seconds=seconds, denied=denied, more=more)


def refuse_at_wire(refused: Refused, language: str, more: Mapping[str, Any] = _NO_MORE) -> Reply:
    """Return the answer for a refusal of this dialect. `more` are further fields of `Failure`."""
    rule = refused.rule
    return _answer(rule, rule.message, language, field=refused.field, headers=refused.headers, more=more)


def _answer(
    rule: Rule,
    message: Message,
    language: str,
    *,
    field: str | None,
    seconds: int | None = None,
    denied: Denied | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    more: Mapping[str, Any] = _NO_MORE,
) -> Reply:
    if message is Message.MALFORMED and field is not None:
        message = Message.FIELD_INVALID
    if seconds is not None:
        headers = (*headers, ("retry-after", str(seconds)))
    if rule.status == 401:
        # RFC 9110 section 11.6.1 requires a challenge with every 401.
        headers = (*headers, ("www-authenticate", "Bearer"))
    challenge = denied.challenge if denied is not None and denied.challenge is not None else UNSET
    failure = Failure(
        code=rule.status,
        result=sentence(
            message, language, field=field or "", seconds=seconds or 0, minimum=(denied and denied.least) or 0
        ),
        error=rule.word,
        field=UNSET if field is None else field,
        retry_after=UNSET if seconds is None else seconds,
        challenge=challenge,
        tries_left=UNSET if denied is None or denied.tries_left is None else denied.tries_left,
        **more,
    )
    return fail(failure, headers)
