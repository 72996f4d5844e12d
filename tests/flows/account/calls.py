"""Calls that change an account, with everything right unless a test says otherwise."""

from __future__ import annotations

from typing import Any

from menshen.core.account.accounts import Account
from menshen.core.account.asks import (
    Bind,
    Deletion,
    Edited,
    PasswordChange,
    PasswordReset,
    ProfileEdit,
    Registration,
)
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied
from tests.flows.site import CAREYSHOP, NEW, OTHER_PHONE, PASSWORD, PHONE, Site


async def register(site: Site, username: str = "attacker", **given: Any) -> Edited | Denied:
    ask = Registration(**{"username": username, "password": PASSWORD} | given)
    return await site.flows.account.register(ask, site.origin(rules=CAREYSHOP))


async def registered(site: Site, username: str = "attacker", **given: Any) -> Account:
    got = await register(site, username, **given)
    assert isinstance(got, Edited), got
    return got.account


async def sign_up(site: Site, password: str = PASSWORD, phone: str = PHONE, code: str | None = None) -> Any:
    code = code or await site.code(phone, Purpose.SIGNUP)
    return await site.flows.login.sign_up(CodeSignup(phone, code, password, await site.captcha()), site.origin())


async def prove(site: Site, who: Granted, subject: str) -> Any:
    code = await site.code(subject, Purpose.VERIFY, site.origin(rules=CAREYSHOP))
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE
    origin = site.origin(rules=CAREYSHOP)
    assert await site.flows.codes.verify(CodeTry(kind, subject, Purpose.VERIFY, code), origin) == Done()
    return await site.flows.codes.use(subject, await site.caller(who), origin)


async def change(site: Site, who: Granted, old: str = PASSWORD, new: str = NEW, *, keep: bool = True) -> Any:
    return await site.flows.account.change_password(
        PasswordChange(old, new, keep), await site.caller(who), site.origin()
    )


async def reset(site: Site, code: str, subject: str = PHONE, new: str = NEW, **given: Any) -> Any:
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE
    asked: dict[str, Any] = {"purpose": Purpose.RESET, "captcha": await site.captcha()} | given
    return await site.flows.account.reset_password(
        PasswordReset(kind, subject, code=code, password=new, **asked), site.origin()
    )


async def bind(site: Site, who: Granted, subject: str = OTHER_PHONE, code: str | None = None, **proof: Any) -> Any:
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE
    if code is None:
        code = await site.code(subject, Purpose.BIND)
    return await site.flows.account.bind(Bind(kind, subject, code, **proof), await site.caller(who), site.origin())


async def edit(site: Site, who: Granted, username: str | None = None, *, unique: bool = False, **fields: Any) -> Any:
    return await site.flows.account.edit_profile(
        ProfileEdit(fields, username, unique), await site.caller(who), site.origin()
    )


async def delete(site: Site, who: Granted, password: str | None = PASSWORD, code: str | None = None) -> Any:
    return await site.flows.account.delete(Deletion(password, code), await site.caller(who), site.origin())


async def export(site: Site, who: Granted) -> Any:
    return await site.flows.account.export(await site.caller(who), site.origin())
