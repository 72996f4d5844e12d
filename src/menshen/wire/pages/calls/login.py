"""Answer the login page, in each of the ways that the app allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeLogin, PasswordLogin
from menshen.core.pages.settings import Way
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, SeeOther
from menshen.wire.pages.call import HOME, Call, invalid
from menshen.wire.pages.credentials import suggested
from menshen.wire.pages.entering import answer_login
from menshen.wire.pages.parts.captcha import ASKS, earn_pass, show_captcha
from menshen.wire.pages.parts.codes import may_ask_again, of_sending, pass_of, send_code, sent_to
from menshen.wire.pages.parts.consent import agreed_in, boxes, missing_consent
from menshen.wire.pages.parts.typed import Typed, regions, typed_as
from menshen.wire.pages.routing import Route

_KINDS: Final = {Way.SMS: Kind.PHONE, Way.EMAIL: Kind.EMAIL}
_WRONG: Final[Mapping[ProblemCode, str]] = {
    ProblemCode.WRONG_CREDENTIALS: "password",
    ProblemCode.WRONG_CODE: "code",
    ProblemCode.COUNTRY_NOT_ALLOWED: "phone",
}
"""The field that a refusal points at."""

_SPENT: Final = frozenset({ProblemCode.WRONG_CODE, ProblemCode.CAPTCHA_REQUIRED, ProblemCode.CAPTCHA_INVALID})
"""Refusals of a form that comes again after its login: the code and its pass are used up."""


async def get(call: Call) -> Answer:
    """Show the form. A person who is logged in goes on at once."""
    if call.caller is not None:
        return SeeOther(call.next or HOME)
    way = _way(call)
    kind = _KINDS.get(way)
    sent = sent_to(call, Purpose.LOGIN, kind) if kind else None
    typed = Typed(kind, sent.typed, sent.region, sent.subject) if kind and sent else None
    return await _form(call, way, typed, ticked=sent.agreed if sent else ())


async def post(call: Call) -> Answer:
    """Log in, or send a code. What Enter presses does what is due: without a code it sends one."""
    way, do = _way(call), call.field("do")
    if way is Way.PASSWORD:
        return await _by_password(call, another_picture=do == "picture")
    typed = typed_as(call, _KINDS[way])
    code = call.field("code", 40).strip()
    if do == "picture":
        return await _form(call, way, typed, Denied(ProblemCode.CAPTCHA_REQUIRED), said=False)
    if do == "send" or (do == "next" and not code and may_ask_again(call, Purpose.LOGIN, typed)):
        denied = await send_code(call, typed, Purpose.LOGIN, agreed_in(call))
        return await _form(call, way, typed, denied) if denied else call.go("/login", way=way.value)
    return await _by_code(call, way, typed, code)


async def _by_code(call: Call, way: Way, typed: Typed, code: str) -> Answer:
    if not typed.subject:
        return await _form(call, way, typed, invalid(typed.field))
    if not code:
        return await _form(call, way, typed, invalid("code"))
    if refusal := missing_consent(call):
        return await _form(call, way, typed, refusal)
    presented = await earn_pass(call) or pass_of(call, Purpose.LOGIN, typed)
    if isinstance(presented, Denied):
        return await _form(call, way, typed, presented)
    outcome = await call.flows.login.code(CodeLogin(typed.subject, code, presented), call.origin)
    if isinstance(outcome, Denied) and outcome.code in _SPENT and _just_entered(call):
        # The form came twice: the first submit spent the code, and logged this browser in.
        return SeeOther(call.next or HOME)
    answer = await answer_login(call, outcome, agreed_in(call))
    return await _form(call, way, typed, answer) if isinstance(answer, Denied) else answer


async def _by_password(call: Call, *, another_picture: bool) -> Answer:
    account = call.field("account").strip()
    typed = Typed(Kind.USERNAME, account)
    if another_picture:
        return await _form(call, Way.PASSWORD, typed, Denied(ProblemCode.CAPTCHA_REQUIRED), said=False)
    for name in ("account", "password"):
        if not call.field(name, 1024).strip():
            return await _form(call, Way.PASSWORD, typed, invalid(name))
    if refusal := missing_consent(call):
        return await _form(call, Way.PASSWORD, typed, refusal)
    presented = await earn_pass(call)
    if isinstance(presented, Denied) and presented.code not in ASKS:
        return await _form(call, Way.PASSWORD, typed, presented)
    captcha = None if isinstance(presented, Denied) else presented
    ask = PasswordLogin(account, call.field("password", 1024), captcha=captcha)
    answer = await answer_login(call, await call.flows.login.password(ask, call.origin), agreed_in(call))
    if isinstance(answer, Denied):
        return await _form(call, Way.PASSWORD, typed, answer)
    return answer


async def _form(
    call: Call,
    way: Way,
    typed: Typed | None,
    denied: Denied | None = None,
    *,
    said: bool = True,
    ticked: tuple[str, ...] = (),
) -> Answer:
    """Return the page with the form of a way. `said`: the refusal is shown; else only its captcha is, anew."""
    shown = await show_captcha(call, denied)
    kind = _KINDS.get(way)
    sent = sent_to(call, Purpose.LOGIN, kind, typed.subject if typed else "") if kind else None
    return call.page(
        "login.html",
        error=denied if said else None,
        wrong=_wrong(denied) if denied else "",
        way=way.value,
        tabs=_tabs(call, way),
        others=[other.value for other in call.settings.forms() if other not in _tabs(call, way)],
        suggested=await suggested(call) if call.settings.allows(Way.PASSKEY) else "",
        typed=typed or Typed(kind or Kind.USERNAME),
        regions=regions(call),
        boxes=boxes(call, ticked),
        registers=way is Way.SMS and call.app.registers_at_login,
        signs_up=call.app.registers_by_code,
        captcha=shown,
        panel=False,
        **of_sending(call, sent, denied),
    )


def _wrong(denied: Denied) -> str:
    if denied.code in ASKS:
        return "answer"
    return denied.field or _WRONG.get(denied.code, "")


def _way(call: Call) -> Way:
    """Return the way of the address if the app allows it, else the app's first one."""
    forms = call.settings.forms()
    return next((way for way in forms if way.value == call.query.get("way")), forms[0])


def _tabs(call: Call, way: Way) -> list[str]:
    """Return the ways above the form: the app's first two, or its first one and the one that is shown."""
    first = list(call.settings.forms()[:2])
    if way not in first:
        first = [first[0], way]
    return [each.value for each in first]


def _just_entered(call: Call) -> bool:
    return call.caller is not None and call.now - call.caller.session.created_at < MINUTE


ROUTES: Final = (
    Route("GET", "/login", get),
    Route("POST", "/login", post, "login.code", Access.LOGIN),
)
