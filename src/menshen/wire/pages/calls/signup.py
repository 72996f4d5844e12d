"""Answer the sign-up in two steps: a number or address gets a code, then the code makes the account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, cast

from menshen.core.account.accounts import Gender, Profile
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeSignup
from menshen.core.pages.form_keys import Submit
from menshen.core.pages.settings import SignupPassword, Way
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer, SeeOther
from menshen.wire.pages.call import HOME, Call, invalid
from menshen.wire.pages.entering import answer_login
from menshen.wire.pages.parts.captcha import ASKS, earn_pass, show_captcha
from menshen.wire.pages.parts.codes import (
    TWICE,
    finish_key,
    may_ask_again,
    of_sending,
    pass_of,
    send_code,
    sent_to,
    spend_key,
)
from menshen.wire.pages.parts.consent import agreed_in, boxes, missing_consent
from menshen.wire.pages.parts.typed import Typed, regions, typed_as
from menshen.wire.pages.request.kept import SentCode
from menshen.wire.pages.routing import Route

_AGAIN_FROM_START: Final = frozenset({ProblemCode.ALREADY_TAKEN, ProblemCode.FORBIDDEN})
"""Refusals after which another number or address is needed."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """Hold what stands in the form of the second step, without the code and the password."""

    profile: Profile
    wrong: str = ""


async def get(call: Call) -> Answer:
    """Show the form. A person who is logged in goes on at once."""
    if call.caller is not None:
        return SeeOther(call.next or HOME)
    kind = _kind(call)
    if kind is None:
        return _closed(call)
    sent = None if call.query.get("other") else sent_to(call, Purpose.SIGNUP, kind)
    return await (_second(call, sent) if sent else _first(call, kind, Typed(kind)))


async def post(call: Call) -> Answer:
    """Send a code, or make the account."""
    kind = _kind(call)
    if kind is None:
        return _closed(call)
    if kind.value in call.form:
        return await _post_first(call, kind)
    sent = sent_to(call, Purpose.SIGNUP, kind)
    return await _post_second(call, sent) if sent else call.go("/signup", by=kind.value)


async def _post_first(call: Call, kind: Kind) -> Answer:
    typed = typed_as(call, kind)
    if call.field("do") == "picture":
        return await _first(call, kind, typed, Denied(ProblemCode.CAPTCHA_REQUIRED), said=False)
    denied = missing_consent(call) if typed.subject else invalid(typed.field)
    denied = denied or await send_code(call, typed, Purpose.SIGNUP, agreed_in(call))
    return await _first(call, kind, typed, denied) if denied else call.go("/signup", by=kind.value)


async def _post_second(call: Call, sent: SentCode) -> Answer:
    typed = Typed(Kind(sent.kind), sent.typed, sent.region, sent.subject, sent.kind)
    filled, code, do = _filled(call), call.field("code", 40).strip(), call.field("do")
    if do == "picture":
        return await _second(call, sent, filled, Denied(ProblemCode.CAPTCHA_REQUIRED), said=False)
    if do == "send" or (do == "next" and not code and may_ask_again(call, Purpose.SIGNUP, typed)):
        denied = await send_code(call, typed, Purpose.SIGNUP, sent.agreed)
        return await _second(call, sent, filled, denied) if denied else call.go("/signup", by=sent.kind)
    password = _password(call)
    refusal = invalid("code") if not code else invalid(filled.wrong) if filled.wrong else None
    if refusal or isinstance(password, Denied):
        return await _second(call, sent, filled, refusal or cast("Denied", password))
    presented = await earn_pass(call) or pass_of(call, Purpose.SIGNUP, typed)
    if isinstance(presented, Denied):
        return await _second(call, sent, filled, presented)
    what = f"sign up|{sent.subject}"
    submit = await spend_key(call, what)
    if submit is Submit.DONE:
        # The account is there. Its session went out with the first answer, which this browser may have or not.
        return call.go("/login", said="signup.done")
    if submit is not Submit.FIRST:
        return await _second(call, sent, filled, submit if isinstance(submit, Denied) else TWICE)
    ask = CodeSignup(sent.subject, code, password, presented, filled.profile)
    answer = await answer_login(call, await call.flows.login.sign_up(ask, call.origin), sent.agreed)
    if not isinstance(answer, Denied):
        await finish_key(call, what)
        return answer
    if answer.code in _AGAIN_FROM_START:
        call.keep(sent=None)
        return await _first(call, typed.kind, typed, answer)
    return await _second(call, sent, filled, answer)


def _password(call: Call) -> str | Denied | None:
    """Return the new password, None if the account gets none. Denied: the app demands one."""
    rule, given = call.settings.signup_password, call.form.get("password", "")
    if rule is SignupPassword.NONE:
        return None
    if not given and rule is SignupPassword.REQUIRED:
        return Denied(ProblemCode.WEAK_PASSWORD, field="short", least=call.origin.password_min)
    return given or None


def _filled(call: Call) -> _Filled:
    """Read the fields of the profile that the app asks for. The flow judges the texts."""
    names = [name for name in call.settings.signup_fields if name in call.form]
    given: dict[str, Any] = {name: call.field(name).strip() for name in names}
    if "gender" not in given:
        return _Filled(Profile(**given))
    known = given["gender"] in {"0", "1", "2"}
    given["gender"] = Gender(int(given["gender"])) if known else Gender.UNKNOWN
    return _Filled(Profile(**given), "" if known else "gender")


async def _first(call: Call, kind: Kind, typed: Typed, denied: Denied | None = None, *, said: bool = True) -> Answer:
    """Return the form that asks for the number or address."""
    return call.page(
        "signup.html",
        error=denied if said else None,
        wrong=_wrong(denied),
        step=1,
        by=kind.value,
        kinds=[each.value for each in _kinds(call)],
        typed=typed,
        regions=regions(call),
        boxes=boxes(call),
        captcha=await show_captcha(call, denied),
        **of_sending(call, None),
    )


async def _second(
    call: Call, sent: SentCode, filled: _Filled | None = None, denied: Denied | None = None, *, said: bool = True
) -> Answer:
    """Return the form that asks for the code, and for what the account begins with."""
    # What was sent last: a resend may have changed it.
    sent = call.kept.sent or sent
    return call.page(
        "signup.html",
        error=denied if said else None,
        wrong=_wrong(denied),
        step=2,
        by=sent.kind,
        kinds=[each.value for each in _kinds(call)],
        to=f"{sent.region} {sent.typed}".strip(),
        subject=sent.subject,
        password_rule=call.settings.signup_password.value,
        minimum=call.origin.password_min,
        profile=(filled or _Filled(Profile())).profile,
        fields_asked=call.settings.signup_fields,
        captcha=await show_captcha(call, denied),
        **of_sending(call, sent, denied),
    )


def _wrong(denied: Denied | None) -> str:
    if denied is None:
        return ""
    if denied.code in ASKS:
        return "answer"
    if denied.code is ProblemCode.WEAK_PASSWORD:
        return "password"
    return "code" if denied.code is ProblemCode.WRONG_CODE else denied.field or ""


def _kinds(call: Call) -> list[Kind]:
    """Return by what people may sign up here: a phone, and an address where the app takes codes by e-mail."""
    app = call.app
    kinds = [Kind.PHONE] if app.signs_up_with(Kind.PHONE) and call.flows.policy.sms_countries else []
    mail = call.settings.allows(Way.EMAIL) and app.signs_up_with(Kind.EMAIL)
    return [*kinds, Kind.EMAIL] if mail else kinds


def _kind(call: Call) -> Kind | None:
    """Return the kind of the address of the page, else the first one; None without a way to sign up."""
    kinds = _kinds(call)
    return next((kind for kind in kinds if kind.value == call.query.get("by")), kinds[0] if kinds else None)


def _closed(call: Call) -> Answer:
    return replace(call.page("refused.html", title=call.words("signup.closed"), sentence=None), status=403)


ROUTES: Final = (
    Route("GET", "/signup", get),
    Route("POST", "/signup", post, "login.sign_up", Access.LOGIN),
)
