"""Show and take the captcha of a form: the behaviour test that a script solves, or a picture without one.

(docs/contracts/pages.md section 2, decision 0082.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from menshen.core.gates.captcha import (
    CaptchaPass,
    CaptchaTicket,
    ImagePresented,
    PassPresented,
    SolvedChallenge,
)
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.pages.call import Call

ASKS: Final = frozenset({ProblemCode.CAPTCHA_REQUIRED, ProblemCode.CAPTCHA_INVALID, ProblemCode.CAPTCHA_EXPIRED})
"""Refusals after which the form is shown with a captcha."""

_MOST_OF_SOLUTION: Final = 8192
_NOT_HERE: Final = "captcha.not_here"
_TOO_HARD: Final = "captcha.too_hard"


@dataclass(frozen=True, slots=True)
class Shown:
    """Say what a form shows of a captcha.

    `challenge` is the JSON of the test that the script solves at once, "" if it asks for one when it is wanted.
    `picture` is the id of an image, "" for none. `wanted`: nothing goes on without a captcha. `hint` is the id of a
    sentence that says why there is no picture, "" for none.
    """

    challenge: str = ""
    picture: str = ""
    wanted: bool = False
    hint: str = ""


QUIET: Final = Shown()
"""What a form shows before any refusal."""


async def earn_pass(call: Call) -> PassPresented | Denied | None:
    """Turn what the form brings into a pass: the solution of a test, or the answer to a picture. None: it has neither.

    Denied: as `captcha.solve_challenge` and `captcha.solve_image`.
    """
    solution = call.field("solution", _MOST_OF_SOLUTION)
    session_id, answer = call.field("picture", 32), call.field("answer", 40).strip()
    if solution:
        earned = await call.flows.captcha.solve_challenge(SolvedChallenge(solution), call.origin)
    elif session_id and answer:
        earned = await call.flows.captcha.solve_image(ImagePresented(session_id, answer), call.origin)
    else:
        return None
    return PassPresented(earned.token) if isinstance(earned, CaptchaPass) else earned


async def show_captcha(call: Call, denied: Denied | None) -> Shown:
    """Return what the form shows after a refusal. A person without scripts gets a picture, where one is enough."""
    if denied is None or denied.code not in ASKS:
        return QUIET
    challenge: dict[str, Any] = denied.challenge or {}
    if call.app.captcha_vendor:
        # A picture stands in for no vendor. The built-in test does where the flow gives one.
        if not challenge:
            return Shown(wanted=True, hint=_NOT_HERE)
        return Shown(msgspec.json.encode(challenge).decode(), wanted=True, hint=_TOO_HARD)
    text = msgspec.json.encode(challenge).decode() if challenge else ""
    if _difficulty(challenge) > 1:
        return Shown(text, wanted=True, hint=_TOO_HARD)
    ticket = await call.flows.captcha.open_image(call.origin)
    return Shown(text, ticket.session_id if isinstance(ticket, CaptchaTicket) else "", wanted=True)


def _difficulty(challenge: dict[str, Any]) -> int:
    given = challenge.get("parameters", {}).get("data", {}).get("difficulty", 1)
    return given if isinstance(given, int) else 1
