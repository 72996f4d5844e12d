"""Prove identity again, before what needs a fresh proof. The person then goes on where it was asked for.

(docs/contracts/factors.md section 8, docs/contracts/pages.md section 3.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.asks import BY_CODE, BY_PASSWORD, FactorProof, IdentityProof
from menshen.core.factors.outcomes import FactorList
from menshen.core.factors.proofs import Factor
from menshen.core.identifiers import Kind, identifier_of, masked
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, SeeOther
from menshen.wire.pages.call import HOME, Call, invalid
from menshen.wire.pages.credentials import options_as_json, read_credential
from menshen.wire.pages.parts.captcha import ASKS, show_captcha
from menshen.wire.pages.parts.codes import may_ask_again, of_sending, send_code
from menshen.wire.pages.parts.typed import Typed
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/prove"
_BEST_FIRST: Final = (Factor.PASSKEY, BY_PASSWORD, Factor.TOTP, BY_CODE, Factor.RECOVERY)


async def get(call: Call) -> Answer:
    """Show the best way to prove identity, or the one that `by` names. Who just did so goes on."""
    listed = await call.flows.factors.list(call.member, call.origin)
    if isinstance(listed, Denied):
        return call.page("account/nothing.html", error=listed)
    if call.now < listed.fresh_until:
        return _on(call)
    return await _page(call, listed, call.query.get("by", ""))


async def post(call: Call) -> Answer:
    """Judge the proof, or send a code to a proved contact of the account."""
    by, do, code = call.field("by", 32), call.field("do"), "".join(call.field("code", 64).split())
    if by == BY_CODE:
        to = contact(call)
        asks = do == "send" or (do == "next" and not code and may_ask_again(call, Purpose.PROOF, to))
        if asks or do == "picture":
            denied = Denied(ProblemCode.CAPTCHA_REQUIRED) if do == "picture" else await _send(call, to)
            return await _again(call, by, denied) if denied else call.go(PAGE, by=by)
    ask = _proof(call, by, code)
    if ask is None:
        return await _again(call, by, invalid("password" if by == BY_PASSWORD else "code"))
    outcome = await call.flows.factors.prove(ask, call.member, call.origin)
    if isinstance(outcome, Denied):
        return await _again(call, by, outcome)
    call.keep(sent=None)
    return _on(call)


async def post_options(call: Call) -> Answer:
    """Return the options for a passkey of the account, as JSON."""
    return options_as_json(call, await call.flows.factors.prove_options(call.member, call.origin))


def contact(call: Call) -> Typed:
    """Return the proved phone or e-mail of the account that the form chose by its place, else the first."""
    proved = call.member.account.proved
    place = call.field("to", 1)
    chosen = proved[int(place)] if place.isdecimal() and int(place) < len(proved) else next(iter(proved), "")
    return Typed(identifier_of(chosen).kind, masked(chosen), "", chosen, "to") if chosen else Typed(Kind.PHONE)


async def _send(call: Call, to: Typed) -> Denied | None:
    return await send_code(call, to, Purpose.PROOF)


def _proof(call: Call, by: str, code: str) -> IdentityProof | None:
    """Return the proof of the form, None for one that is incomplete."""
    if by == BY_PASSWORD:
        password = call.field("password", 1024)
        return IdentityProof(by, password) if password else None
    if by == BY_CODE:
        return IdentityProof(by, code) if code else None
    if by == Factor.PASSKEY:
        credential = read_credential(call)
        return IdentityProof(by, proof=FactorProof(by, credential=credential)) if credential else None
    return IdentityProof(by, proof=FactorProof(by, code)) if by and code else None


async def _again(call: Call, by: str, denied: Denied) -> Answer:
    listed = await call.flows.factors.list(call.member, call.origin)
    return (
        await _page(call, listed, by, denied)
        if isinstance(listed, FactorList)
        else call.page("account/nothing.html", error=listed)
    )


async def _page(call: Call, listed: FactorList, by: str, denied: Denied | None = None) -> Answer:
    ways = sorted(listed.prove_with, key=lambda way: _BEST_FIRST.index(way) if way in _BEST_FIRST else 1)
    if not ways:
        return call.page("account/nothing.html", error=Denied(ProblemCode.PROOF_REQUIRED))
    chosen = by if by in ways else ways[0]
    sent = call.kept.sent if call.kept.sent and call.kept.sent.purpose == Purpose.PROOF else None
    account = call.member.account
    return call.page(
        "account/prove.html",
        error=None if call.field("do") == "picture" else denied,
        wrong=_wrong(denied, chosen),
        by=chosen,
        others=[way for way in ways if way != chosen],
        contacts=[masked(subject) for subject in account.proved],
        chosen=sent.subject if sent else "",
        subjects=account.proved,
        username=account.username_shown or account.phone or account.email or "",
        captcha=await show_captcha(call, denied),
        **of_sending(call, sent, denied),
    )


def _wrong(denied: Denied | None, by: str) -> str:
    if denied is None:
        return ""
    if denied.code in ASKS:
        return "answer"
    return "password" if by == BY_PASSWORD else "code"


def _on(call: Call) -> Answer:
    """Go on to a page of ours. Another origin gains nothing from a proof."""
    return SeeOther(call.next if call.next.startswith("/") else HOME)


ROUTES: Final = (
    Route("GET", PAGE, get, "factors.list", Access.PRIVATE),
    Route("POST", PAGE, post, "factors.prove", Access.PRIVATE),
    Route("POST", f"{PAGE}/options", post_options, "factors.prove_options", Access.PRIVATE),
)
