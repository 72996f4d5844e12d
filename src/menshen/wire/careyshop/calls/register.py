"""Register an account: add.user.item, and the checks of a registration form.

(docs/contracts/careyshop.md sections 5.5 and 5.6.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.account.accounts import Gender, Profile
from menshen.core.account.asks import Registration
from menshen.core.identifiers import parse_username
from menshen.core.problems import ProblemCode
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.calls import captcha
from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.careyshop.problems import Refused, Reworded, settled, settled_as

_OTHERS: Final = (fields.EXCLUDE_ID, *fields.CAPTCHA)
# The app has its exist calls turned off: they are as methods that are not there.
_TURNED_OFF: Final = Reworded(frozenset({ProblemCode.NOT_FOUND}), texts.FORBIDDEN, 403, "forbidden")


@reads(
    fields.USERNAME,
    fields.PASSWORD,
    fields.PASSWORD_CONFIRM,
    fields.MOBILE,
    optional=(fields.EMAIL, fields.NICKNAME, fields.HEAD_PIC, fields.SEX, fields.BIRTHDAY, *fields.CAPTCHA),
)
async def register(call: Call) -> bool:
    """Register an account. Its phone and email stay unverified until a code proves them."""
    asked = call.parameters
    registration = Registration(
        username=rules.username(asked),
        password=rules.new_password(asked),
        phone=rules.mobile(asked),
        email=rules.email(asked),
        profile=Profile(
            nickname=rules.nickname(asked) or "",
            avatar_url=rules.head_pic(asked) or "",
            gender=rules.sex(asked) or Gender.UNKNOWN,
            birthday=rules.birthday(asked) or "",
        ),
        unique_nickname=True,
        captcha=captcha.presented(asked),
    )
    settled(await call.flows.account.register(registration, call.origin))
    return True


@reads(
    fields.USERNAME,
    optional=_OTHERS,
    reworded=_TURNED_OFF,
    refuses=(texts.USERNAME_REFUSED, texts.TAKEN.format(texts.ACCOUNT)),
)
async def check_username(call: Call) -> bool:
    """Check if a username is free. Return true, or refuse with the reason."""
    canonical = parse_username(rules.username(call.parameters))
    if canonical is None:
        raise Refused(texts.USERNAME_REFUSED)
    return await _free(call, "username", canonical, texts.ACCOUNT)


@reads(fields.MOBILE, optional=_OTHERS, reworded=_TURNED_OFF, refuses=(texts.TAKEN.format(texts.MOBILE),))
async def check_mobile(call: Call) -> bool:
    """Check if a phone can be registered."""
    return await _free(call, "phone", rules.mobile(call.parameters), texts.MOBILE)


@reads(fields.NICKNAME, optional=_OTHERS, reworded=_TURNED_OFF, refuses=(texts.TAKEN.format(texts.NICKNAME),))
async def check_nickname(call: Call) -> bool:
    """Check if a nickname can be used."""
    return await _free(call, "nickname", rules.required_nickname(call.parameters), texts.NICKNAME)


async def _free(call: Call, field: str, canonical: str, label: str) -> bool:
    excluded, solved = rules.exclude_id(call.parameters), captcha.presented(call.parameters)
    outcome = await call.flows.account.taken(field, canonical, excluded, solved, call.origin)
    if settled_as(outcome, _TURNED_OFF):
        raise Refused(texts.TAKEN.format(label), word="already_taken")
    return True
