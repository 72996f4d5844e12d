"""Register an account: add.user.item, and the checks of a registration form.

(docs/contracts/careyshop.md sections 5.5 and 5.6.)
"""

from __future__ import annotations

from menshen.core.account.accounts import Gender, Profile
from menshen.core.account.asks import Registration
from menshen.core.identifiers import parse_username
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.problems import Refused, settled


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
    )
    settled(await call.flows.account.register(registration, call.origin))
    return True


async def check_username(call: Call) -> bool:
    """Check if a username is free. Return true, or refuse with the reason."""
    canonical = parse_username(rules.username(call.parameters))
    if canonical is None:
        raise Refused(texts.USERNAME_REFUSED)
    return await _free(call, "username", canonical, texts.ACCOUNT)


async def check_mobile(call: Call) -> bool:
    """Check if a phone can be registered."""
    return await _free(call, "phone", rules.mobile(call.parameters), texts.MOBILE)


async def check_nickname(call: Call) -> bool:
    """Check if a nickname can be used."""
    return await _free(call, "nickname", rules.required_nickname(call.parameters), texts.NICKNAME)


async def _free(call: Call, field: str, canonical: str, label: str) -> bool:
    excluded = rules.exclude_id(call.parameters)
    if settled(await call.flows.account.taken(field, canonical, excluded, call.origin)):
        raise Refused(texts.TAKEN.format(label), word="already_taken")
    return True
