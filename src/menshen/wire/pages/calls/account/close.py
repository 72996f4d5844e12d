"""Answer the closing of an account: what it means, a proof in the form itself, and a farewell."""

from __future__ import annotations

from typing import Final

from menshen.core.account.asks import Deletion
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind, masked
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, NEVER, Instant, after
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, ProofNeeded, SeeOther
from menshen.wire.pages.call import HOME, Call
from menshen.wire.pages.calls.account.moments import day
from menshen.wire.pages.entering import leave
from menshen.wire.pages.parts.captcha import ASKS, show_captcha
from menshen.wire.pages.parts.codes import may_ask_again, of_sending, send_code, sent_to
from menshen.wire.pages.parts.typed import Typed
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/data/close"
FAREWELL: Final = "/account/closed"
_MOST_OF_PASSWORD: Final = 1024


async def get(call: Call) -> Answer:
    """Say what closing means, and ask for a proof."""
    return await _show(call)


async def post(call: Call) -> Answer:
    """Send a code, or close the account by the proof in the form. A logged-in browser alone never closes one."""
    way, do, code = _way(call), call.field("do"), call.field("code", 40).strip()
    if way == "code":
        if do == "picture":
            return await _show(call, Denied(ProblemCode.CAPTCHA_REQUIRED), told=False)
        contact = _contact(call)
        if do == "send" or (do == "next" and not code and may_ask_again(call, Purpose.PROOF, contact)):
            denied = await send_code(call, contact, Purpose.PROOF)
            return await _show(call, denied) if denied else call.go(PAGE, way=way)
    days = call.settings.closing_days
    outcome = await call.flows.account.close(_ask(call, way, code), days, call.member, call.origin)
    if isinstance(outcome, Denied):
        if outcome.code is ProblemCode.PROOF_REQUIRED:
            raise ProofNeeded
        return await _show(call, outcome)
    leave(call)
    call.keep(sent=None, farewell=after(call.now, days * DAY) if days else NEVER)
    return SeeOther(FAREWELL)


async def get_farewell(call: Call) -> Answer:
    """Say goodbye, and until when the closing can be taken back. Others are sent on."""
    until = call.kept.farewell
    if until is None or call.caller is not None:
        return SeeOther(HOME if call.caller else "/login")
    return call.page("account/closed.html", until=day(Instant(until)) if until else "")


def _ask(call: Call, way: str, code: str) -> Deletion:
    """Return the request with its proof. One that is missing is judged as a wrong one."""
    if way == "password":
        return Deletion(password=call.field("password", _MOST_OF_PASSWORD))
    return Deletion(proof_code=code) if way == "code" else Deletion()


def _way(call: Call) -> str:
    """Return how identity is proved here: password, code, or "" for an account that has neither."""
    account = call.member.account
    ways = [*(["password"] if account.password_hash else []), *(["code"] if account.proved else [])]
    asked = call.form.get("way") or call.query.get("way", "")
    return asked if asked in ways else (ways[0] if ways else "")


def _contact(call: Call) -> Typed:
    """Return the proved phone or e-mail that the form chose, else that of the last code, else the first one."""
    proved = call.member.account.proved
    chosen = dict(zip(("0", "1"), proved, strict=False)).get(call.field("to"))
    sent = call.kept.sent
    last = sent.subject if sent and sent.purpose == Purpose.PROOF and sent.subject in proved else proved[0]
    subject = chosen or last
    return Typed(Kind.EMAIL if "@" in subject else Kind.PHONE, subject=subject, field="to")


async def _show(call: Call, denied: Denied | None = None, *, told: bool = True) -> Answer:
    account, days, way = call.member.account, call.settings.closing_days, _way(call)
    both = account.password_hash and account.proved
    other = "" if not both else "code" if way == "password" else "password"
    contact = _contact(call) if way == "code" else Typed(Kind.USERNAME)
    sent = sent_to(call, Purpose.PROOF, contact.kind, contact.subject)
    return call.page(
        "account/close.html",
        error=denied if told else None,
        wrong="answer" if denied and denied.code in ASKS else way if denied else "",
        way=way,
        other=other,
        by_other=call.words(f"data.by_{other}") if other else "",
        days=days,
        until=day(after(call.now, days * DAY)),
        contacts=[(masked(proved), proved == contact.subject) for proved in account.proved],
        username=account.username_shown or account.phone or account.email or "",
        captcha=await show_captcha(call, denied),
        **of_sending(call, sent, denied),
    )


ROUTES: Final = (
    Route("GET", PAGE, get, access=Access.PRIVATE),
    Route("POST", PAGE, post, "account.close", Access.PRIVATE),
    Route("GET", FAREWELL, get_farewell),
)
