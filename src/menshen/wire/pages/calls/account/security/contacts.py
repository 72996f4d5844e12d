"""Bind, change and drop the phone and the e-mail of the account."""

from __future__ import annotations

from typing import Final

from menshen.core.account.asks import Bind
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind, masked
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call, invalid
from menshen.wire.pages.calls.account.security.acting import refusal_of
from menshen.wire.pages.calls.account.security.overview import PAGE as SECURITY
from menshen.wire.pages.calls.account.security.overview import show
from menshen.wire.pages.parts.captcha import ASKS, show_captcha
from menshen.wire.pages.parts.codes import may_ask_again, of_sending, send_code, sent_to
from menshen.wire.pages.parts.typed import Typed, regions, typed_as
from menshen.wire.pages.routing import Route


async def _get(call: Call, kind: Kind) -> Answer:
    sent = sent_to(call, Purpose.BIND, kind)
    typed = Typed(kind, sent.typed, sent.region, sent.subject, kind.value) if sent else Typed(kind)
    return await _page(call, typed)


async def _post(call: Call, kind: Kind) -> Answer:
    typed, code, do = typed_as(call, kind), "".join(call.field("code", 40).split()), call.field("do")
    if do == "picture":
        return await _page(call, typed, Denied(ProblemCode.CAPTCHA_REQUIRED), said=False)
    if do == "send" or (do == "next" and not code and may_ask_again(call, Purpose.BIND, typed)):
        denied = await send_code(call, typed, Purpose.BIND)
        return await _page(call, typed, denied) if denied else call.go(_path(kind))
    if not typed.subject or not code:
        return await _page(call, typed, invalid("code" if typed.subject else typed.field))
    denied = refusal_of(await call.flows.account.bind(Bind(kind, typed.subject, code), call.member, call.origin))
    if denied:
        return await _page(call, typed, denied)
    call.keep(sent=None)
    return call.go(SECURITY, said=f"security.{kind.value}_bound")


async def _drop(call: Call, kind: Kind) -> Answer:
    denied = refusal_of(await call.flows.account.drop(kind, call.member, call.origin))
    return await show(call, denied) if denied else call.go(SECURITY, said=f"security.{kind.value}_dropped")


async def _page(call: Call, typed: Typed, denied: Denied | None = None, *, said: bool = True) -> Answer:
    account = call.member.account
    present = account.phone if typed.kind is Kind.PHONE else account.email
    sent = sent_to(call, Purpose.BIND, typed.kind, typed.subject)
    return call.page(
        "account/security/contact.html",
        error=denied if said else None,
        wrong=_wrong(denied, typed),
        kind=typed.kind.value,
        typed=typed,
        regions=regions(call),
        present=masked(present) if present else "",
        captcha=await show_captcha(call, denied),
        **of_sending(call, sent, denied),
    )


def _wrong(denied: Denied | None, typed: Typed) -> str:
    if denied is None:
        return ""
    if denied.code in ASKS:
        return "answer"
    return "code" if denied.code is ProblemCode.WRONG_CODE or denied.field == "code" else typed.kind.value


def _path(kind: Kind) -> str:
    return f"{SECURITY}/{kind.value}"


async def get_phone(call: Call) -> Answer:
    """Show the form for a new phone."""
    return await _get(call, Kind.PHONE)


async def get_email(call: Call) -> Answer:
    """Show the form for a new address."""
    return await _get(call, Kind.EMAIL)


async def post_phone(call: Call) -> Answer:
    """Send a code to the new phone, or bind it by that code."""
    return await _post(call, Kind.PHONE)


async def post_email(call: Call) -> Answer:
    """Send a code to the new address, or bind it by that code."""
    return await _post(call, Kind.EMAIL)


async def post_drop_phone(call: Call) -> Answer:
    """Remove the phone from the account."""
    return await _drop(call, Kind.PHONE)


async def post_drop_email(call: Call) -> Answer:
    """Remove the address from the account."""
    return await _drop(call, Kind.EMAIL)


ROUTES: Final = (
    Route("GET", f"{SECURITY}/phone", get_phone, access=Access.PRIVATE),
    Route("POST", f"{SECURITY}/phone", post_phone, "account.bind", Access.PRIVATE),
    Route("POST", f"{SECURITY}/phone/drop", post_drop_phone, "account.drop", Access.PRIVATE),
    Route("GET", f"{SECURITY}/email", get_email, access=Access.PRIVATE),
    Route("POST", f"{SECURITY}/email", post_email, "account.bind", Access.PRIVATE),
    Route("POST", f"{SECURITY}/email/drop", post_drop_email, "account.drop", Access.PRIVATE),
)
