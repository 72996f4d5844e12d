"""Give a login to the browser, ask for its second step, and take it back at logout.

(docs/contracts/pages.md section 3, "Handing over".)
"""

from __future__ import annotations

from typing import Final

from menshen.core.login.outcomes import Granted, LoginOutcome, StepNeeded
from menshen.core.problems import Denied
from menshen.core.time import Instant
from menshen.wire.dialect import Browsed
from menshen.wire.http.cookies import CookieJarRules, set_cookie
from menshen.wire.pages.answers import Answer, SeeOther
from menshen.wire.pages.call import HOME, Call
from menshen.wire.pages.parts.consent import note_agreements
from menshen.wire.pages.request import cookies
from menshen.wire.pages.request.kept import DueStep

_LONG_AGO: Final = Instant(0)


async def answer_login(call: Call, outcome: LoginOutcome, agreed: tuple[str, ...] = ()) -> Answer | Denied:
    """Return the answer to a login, or the refusal for the page's form.

    `agreed` are the consents of the form. Where a second step is due, they are kept until it is done.
    """
    match outcome:
        case Granted() as granted:
            due = call.kept.step
            await note_agreements(call, granted, agreed or (due.agreed if due else ()))
            return enter(call, granted)
        case StepNeeded() as needed:
            return wait_for_step(call, needed, agreed)
        case Denied() as denied:
            return denied


def enter(call: Call, granted: Granted) -> Answer:
    """Give the session to the browser, and send it on to where the person wanted to go.

    The same token stands in the cookie of the pages and in those of the app's dialect. It is in no address. Recovery
    codes that the login made are shown first: here, and never again.
    """
    call.jar.write(cookies.SESSION, granted.token, granted.session.expires_at)
    if call.dialect is not None and call.dialect.browser is not None:
        call.jar.written.extend(call.dialect.browser.give(_browsed(call), granted))
    elif granted.trust:
        _write_step(call, "TRUST", granted.trust, granted.trust_until)
    due = call.kept.step
    if call.origin.step.cookie:
        _write_step(call, "STEP", "", _LONG_AGO)
    call.keep(step=None, sent=None)
    to = call.next or (due.next if due else "") or HOME
    return call.page("codes.html", codes=granted.recovery_codes, to=to) if granted.recovery_codes else SeeOther(to)


def wait_for_step(call: Call, needed: StepNeeded, agreed: tuple[str, ...] = ()) -> SeeOther:
    """Bind the ticket to the browser, and send it to the page of the second step."""
    _write_step(call, "STEP", needed.cookie, needed.expires_at)
    due = DueStep(
        ticket=needed.ticket,
        methods=needed.methods,
        until=needed.expires_at,
        enroll=needed.enroll,
        allowed=needed.allowed,
        phone=needed.phone,
        next=call.next,
        agreed=agreed,
    )
    call.keep(step=due, sent=None)
    return SeeOther("/login/step")


def give_up_step(call: Call) -> SeeOther:
    """Forget a login whose second step is over, and lead back to its first one."""
    due = call.kept.step
    call.keep(step=None, sent=None)
    return call.go("/login", said="step.gone", next=due.next if due else "")


def leave(call: Call) -> None:
    """Delete the session from the browser, in the cookies of the dialect, too."""
    call.jar.write(cookies.SESSION, "", _LONG_AGO)
    if call.dialect is not None and call.dialect.browser is not None:
        call.jar.written.extend(call.dialect.browser.clear(_browsed(call)))


def _browsed(call: Call) -> Browsed:
    return Browsed(call.flows, call.origin, call.host, call.secure, tuple(call.jar.lines))


def _write_step(call: Call, kind: str, value: str, ends: Instant) -> None:
    """Write a cookie for second steps. It is the one that the app's other browser clients use."""
    rules = CookieJarRules("", call.secure, host_prefix=call.secure)
    call.jar.written.append(set_cookie(f"{call.app.cookie_prefix}{kind}", value, ends, rules, http_only=True))
