"""Turn the second step on and off, make recovery codes, and end trusted devices."""

from __future__ import annotations

from typing import Final

from menshen.core.factors.asks import StepSwitch
from menshen.core.factors.outcomes import RecoveryCodes
from menshen.core.problems import Denied
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.security.acting import refusal_of
from menshen.wire.pages.calls.account.security.overview import PAGE as SECURITY
from menshen.wire.pages.calls.account.security.overview import show
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/security/second-step"
CODES: Final = "/account/security/codes"
TRUSTED: Final = "/account/security/trusted"


async def get(call: Call) -> Answer:
    """Show the form that turns the second step on or off."""
    return _page(call)


async def post(call: Call) -> Answer:
    """Turn it on, which takes a recovery code or the owner's word that they are kept, or off."""
    on = call.field("on") == "1"
    code = "".join(call.field("code", 64).split())
    ask = StepSwitch(on, code, confirmed=bool(call.field("kept")))
    denied = refusal_of(await call.flows.factors.switch_second_step(ask, call.member, call.origin))
    return _page(call, denied) if denied else call.go(SECURITY, said="security.step_on" if on else "security.step_off")


async def post_codes(call: Call) -> Answer:
    """Make new recovery codes in place of the old ones, and show them once."""
    outcome = await call.flows.factors.make_recovery_codes(call.member, call.origin)
    denied = refusal_of(outcome)
    if denied is not None or not isinstance(outcome, RecoveryCodes):
        return await show(call, denied)
    return call.page("codes.html", codes=outcome.codes, to=SECURITY)


async def post_end_trusted(call: Call) -> Answer:
    """End one trusted device, or all of them."""
    trust_id = call.field("trust", 64)
    flows = call.flows.factors
    ended = (
        flows.end_trusted(trust_id, call.member, call.origin)
        if trust_id
        else flows.end_all_trusted(call.member, call.origin)
    )
    denied = refusal_of(await ended)
    return await show(call, denied) if denied else call.go(SECURITY, said="security.trusted_ended")


def _page(call: Call, denied: Denied | None = None) -> Answer:
    return call.page(
        "account/security/second_step.html",
        error=denied,
        wrong="code" if denied else "",
        on=call.member.account.second_step,
    )


ROUTES: Final = (
    Route("GET", PAGE, get, access=Access.PRIVATE),
    Route("POST", PAGE, post, "factors.switch_second_step", Access.PRIVATE),
    Route("POST", CODES, post_codes, "factors.make_recovery_codes", Access.PRIVATE),
    Route("POST", TRUSTED, post_end_trusted, "factors.end_trusted", Access.PRIVATE),
)
