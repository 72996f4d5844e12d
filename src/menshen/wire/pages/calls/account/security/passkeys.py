"""Add, rename and remove passkeys of an account."""

from __future__ import annotations

from typing import Final

from menshen.core.factors.asks import NewPasskey
from menshen.core.factors.outcomes import Enrolled
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.security.acting import refusal_of
from menshen.wire.pages.calls.account.security.overview import PAGE as SECURITY
from menshen.wire.pages.calls.account.security.overview import show, shown_passkeys
from menshen.wire.pages.credentials import options_as_json, read_credential
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/security/passkeys"


async def post_options(call: Call) -> Answer:
    """Return the options for a new passkey, as JSON."""
    return options_as_json(call, await call.flows.factors.new_passkey_options(call.member, call.origin))


async def post(call: Call) -> Answer:
    """Register a passkey. The first factor of an account brings recovery codes."""
    credential = read_credential(call)
    if credential is None:
        return await show(call, Denied(ProblemCode.WRONG_PASSKEY))
    outcome = await call.flows.factors.add_passkey(NewPasskey(credential), call.member, call.origin)
    denied = refusal_of(outcome)
    if denied is not None or not isinstance(outcome, Enrolled):
        return await show(call, denied)
    if outcome.recovery_codes:
        return call.page("codes.html", codes=outcome.recovery_codes, to=SECURITY)
    return call.go(SECURITY, said="security.passkey_added")


async def get_one(call: Call) -> Answer:
    """Show one passkey, with the forms that rename and remove it."""
    return await _one(call, call.resource)


async def post_rename(call: Call) -> Answer:
    """Rename a passkey."""
    passkey_id, name = call.field("passkey", 64), call.field("name", 200).strip()
    denied = refusal_of(await call.flows.factors.rename_passkey(passkey_id, name, call.member, call.origin))
    return await _one(call, passkey_id, denied) if denied else call.go(SECURITY, said="security.passkey_renamed")


async def post_remove(call: Call) -> Answer:
    """Remove a passkey."""
    passkey_id = call.field("passkey", 64)
    denied = refusal_of(await call.flows.factors.remove_passkey(passkey_id, call.member, call.origin))
    return await show(call, denied) if denied else call.go(SECURITY, said="security.passkey_removed")


async def _one(call: Call, passkey_id: str, denied: Denied | None = None) -> Answer:
    listed = await call.flows.factors.list(call.member, call.origin)
    if isinstance(listed, Denied):
        return await show(call, listed)
    found = next((key for key in shown_passkeys(call, listed) if key.id == passkey_id), None)
    if found is None:
        return await show(call, Denied(ProblemCode.NOT_FOUND))
    return call.page("account/security/passkey.html", error=denied, wrong="name" if denied else "", key=found)


ROUTES: Final = (
    Route("POST", f"{PAGE}/options", post_options, "factors.new_passkey_options", Access.PRIVATE),
    Route("POST", PAGE, post, "factors.add_passkey", Access.PRIVATE),
    Route("GET", f"{PAGE}/{{id}}", get_one, "factors.list", Access.PRIVATE),
    Route("POST", f"{PAGE}/rename", post_rename, "factors.rename_passkey", Access.PRIVATE),
    Route("POST", f"{PAGE}/remove", post_remove, "factors.remove_passkey", Access.PRIVATE),
)
