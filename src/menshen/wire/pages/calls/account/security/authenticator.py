"""Add and remove the authenticator app of an account.

Its secret is shown in the answer that makes it, and kept nowhere.
"""

from __future__ import annotations

from typing import Final

from menshen.core.factors.asks import Enrolment
from menshen.core.factors.outcomes import Begun, Enrolled
from menshen.core.factors.proofs import Factor
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.security.acting import refusal_of
from menshen.wire.pages.calls.account.security.overview import PAGE as SECURITY
from menshen.wire.pages.calls.account.security.overview import show
from menshen.wire.pages.look.new_factor import show_factor
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/security/authenticator"


async def post_begin(call: Call) -> Answer:
    """Make a secret, and show it once."""
    outcome = await call.flows.factors.begin(Factor.TOTP, call.member, call.origin)
    denied = refusal_of(outcome)
    if denied is not None or not isinstance(outcome, Begun):
        return await show(call, denied)
    return _page(call, dict(outcome.shown))


async def post(call: Call) -> Answer:
    """Confirm it by its first code. The first factor of an account brings recovery codes."""
    ask = Enrolment(Factor.TOTP, "".join(call.field("code", 64).split()))
    outcome = await call.flows.factors.confirm(ask, call.member, call.origin)
    denied = refusal_of(outcome)
    if denied is not None and denied.code is ProblemCode.WRONG_SECOND_FACTOR:
        # The form brings along what it showed: the server does not know the secret in clear.
        return _page(call, {name: call.field(name, 512) for name in ("secret", "uri")}, denied)
    if denied is not None or not isinstance(outcome, Enrolled):
        return await show(call, denied)
    if outcome.recovery_codes:
        return call.page("codes.html", codes=outcome.recovery_codes, to=SECURITY)
    return call.go(SECURITY, said="security.authenticator_added")


async def post_remove(call: Call) -> Answer:
    """Remove it."""
    denied = refusal_of(await call.flows.factors.remove(Factor.TOTP, call.member, call.origin))
    return await show(call, denied) if denied else call.go(SECURITY, said="security.authenticator_removed")


def _page(call: Call, shown: dict[str, str], denied: Denied | None = None) -> Answer:
    return call.page(
        "account/security/authenticator.html",
        error=denied,
        wrong="code" if denied else "",
        factor=show_factor(shown),
    )


ROUTES: Final = (
    Route("POST", f"{PAGE}/begin", post_begin, "factors.begin", Access.PRIVATE),
    Route("POST", PAGE, post, "factors.confirm", Access.PRIVATE),
    Route("POST", f"{PAGE}/remove", post_remove, "factors.remove", Access.PRIVATE),
)
