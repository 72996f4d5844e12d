"""Give and check behaviour tests: GET /users/behavior/challenge, POST /users/behavior/verification.

(docs/contracts/weidu.md section 5.1.)
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from menshen.core.gates.captcha import CaptchaPass, ProofOfWork, SolvedChallenge
from menshen.core.problems import Denied
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.decode import NoBody
from menshen.wire.weidu.envelope import Ok, Reply, ok


class VerificationRequest(Struct, frozen=True, kw_only=True):
    """Take the result of the solver or of the vendor."""

    captcha_id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=8192,
            description="Base64 of the solved challenge; at an app with a captcha vendor, what the vendor's page gave.",
        ),
    ]


class ChallengeAnswer(Ok, frozen=True, kw_only=True):
    """Answer ALTCHA's challenge at the top level, so that its public widget can use this URL directly."""

    parameters: dict[str, Any]
    signature: str


class VerificationAnswer(Ok, frozen=True, kw_only=True):
    """Answer a captcha token: valid for 300 s, once per action, for this app and network."""

    captcha_token: str


async def get(call: Call, body: NoBody) -> Reply:
    """Return a new challenge."""
    match await call.flows.captcha.new_challenge(call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case ProofOfWork(parameters=parameters, signature=signature):
            return ok(ChallengeAnswer(parameters=parameters, signature=signature))


async def post(call: Call, body: VerificationRequest) -> Reply:
    """Exchange a solved challenge, or a token of the app's captcha vendor, for a captcha token."""
    match await call.flows.captcha.solve_challenge(SolvedChallenge(body.captcha_id), call.origin):
        case Denied() as denied:
            return await call.refuse(denied)
        case CaptchaPass(token=token):
            return ok(VerificationAnswer(captcha_token=token))
