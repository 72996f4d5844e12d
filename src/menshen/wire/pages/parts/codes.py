"""Send a code from a form, once for each form, and show what the browser keeps of it.

Unknown and known numbers are answered alike. (docs/contracts/pages.md sections 2 and 3.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from menshen.core.codes.asks import SendCode
from menshen.core.codes.one_time_codes import LIFETIME, Purpose
from menshen.core.gates.captcha import PassPresented
from menshen.core.gates.limits import seconds_between_codes
from menshen.core.identifiers import Kind
from menshen.core.pages.form_keys import Submit
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import after, seconds_until
from menshen.wire.pages.call import Call, invalid
from menshen.wire.pages.parts.captcha import earn_pass
from menshen.wire.pages.parts.typed import Typed
from menshen.wire.pages.request.kept import SentCode

TWICE = Denied(ProblemCode.INVALID_REQUEST, field="twice")
"""A form came again while its first submit was worked on, or after that was refused."""


async def send_code(call: Call, typed: Typed, purpose: Purpose, agreed: tuple[str, ...] = ()) -> Denied | None:
    """Send a code to what was typed, and keep that it was sent, with the consents of the form.

    A second submit of the form sends no second code.

    Denied: as `codes.send`, INVALID_REQUEST for what is no number or address, and `TWICE`.
    """
    if not typed.subject:
        return invalid(typed.field)
    what = f"send {purpose}|{typed.subject}"
    submit = await spend_key(call, what)
    if isinstance(submit, Denied):
        return submit
    if submit is Submit.AGAIN:
        return TWICE
    presented = None
    if submit is Submit.FIRST:
        earned = await earn_pass(call)
        presented = earned if isinstance(earned, PassPresented) else None
        ask = SendCode(typed.kind, typed.subject, purpose, presented)
        outcome = earned if _waits(earned) else await call.flows.codes.send(ask, call.origin)
        if isinstance(outcome, Denied):
            # What was wrong with the captcha says more than that there is none.
            wrong = isinstance(earned, Denied) and outcome.code is ProblemCode.CAPTCHA_REQUIRED
            return Denied(earned.code, challenge=outcome.challenge) if wrong and isinstance(earned, Denied) else outcome
        await finish_key(call, what)
    elif sent_to(call, purpose, typed.kind, typed.subject):
        # The browser has the answer to the first submit already.
        return None
    wait = seconds_between_codes(call.flows.policy.limits)
    call.keep(
        sent=SentCode(
            kind=typed.kind.value,
            subject=typed.subject,
            purpose=purpose.value,
            typed=typed.text,
            region=typed.region,
            again_at=call.again_at(wait),
            ends_at=after(call.now, LIFETIME),
            captcha_pass=presented.token if presented else "",
            agreed=agreed,
        )
    )
    return None


async def spend_key(call: Call, what: str) -> Submit | Denied:
    """Spend the key of the form for an act, `what`. `finish_key` says that it was done."""
    return await call.flows.pages.spend_form_key(call.field("key"), f"{call.browser}|{what}", call.origin)


async def finish_key(call: Call, what: str) -> None:
    """Remember that the act was done, so that a second submit of the form is answered as the first."""
    await call.flows.pages.finish_form(call.field("key"), f"{call.browser}|{what}", call.origin)


def _waits(earned: PassPresented | Denied | None) -> bool:
    return isinstance(earned, Denied) and earned.code is ProblemCode.TOO_MANY_REQUESTS


def sent_to(call: Call, purpose: Purpose, kind: Kind, subject: str = "") -> SentCode | None:
    """Return the code that this browser asked for, for this purpose and kind, and for `subject` if it is given."""
    sent = call.kept.sent
    if sent is None or sent.purpose != purpose or sent.kind != kind or (subject and sent.subject != subject):
        return None
    return sent


def pass_of(call: Call, purpose: Purpose, typed: Typed) -> PassPresented | None:
    """Return the pass with which the code was sent: it stays good for the tries of the code."""
    sent = sent_to(call, purpose, typed.kind, typed.subject)
    return PassPresented(sent.captcha_pass) if sent and sent.captcha_pass else None


def may_ask_again(call: Call, purpose: Purpose, typed: Typed) -> bool:
    """Return whether the next code to what was typed may be asked for by now."""
    sent = sent_to(call, purpose, typed.kind, typed.subject)
    return sent is None or call.now >= sent.again_at


def of_sending(call: Call, sent: SentCode | None, denied: Denied | None = None) -> Mapping[str, Any]:
    """Return the values for the code's field: `again`, the seconds until the next one, and whether one is `sent`."""
    again = seconds_until(sent.again_at, call.now) if sent and sent.again_at > call.now else 0
    if denied is not None and denied.code is ProblemCode.TOO_MANY_REQUESTS and denied.retry_after:
        again = max(again, denied.retry_after)
    return {
        "sent": sent is not None and call.now < sent.ends_at,
        "again": again if again <= _MOST_SHOWN else 0,
        "key": call.random_name(),
    }


_MOST_SHOWN = 600
