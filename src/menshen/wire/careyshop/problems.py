"""Translate a refusal of the flows into this dialect's status and text, by a total table.

HTTP terms stay in `envelope`. Must not know the methods.
(docs/contracts/careyshop.md section 2.2.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from menshen.core.factors.proofs import Factor
from menshen.core.login.outcomes import Granted, LoginOutcome, StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import SECOND
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.described.answers import SecondStep, StepDue

Outcome = TypeVar("Outcome")


_WORDS: Final = {401: "unauthenticated", 403: "forbidden", 404: "not_found"}


class Refused(Exception):
    """Refuse a call with `status` and `text`; `retry_after` in whole seconds where waiting helps.

    `word` is the reason in the log. `data` stands beside the text: only a login that needs a second step has some.
    """

    def __init__(
        self, text: str, status: int = 500, retry_after: int | None = None, word: str = "", data: Any = None
    ) -> None:
        """Take a text of `texts`, which the client gets unchanged. `word` defaults to that of `status`."""
        super().__init__(text)
        self.data = data
        self.text, self.status, self.retry_after = text, status, retry_after
        self.word = word or _WORDS.get(status, "invalid_request")


@dataclass(frozen=True, slots=True)
class Reworded:
    """Give one text and status to several refusals of a flow, which clients must not distinguish.

    `word` is the reason in the log; "" leaves that of the refusal.
    """

    codes: frozenset[ProblemCode]
    text: str
    status: int = 500
    word: str = ""


TABLE: Final[dict[ProblemCode, tuple[int, str]]] = {
    ProblemCode.INVALID_REQUEST: (500, texts.INVALID),
    # No answer may show that an account exists or is disabled.
    ProblemCode.WRONG_CREDENTIALS: (500, texts.CREDENTIALS),
    ProblemCode.ACCOUNT_DISABLED: (500, texts.CREDENTIALS),
    ProblemCode.NOT_REGISTERED: (500, texts.CREDENTIALS),
    ProblemCode.PASSWORD_SUSPENDED: (500, texts.SUSPENDED),
    ProblemCode.WRONG_CODE: (500, texts.CODE_WRONG),
    ProblemCode.CODE_EXPIRED: (500, texts.CODE_DEAD),
    ProblemCode.NOT_FOUND: (500, texts.GONE),
    ProblemCode.ALREADY_TAKEN: (500, texts.TAKEN.format(texts.ACCOUNT)),
    ProblemCode.WEAK_PASSWORD: (500, texts.WEAK_PASSWORD),
    ProblemCode.CAPTCHA_REQUIRED: (500, texts.CAPTCHA_EMPTY),
    ProblemCode.CAPTCHA_INVALID: (500, texts.CAPTCHA_WRONG),
    ProblemCode.CAPTCHA_EXPIRED: (500, texts.CAPTCHA_GONE),
    ProblemCode.TOO_MANY_REQUESTS: (500, texts.TOO_OFTEN_UNTIMED),
    ProblemCode.UNAUTHENTICATED: (401, texts.UNAUTHENTICATED),
    ProblemCode.SESSION_EXPIRED: (401, texts.TOKEN_EXPIRED),
    ProblemCode.WRONG_SECOND_FACTOR: (500, texts.CODE_WRONG),
    ProblemCode.TICKET_INVALID: (500, texts.TICKET),
    ProblemCode.WRONG_PASSKEY: (500, texts.PASSKEY),
    ProblemCode.PASSKEY_UNKNOWN: (500, texts.PASSKEY),
    ProblemCode.CHALLENGE_EXPIRED: (500, texts.CODE_DEAD),
    ProblemCode.PROOF_REQUIRED: (500, texts.PROOF),
    ProblemCode.FORBIDDEN: (403, texts.FORBIDDEN),
    ProblemCode.DEVICE_REQUIRED: (500, texts.DEVICE),
    ProblemCode.DEVICE_SIGN_INVALID: (500, texts.DEVICE_SIGN),
    ProblemCode.TIMESTAMP_SKEWED: (500, texts.TIMESTAMP_EXPIRED),
    ProblemCode.REFRESH_INVALID: (500, texts.REFRESH_WRONG),
    ProblemCode.REFRESH_EXPIRED: (500, texts.REFRESH_EXPIRED),
    ProblemCode.COUNTRY_NOT_ALLOWED: (500, texts.COUNTRY),
    ProblemCode.DELIVERY_FAILED: (500, texts.DELIVERY),
    ProblemCode.OVERLOADED: (500, texts.BUSY),
    ProblemCode.UNAVAILABLE: (500, texts.BUSY),
    ProblemCode.INTERNAL: (500, texts.BUSY),
}

_BY_FIELD: Final[dict[tuple[ProblemCode, str | None], str]] = {
    (ProblemCode.ALREADY_TAKEN, "phone"): texts.TAKEN.format(texts.MOBILE),
    (ProblemCode.ALREADY_TAKEN, "email"): texts.TAKEN.format(texts.EMAIL),
    (ProblemCode.ALREADY_TAKEN, "nickname"): texts.TAKEN.format(texts.NICKNAME),
    (ProblemCode.INVALID_REQUEST, "username"): texts.USERNAME_REFUSED,
    (ProblemCode.INVALID_REQUEST, "phone"): texts.SHAPE.format(texts.MOBILE),
    (ProblemCode.INVALID_REQUEST, "email"): texts.SHAPE.format(texts.EMAIL),
    (ProblemCode.INVALID_REQUEST, "nickname"): texts.SHAPE.format(texts.NICKNAME),
    (ProblemCode.INVALID_REQUEST, "avatar_url"): texts.SHAPE.format(texts.HEAD_PIC),
    (ProblemCode.INVALID_REQUEST, "birthday"): texts.NO_DATE.format(texts.BIRTHDAY),
    (ProblemCode.WEAK_PASSWORD, "long"): texts.PASSWORD_TOO_LONG,
    (ProblemCode.WEAK_PASSWORD, "own_words"): texts.PASSWORD_OWN_WORDS,
}


def refusal(denied: Denied) -> Refused:
    """Return this dialect's exception for `denied`."""
    status, text = TABLE[denied.code]
    if denied.code is ProblemCode.TOO_MANY_REQUESTS and denied.retry_after is not None:
        text = texts.TOO_OFTEN.format(denied.retry_after)
    if denied.least is not None:
        text = texts.TOO_SHORT.format(texts.PASSWORD, denied.least)
    return Refused(_BY_FIELD.get((denied.code, denied.field), text), status, denied.retry_after, denied.code.value)


