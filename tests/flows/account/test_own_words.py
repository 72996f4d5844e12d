"""No call that sets a password takes one that leans on the account's own name, phone or address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.account.asks import Edited, PasswordChange, PasswordReset, Registration
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.admin.accounts import AccountToAdd
from tests.flows.site import CAREYSHOP, NEW, PASSWORD, PHONE, Site

NAME, EMAIL = "fox_in_town", "grey.wolf@den.example"
OWN = ["fox_in_town", "Fox_In_Town12", "13544285662", "+8613544285662", "grey.wolf1", EMAIL, EMAIL.upper()]
OWN_WORDS = Denied(ProblemCode.WEAK_PASSWORD, field="own_words")
PORTS = ("store", "hasher", "world", "policy", "keyring", "blocklist")


async def fox(site: Site) -> Account:
    return await site.harness.add_account(NAME, phone=PHONE, email=EMAIL, password=PASSWORD)


def ports(site: Site, *names: str) -> dict[str, Any]:
    from menshen.adapters.blocklist import NoBlocklist

    assembled = site.harness.assembled
    return {name: NoBlocklist() if name == "blocklist" else getattr(assembled, name) for name in names}


async def by_registration(site: Site) -> Callable[[str], Awaitable[object]]:
    async def call(password: str) -> object:
        ask = Registration(NAME, password, phone=PHONE, email=EMAIL)
        return await site.flows.account.register(ask, site.origin(rules=CAREYSHOP))

    return call


async def by_the_command_that_adds(site: Site) -> Callable[[str], Awaitable[object]]:
    async def call(password: str) -> object:
        ask = AccountToAdd(username=NAME, phone=PHONE, email=EMAIL, password=password)
        given = ports(site, "store", "hasher", "world", "policy", "blocklist")
        return await admin_accounts.add_account(ask, site.harness.app, **given)

    return call


async def by_the_command_that_resets(site: Site) -> Callable[[str], Awaitable[object]]:
    await fox(site)

    async def call(password: str) -> object:
        return await admin_accounts.set_account_password(NAME, password, site.harness.app, **ports(site, *PORTS))

    return call


async def by_the_old_password(site: Site) -> Callable[[str], Awaitable[object]]:
    await fox(site)
    caller = await site.caller(await site.login(NAME))

    async def call(password: str) -> object:
        return await site.flows.account.change_password(PasswordChange(PASSWORD, password), caller, site.origin())

    return call


def by_a_code(kind: Kind, purpose: Purpose, username: str | None = None) -> Any:
    async def prepare(site: Site) -> Callable[[str], Awaitable[object]]:
        await fox(site)
        subject = PHONE if kind is Kind.PHONE else EMAIL
        code = await site.code(subject, purpose)

        async def call(password: str) -> object:
            captcha = await site.captcha() if purpose.needs_captcha else None
            ask = PasswordReset(kind, subject, purpose, code, password, username, captcha)
            return await site.flows.account.reset_password(ask, site.origin())

        return call

    return prepare


PATHS = {
    "add.user.item": by_registration,
    "account add": by_the_command_that_adds,
    "account reset-password": by_the_command_that_resets,
    "change": by_the_old_password,
    "mobile reset": by_a_code(Kind.PHONE, Purpose.RESET),
    "email reset": by_a_code(Kind.EMAIL, Purpose.RESET),
    "find.user.password": by_a_code(Kind.PHONE, Purpose.VERIFY, NAME),
}


@pytest.mark.parametrize("path", PATHS)
async def test_words_of_the_account_are_refused(site: Site, path: str) -> None:
    call = await PATHS[path](site)
    for password in OWN:
        assert await call(password) == OWN_WORDS, password
    # Nothing was burnt on the way: the same code, the same session set a good one.
    assert isinstance(await call(NEW), Done | Edited)
    assert isinstance(await site.try_password(NAME, NEW), Granted)


async def test_a_sign_up_knows_the_phone(site: Site) -> None:
    code = await site.code(PHONE, Purpose.SIGNUP)
    for password in ("13544285662", "+8613544285662"):
        got = await site.flows.login.sign_up(CodeSignup(PHONE, code, password, await site.captcha()), site.origin())
        assert got == OWN_WORDS
    got = await site.flows.login.sign_up(CodeSignup(PHONE, code, NEW, await site.captcha()), site.origin())
    assert isinstance(got, Granted)


async def test_without_the_code_nobody_learns_what_the_account_is_called(site: Site) -> None:
    await fox(site)
    code = await site.code(PHONE, Purpose.RESET)
    wrong = "000000" if code != "000000" else "111111"

    async def reset(code: str, password: str) -> object:
        ask = PasswordReset(Kind.PHONE, PHONE, Purpose.RESET, code, password, captcha=await site.captcha())
        return await site.flows.account.reset_password(ask, site.origin())

    for password in (NAME, "grey.wolf1", NEW):
        assert await reset(wrong, password) == Denied(ProblemCode.WRONG_CODE)
    # They were counted, as guesses are: two of the five tries are left.
    assert await reset(code, NAME) == OWN_WORDS
    # It burns nothing, and is told in the trail all the same.
    reasons = [event.reason for event in await site.events(tag=Tag.CODE_REFUSED)]
    assert reasons[-1] == "reset:weak_password"
    for _ in range(2):
        assert await reset(wrong, NAME) == Denied(ProblemCode.WRONG_CODE)
    assert await reset(code, NEW) == Denied(ProblemCode.WRONG_CODE)
