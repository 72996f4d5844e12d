"""Answer the reset of a password in two steps: a code to the account's phone or e-mail, then a new password."""

from __future__ import annotations

from typing import Final

from menshen.core.account.asks import PasswordReset
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.pages.form_keys import Submit
from menshen.core.pages.settings import Way
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.pages.answers import Answer, Refused, SeeOther
from menshen.wire.pages.call import Call, invalid
from menshen.wire.pages.parts.captcha import ASKS, earn_pass, show_captcha
from menshen.wire.pages.parts.codes import TWICE, finish_key, may_ask_again, of_sending, pass_of, send_code, spend_key
from menshen.wire.pages.parts.typed import Typed, typed_account
from menshen.wire.pages.request.kept import SentCode
from menshen.wire.pages.routing import Route

_AGAIN_FROM_START: Final = frozenset({ProblemCode.NOT_REGISTERED, ProblemCode.ACCOUNT_DISABLED})
"""Refusals after which no new password helps."""


async def get(call: Call) -> Answer:
    """Show the form. Who is logged in may have forgotten the password, too."""
    _demand_passwords(call)
    sent = None if call.query.get("other") else _sent(call)
    return await (_second(call, sent) if sent else _first(call, Typed(Kind.PHONE)))


async def post(call: Call) -> Answer:
    """Send a code, or set the password."""
    _demand_passwords(call)
    if "account" in call.form:
        return await _post_first(call)
    sent = _sent(call)
    return await _post_second(call, sent) if sent else call.go("/reset")


async def _post_first(call: Call) -> Answer:
    typed = typed_account(call)
    if call.field("do") == "picture":
        return await _first(call, typed, Denied(ProblemCode.CAPTCHA_REQUIRED), said=False)
    denied = await send_code(call, typed, Purpose.RESET)
    return await _first(call, typed, denied) if denied else call.go("/reset")


async def _post_second(call: Call, sent: SentCode) -> Answer:
    typed = Typed(Kind(sent.kind), sent.typed, "", sent.subject, "account")
    code, password, do = call.field("code", 40).strip(), call.form.get("password", ""), call.field("do")
    if do == "picture":
        return await _second(call, sent, Denied(ProblemCode.CAPTCHA_REQUIRED), said=False)
    if do == "send" or (do == "next" and not code and may_ask_again(call, Purpose.RESET, typed)):
        denied = await send_code(call, typed, Purpose.RESET)
        return await _second(call, sent, denied) if denied else call.go("/reset")
    if not code or not password:
        return await _second(call, sent, invalid("password" if code else "code"))
    presented = await earn_pass(call) or pass_of(call, Purpose.RESET, typed)
    if isinstance(presented, Denied):
        return await _second(call, sent, presented)
    what = f"reset|{sent.subject}"
    submit = await spend_key(call, what)
    if submit is Submit.DONE:
        return _done(call)
    if submit is not Submit.FIRST:
        return await _second(call, sent, submit if isinstance(submit, Denied) else TWICE)
    ask = PasswordReset(typed.kind, sent.subject, Purpose.RESET, code, password, captcha=presented)
    outcome = await call.flows.account.reset_password(ask, call.origin)
    if isinstance(outcome, Denied):
        if outcome.code in _AGAIN_FROM_START:
            call.keep(sent=None)
            return await _first(call, typed, outcome)
        return await _second(call, sent, outcome)
    await finish_key(call, what)
    return _done(call)


def _done(call: Call) -> SeeOther:
    call.keep(sent=None)
    return call.go("/login", said="reset.done", way=Way.PASSWORD.value)


async def _first(call: Call, typed: Typed, denied: Denied | None = None, *, said: bool = True) -> Answer:
    """Return the form that asks for the phone or e-mail."""
    return call.page(
        "reset.html",
        error=denied if said else None,
        wrong=_wrong(denied),
        step=1,
        typed=typed,
        captcha=await show_captcha(call, denied),
        **of_sending(call, None),
    )


async def _second(call: Call, sent: SentCode, denied: Denied | None = None, *, said: bool = True) -> Answer:
    """Return the form that asks for the code and the new password."""
    sent = call.kept.sent or sent
    return call.page(
        "reset.html",
        error=denied if said else None,
        wrong=_wrong(denied),
        step=2,
        to=sent.typed,
        subject=sent.subject,
        minimum=call.origin.password_min,
        captcha=await show_captcha(call, denied),
        **of_sending(call, sent, denied),
    )


def _sent(call: Call) -> SentCode | None:
    sent = call.kept.sent
    return sent if sent is not None and sent.purpose == Purpose.RESET else None


def _wrong(denied: Denied | None) -> str:
    if denied is None:
        return ""
    if denied.code in ASKS:
        return "answer"
    if denied.code is ProblemCode.WEAK_PASSWORD:
        return "password"
    if denied.code is ProblemCode.COUNTRY_NOT_ALLOWED:
        return "account"
    return "code" if denied.code is ProblemCode.WRONG_CODE else denied.field or ""


def _demand_passwords(call: Call) -> None:
    """Refuse the page where people do not log in with a password."""
    if not call.settings.allows(Way.PASSWORD):
        raise Refused(404, "not_found")


ROUTES: Final = (
    Route("GET", "/reset", get),
    Route("POST", "/reset", post, "account.reset_password"),
)
