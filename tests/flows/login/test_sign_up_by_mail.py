"""A sign-up by an address, without a password, and with a profile: what the hosted pages add to it."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.account.accounts import Gender, Profile
from menshen.core.apps import RegisterRule
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.proofs import BY_MAIL
from menshen.core.login.asks import CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from tests.flows.site import EMAIL, PASSWORD, PHONE, Site


async def sign_up(site: Site, code: str, subject: str = EMAIL, password: str | None = None, **profile: Any) -> Any:
    ask = CodeSignup(subject, code, password, await site.captcha(), Profile(**profile))
    return await site.flows.login.sign_up(ask, site.origin())


async def test_an_address_gets_an_account_of_its_own(site: Site) -> None:
    got = await sign_up(site, await site.code(EMAIL, Purpose.SIGNUP))
    assert isinstance(got, Granted)
    account = got.account
    assert (account.email, account.email_verified, account.phone, account.password_hash) == (EMAIL, True, None, "")
    assert got.session.methods == str(BY_MAIL)


async def test_an_account_without_a_password_takes_none(site: Site) -> None:
    got = await sign_up(site, await site.code(PHONE, Purpose.SIGNUP), PHONE)
    assert isinstance(got, Granted)
    for password in ("", PASSWORD):
        assert await site.try_password(PHONE, password) == Denied(ProblemCode.WRONG_CREDENTIALS)


async def test_an_empty_password_is_a_short_one(site: Site) -> None:
    code = await site.code(EMAIL, Purpose.SIGNUP)
    assert await sign_up(site, code, password="") == Denied(ProblemCode.WEAK_PASSWORD, field="short", least=8)
    assert isinstance(await sign_up(site, code), Granted)


async def test_the_profile_is_judged_before_anything_is_spent(site: Site) -> None:
    code = await site.code(EMAIL, Purpose.SIGNUP)
    refused = await sign_up(site, code, nickname="a\nb")
    assert refused == Denied(ProblemCode.INVALID_REQUEST, field="nickname")
    got = await sign_up(site, code, nickname="Ken\u200b", gender=Gender.MALE)
    assert isinstance(got, Granted)
    assert (got.account.profile.nickname, got.account.profile.gender) == ("Ken", Gender.MALE)


@pytest.mark.parametrize("rule", [RegisterRule.PHONE, RegisterRule.OFF])
async def test_where_a_phone_is_wanted_an_address_is_not_enough(rule: RegisterRule, site: Site) -> None:
    code = await site.code(EMAIL, Purpose.SIGNUP)
    await site.harness.change_app(register=rule)
    forbidden = Denied(ProblemCode.FORBIDDEN)
    assert await sign_up(site, code) == forbidden
    assert await site.ask_code(EMAIL, Purpose.SIGNUP) == forbidden


async def test_an_owned_address_is_told_only_after_the_right_code(site: Site) -> None:
    await site.harness.add_account("kevin", email=EMAIL)
    code = await site.code(EMAIL, Purpose.SIGNUP)
    assert await sign_up(site, site.wrong(code)) == Denied(ProblemCode.WRONG_CODE)
    assert await sign_up(site, code) == Denied(ProblemCode.ALREADY_TAKEN, field="email")
    assert await sign_up(site, code) == Denied(ProblemCode.WRONG_CODE)


async def test_who_only_claimed_the_address_loses_it(site: Site) -> None:
    claimed = await site.harness.add_account("claimer", email=EMAIL, verified=False)
    got = await sign_up(site, await site.code(EMAIL, Purpose.SIGNUP))
    assert isinstance(got, Granted)
    assert got.account.number != claimed.number
