"""Answer the second step of a login: one proof more, by a passkey, a code of an app or by SMS, or a recovery code.

The ticket stands in what the browser keeps. (docs/contracts/factors.md section 3, docs/contracts/pages.md section 3.)
"""

from __future__ import annotations

from typing import Any, Final

from menshen.core.factors.asks import FactorProof, SecondStep
from menshen.core.factors.outcomes import CodeSent
from menshen.core.factors.proofs import Factor
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import seconds_until
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, Page
from menshen.wire.pages.call import Call, invalid
from menshen.wire.pages.credentials import options_as_json, read_credential
from menshen.wire.pages.entering import answer_login, give_up_step
from menshen.wire.pages.request.kept import DueStep, SentCode
from menshen.wire.pages.routing import Route

_BEST_FIRST: Final = (Factor.PASSKEY, Factor.TOTP, Factor.SMS, Factor.RECOVERY)
_AGAIN: Final = 60
"""Seconds until a code may be asked for again, where the flow says nothing else."""


def due_step(call: Call) -> DueStep | None:
    """Return the login that waits in this browser, None for none and for one whose time is over."""
    due = call.kept.step
    return due if due is not None and call.now < due.until else None


async def get(call: Call) -> Answer:
    """Show the best of the methods, or the one that `by` names."""
    due = due_step(call)
    if due is None:
        return give_up_step(call)
    if due.enroll:
        return call.go("/login/enroll")
    return _page(call, due, call.query.get("by", ""))


async def post(call: Call) -> Answer:
    """Judge the proof. A right one opens the session, with the last wrong one the login is over."""
    due = due_step(call)
    if due is None:
        return give_up_step(call)
    by = call.field("by", 32)
    proof = _proof(call, by)
    if proof is None:
        return _page(call, due, by, invalid("code"))
    ask = SecondStep(due.ticket, proof, trust_device=bool(call.field("trust")))
    outcome = await answer_login(call, await call.flows.login.second(ask, call.origin))
    return _refused(call, due, by, outcome) if isinstance(outcome, Denied) else outcome


async def post_code(call: Call) -> Answer:
    """Send a code to the proved phone."""
    due = due_step(call)
    if due is None:
        return give_up_step(call)
    match await call.flows.login.second_code(due.ticket, call.origin):
        case CodeSent(masked=phone):
            sent = SentCode(kind=Factor.SMS, subject=phone, purpose="step", again_at=call.again_at(_AGAIN))
            call.keep(sent=sent)
            return call.go("/login/step", by=Factor.SMS)
        case Denied() as denied:
            return _refused(call, due, Factor.SMS, denied)


async def post_options(call: Call) -> Answer:
    """Return the options for a passkey of the account, as JSON."""
    due = due_step(call)
    ticket = due.ticket if due else ""
    return options_as_json(call, await call.flows.login.second_options(ticket, call.origin))


def _page(call: Call, due: DueStep, by: str, error: Denied | None = None) -> Page:
    methods = sorted(due.methods, key=lambda each: _BEST_FIRST.index(each) if each in _BEST_FIRST else 1)
    chosen = by if by in methods else methods[0]
    sent = call.kept.sent if call.kept.sent and call.kept.sent.purpose == "step" else None
    values: dict[str, Any] = {
        "by": chosen,
        "others": [each for each in methods if each != chosen],
        "sent": sent,
        "again_in": seconds_until(sent.again_at, call.now) if sent else 0,
        "left": seconds_until(due.until, call.now),
        "trusted_days": call.app.trusted_days,
    }
    return call.page("step/step.html", error=error, wrong="code" if error else "", **values)


def _refused(call: Call, due: DueStep, by: str, denied: Denied) -> Answer:
    if denied.code is ProblemCode.TICKET_INVALID or denied.tries_left == 0:
        return give_up_step(call)
    return _page(call, due, by, denied)


def _proof(call: Call, by: str) -> FactorProof | None:
    """Return the proof of the form, None for one that is incomplete."""
    if by == Factor.PASSKEY:
        credential = read_credential(call)
        return FactorProof(by, credential=credential) if credential else None
    code = "".join(call.field("code", 64).split())
    return FactorProof(by, code) if by and code else None


ROUTES: Final = (
    Route("GET", "/login/step", get),
    Route("POST", "/login/step", post, "login.second", Access.LOGIN),
    Route("POST", "/login/step/code", post_code, "login.second_code", Access.TICKET),
    Route("POST", "/login/step/options", post_options, "login.second_options", Access.TICKET),
)
