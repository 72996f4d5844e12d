"""Send, verify and consume codes: send.verification.*, ver.verification.* and use.verification.item.

This dialect has one purpose for all codes. (docs/contracts/careyshop.md section 5.8.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.codes.asks import CodeTry, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.problems import ProblemCode
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import captcha
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.careyshop.problems import Reworded, settled, settled_as

_NO_CODE: Final = Reworded(
    frozenset({ProblemCode.WRONG_CODE, ProblemCode.CODE_EXPIRED, ProblemCode.NOT_FOUND}), texts.CODE_VOID
)


@reads(fields.MOBILE, optional=fields.CAPTCHA)
async def send_sms(call: Call) -> bool:
    """Send a code to a phone."""
    return await _send(call, Kind.PHONE, rules.mobile(call.parameters))


@reads(fields.EMAIL, optional=fields.CAPTCHA)
async def send_email(call: Call) -> bool:
    """Send a code to an email."""
    return await _send(call, Kind.EMAIL, rules.required_email(call.parameters))


@reads(fields.MOBILE, fields.CODE)
async def verify_sms(call: Call) -> bool:
    """Verify the code that was sent to a phone. It is not consumed."""
    return await _verify(call, Kind.PHONE, rules.mobile(call.parameters))


@reads(fields.EMAIL, fields.CODE)
async def verify_email(call: Call) -> bool:
    """Verify the code that was sent to an email. It is not consumed."""
    return await _verify(call, Kind.EMAIL, rules.required_email(call.parameters))


@reads(fields.NUMBER, optional=(fields.IS_CHECK,), reworded=_NO_CODE)
async def use(call: Call) -> bool:
    """Consume a verified code. `is_check` marks the caller's own phone or email as verified."""
    subject = rules.number(call.parameters)
    marked = call.caller if rules.is_check(call.parameters) else None
    settled_as(await call.flows.codes.use(subject, marked, call.origin), _NO_CODE)
    return True


async def _send(call: Call, kind: Kind, subject: str) -> bool:
    ask = SendCode(kind, subject, Purpose.VERIFY, captcha.presented(call.parameters))
    settled(await call.flows.codes.send(ask, call.origin))
    return True


async def _verify(call: Call, kind: Kind, subject: str) -> bool:
    code = rules.code(call.parameters)
    settled(await call.flows.codes.verify(CodeTry(kind, subject, Purpose.VERIFY, code), call.origin))
    return True
