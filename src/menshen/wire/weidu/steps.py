"""Answer a login whose first proof was right, and read the proof of its second step.

(docs/contracts/factors.md section 11.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec import UNSET, UnsetType

from menshen.core.factors.asks import FactorProof
from menshen.core.factors.proofs import Factor
from menshen.core.login.outcomes import StepNeeded
from menshen.core.problems import Denied
from menshen.core.time import seconds_until
from menshen.wire.weidu import carrier, problems
from menshen.wire.weidu.call import Call
from menshen.wire.weidu.envelope import Reply


def ask_for_step(call: Call, needed: StepNeeded) -> Reply:
    """Return 428 with the ticket, or the refusal of the request's `second_code` with it.

    A page gets the cookie that binds the ticket to its browser, and no cookie of a session.
    """
    waits = {
        "login_ticket": needed.ticket,
        "methods": list(needed.methods),
        "expires_in": seconds_until(needed.expires_at, call.flows.now()),
        "enroll": needed.enroll or UNSET,
        "allowed": list(needed.allowed) if needed.enroll else UNSET,
        "mobile": needed.phone or UNSET,
    }
    language = call.origin.language
    if needed.refused is None:
        reply = problems.refuse_at_wire(problems.Refused(problems.SECOND_FACTOR_REQUIRED), language, waits)
    else:
        reply = problems.refuse(needed.refused, language, more=waits)
    return replace(reply, headers=(*carrier.bind_ticket(needed, call), *reply.headers))


async def refuse(call: Call, denied: Denied, names: Mapping[str, str] | None = None) -> Reply:
    """Return the answer for a refusal, as `Call.refuse`. With the last wrong step, the ticket's cookie is deleted.

    The cookie of an invalid ticket stays: it may belong to a newer ticket of the same browser.
    """
    reply = await call.refuse(denied, names)
    if denied.tries_left != 0:
        return reply
    return replace(reply, headers=(*carrier.forget_ticket(call), *reply.headers))


def read_proof(method: str, code: str, credential: dict[str, Any] | UnsetType) -> FactorProof:
    """Return the proof of a factor. A passkey answers with its credential, and every other factor with a code.

    Raises:
        Refused: invalid_request, with the one of both that is missing or too much.
    """
    by_passkey = method == Factor.PASSKEY
    if (credential is not UNSET) != by_passkey:
        raise problems.invalid("credential")
    if bool(code) == by_passkey:
        raise problems.invalid("code")
    return FactorProof(method, code, None if credential is UNSET else credential)
