"""Enrol a factor that the app demands, by the ticket of the login that waits for it.

The secret of a new factor and its recovery codes are shown in the answer that makes them, and kept nowhere.
(docs/contracts/factors.md section 9.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.factors.asks import Enrolment, NewPasskey
from menshen.core.factors.outcomes import Begun, CodeSent
from menshen.core.factors.proofs import Factor
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import seconds_until
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, Page
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.step import due_step
from menshen.wire.pages.credentials import options_as_json, read_credential
from menshen.wire.pages.entering import answer_login, give_up_step
from menshen.wire.pages.look.new_factor import show_factor
from menshen.wire.pages.request.kept import DueStep, SentCode
from menshen.wire.pages.routing import Route

_AGAIN: Final = 60
_PURPOSE: Final = "enroll"


async def get(call: Call) -> Answer:
    """Show which factors can be added, and ask for the code of the phone first where one is due."""
    due = due_step(call)
    return _choose(call, due) if due is not None and due.enroll else give_up_step(call)


async def post_code(call: Call) -> Answer:
    """Send a code to the proved phone, which allows the enrolment."""
    due = due_step(call)
    if due is None:
        return give_up_step(call)
    match await call.flows.login.second_code(due.ticket, call.origin):
        case CodeSent(masked=phone):
            sent = SentCode(kind=Factor.SMS, subject=phone, purpose=_PURPOSE, again_at=call.again_at(_AGAIN))
            call.keep(sent=sent)
            return call.go("/login/enroll")
        case Denied() as denied:
            return _refused(call, due, denied)


async def post_begin(call: Call) -> Answer:
    """Begin a factor of a plug-in, and show its secret once."""
    due, kind = due_step(call), call.field("kind", 32)
    if due is None:
        return give_up_step(call)
    match await call.flows.factors.begin_by_ticket(kind, due.ticket, _code(call), call.origin):
        case Begun(shown=shown):
            return _confirm(call, kind, dict(shown))
        case Denied() as denied:
            return _refused(call, due, denied)


async def post_options(call: Call) -> Answer:
    """Return the options for a new passkey, as JSON."""
    due = due_step(call)
    ticket = due.ticket if due else ""
    return options_as_json(call, await call.flows.factors.passkey_options_by_ticket(ticket, _code(call), call.origin))


async def post(call: Call) -> Answer:
    """Confirm the factor by its first proof. The login is then complete."""
    due, kind = due_step(call), call.field("kind", 32)
    if due is None:
        return give_up_step(call)
    if kind == Factor.PASSKEY:
        credential = read_credential(call)
        if credential is None:
            return _refused(call, due, Denied(ProblemCode.WRONG_PASSKEY))
        flow = call.flows.factors.add_passkey_by_ticket
        outcome = await answer_login(call, await flow(NewPasskey(credential), due.ticket, call.origin))
        return _refused(call, due, outcome) if isinstance(outcome, Denied) else outcome
    ask = Enrolment(kind, _code(call))
    outcome = await answer_login(call, await call.flows.factors.confirm_by_ticket(ask, due.ticket, call.origin))
    if not isinstance(outcome, Denied):
        return outcome
    if outcome.code is ProblemCode.WRONG_SECOND_FACTOR and outcome.tries_left:
        # The form brings along what it showed: the server does not know the secret in clear.
        return _confirm(call, kind, {name: call.field(name, 512) for name in ("secret", "uri")}, outcome)
    return _refused(call, due, outcome)


def _code(call: Call) -> str:
    return "".join(call.field("code", 64).split())


def _choose(call: Call, due: DueStep, error: Denied | None = None) -> Page:
    sent = call.kept.sent if call.kept.sent and call.kept.sent.purpose == _PURPOSE else None
    return call.page(
        "step/enroll.html",
        error=error,
        wrong="code" if error else "",
        allowed=[kind for kind in due.allowed if kind != Factor.RECOVERY],
        phone=due.phone,
        sent=sent,
        again_in=seconds_until(sent.again_at, call.now) if sent else 0,
    )


def _confirm(call: Call, kind: str, shown: dict[str, str], error: Denied | None = None) -> Page:
    return call.page(
        "step/confirm.html", error=error, wrong="code" if error else "", kind=kind, factor=show_factor(shown)
    )


def _refused(call: Call, due: DueStep, denied: Denied) -> Answer:
    if denied.code is ProblemCode.TICKET_INVALID or denied.tries_left == 0:
        return give_up_step(call)
    return _choose(call, due, denied)


ROUTES: Final = (
    Route("GET", "/login/enroll", get),
    Route("POST", "/login/enroll", post, "factors.confirm_by_ticket", Access.LOGIN),
    Route("POST", "/login/enroll/begin", post_begin, "factors.begin_by_ticket", Access.TICKET),
    Route("POST", "/login/enroll/code", post_code, "login.second_code", Access.TICKET),
    Route("POST", "/login/enroll/options", post_options, "factors.passkey_options_by_ticket", Access.TICKET),
)