def wordings(code: ProblemCode, reworded: Reworded | None = None) -> frozenset[tuple[int, str]]:
    """Return each status and text that a refusal can have. A number that only the refusal knows is an N."""
    if reworded is not None and code in reworded.codes:
        return frozenset({(reworded.status, reworded.text)})
    status, text = TABLE[code]
    made = {text} | {other for (of, _), other in _BY_FIELD.items() if of is code}
    if code is ProblemCode.TOO_MANY_REQUESTS:
        made.add(texts.TOO_OFTEN.format("N"))
    if code is ProblemCode.WEAK_PASSWORD:
        made.add(texts.TOO_SHORT.format(texts.PASSWORD, "N"))
    return frozenset((status, one) for one in made)


def settled(outcome: Outcome | Denied) -> Outcome:
    """Return a flow's outcome.

    Raises:
        Refused: the flow refused.
    """
    if isinstance(outcome, Denied):
        raise refusal(outcome)
    return outcome


def granted(outcome: LoginOutcome) -> Granted:
    """Return a login's session.

    Raises:
        Refused: the flow refused, or a second step is due. Then `data` has the ticket.
    """
    match outcome:
        case Granted():
            return outcome
        case StepNeeded():
            raise step_needed(outcome)
        case Denied():
            raise refusal(outcome)


_NOT_TYPED: Final = frozenset({Factor.PASSKEY, Factor.SMS})
"""Factors that no call of this dialect can take: it has none that shows a page, or sends a code for a ticket."""


def step_needed(needed: StepNeeded) -> Refused:
    """Return the refusal that tells of a second step. It is never 200 or 401: recorded clients show its text.

    (docs/contracts/factors.md section 11.)
    """
    second: SecondStep = {
        "ticket": needed.ticket,
        "methods": [factor for factor in needed.methods if factor not in _NOT_TYPED],
        "expires": needed.expires_at // SECOND,
    }
    if needed.enroll:
        second["enroll"] = True
    due: StepDue = {"second": second}
    if needed.refused is None:
        return Refused(texts.SECOND_STEP, word="second_factor_required", data=due)
    # The code that came along was refused. The ticket takes another one.
    said = refusal(needed.refused)
    return Refused(said.text, retry_after=said.retry_after, word=said.word, data=due)


def settled_as(outcome: Outcome | Denied, reworded: Reworded) -> Outcome:
    """Return as `settled` does, with one text for all codes of `reworded`.

    Raises:
        Refused: the flow refused.
    """
    if isinstance(outcome, Denied) and outcome.code in reworded.codes:
        raise Refused(reworded.text, reworded.status, word=reworded.word or outcome.code.value)
    return settled(outcome)
