"""send.verification.*, ver.verification.* and use.verification.item: codes to a mobile or an address.

This house has one kind of code, whatever it is used for. (docs/contracts/careyshop.md section 5.8.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.codes.asks import CodeTry, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.problems import ProblemCode
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.problems import settled, settled_as

_NO_CODE: Final = frozenset({ProblemCode.WRONG_CODE, ProblemCode.CODE_EXPIRED, ProblemCode.NOT_FOUND})


async def send_sms(call: Call) -> bool:
    """A code to a mobile."""
    return await _send(call, Kind.PHONE, rules.mobile(call.parameters))


async def send_email(call: Call) -> bool:
    """A code to an address."""
    return await _send(call, Kind.EMAIL, rules.required_email(call.parameters))


async def verify_sms(call: Call) -> bool:
    """Is this the code that was sent to the mobile? It stays, to be used."""
    return await _verify(call, Kind.PHONE, rules.mobile(call.parameters))


async def verify_email(call: Call) -> bool:
    """Is this the code that was sent to the address? It stays, to be used."""
    return await _verify(call, Kind.EMAIL, rules.required_email(call.parameters))


async def use(call: Call) -> bool:
    """Consume a code that was verified before; `is_check` marks the caller's own number or address as verified."""
    subject = rules.number(call.parameters)
    marked = call.caller if rules.is_check(call.parameters) else None
    settled_as(await call.flows.codes.use(subject, marked, call.origin), _NO_CODE, texts.CODE_VOID)
    return True


async def _send(call: Call, kind: Kind, subject: str) -> bool:
    settled(await call.flows.codes.send(SendCode(kind, subject, Purpose.VERIFY, captcha=None), call.origin))
    return True


async def _verify(call: Call, kind: Kind, subject: str) -> bool:
    code = rules.code(call.parameters)
    settled(await call.flows.codes.verify(CodeTry(kind, subject, Purpose.VERIFY, code), call.origin))
    return True
