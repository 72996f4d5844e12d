"""Codes that are verified now and used later."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import SECOND
from tests.flows.site import AWAY, CAREYSHOP, EMAIL, PASSWORD, PHONE, Site, waits

WRONG_CODE = Denied(ProblemCode.WRONG_CODE)


async def verify(site: Site, code: str, subject: str = PHONE, origin: Origin | None = None) -> Any:
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE
    return await site.flows.codes.verify(
        CodeTry(kind, subject, Purpose.VERIFY, code), origin or site.origin(rules=CAREYSHOP)
    )


async def use(site: Site, subject: str = PHONE, origin: Origin | None = None) -> Any:
    return await site.flows.codes.use(subject, None, origin or site.origin(rules=CAREYSHOP))


@pytest.mark.attack("SG-3")
async def test_a_code_is_verified_once_and_used_once(site: Site) -> None:
    expired = Denied(ProblemCode.CODE_EXPIRED)
    assert await verify(site, "123456") == WRONG_CODE
    assert await use(site) == expired
    code = await site.code(purpose=Purpose.VERIFY)
    assert await use(site) == expired
    assert await verify(site, site.wrong(code)) == WRONG_CODE
    assert await verify(site, code) == Done()
    assert await verify(site, code) == expired
    assert await use(site) == Done()
    assert await use(site) == expired
    assert await verify(site, code) == expired
    assert Tag.CODE_VERIFIED in await site.tags()


@pytest.mark.attack("OT-17")
async def test_nobody_elsewhere_burns_a_verified_code(site: Site) -> None:
    """(docs/security/attacks.md OT-17.)"""
    code = await site.code(purpose=Purpose.VERIFY)
    assert await verify(site, code) == Done()
    assert await use(site, origin=site.origin(AWAY, CAREYSHOP)) == Denied(ProblemCode.CODE_EXPIRED)
    # Nor does it prove the claim of somebody elsewhere.
    await site.harness.add_account("claimant", phone=PHONE, password=PASSWORD, verified=False)
    away = site.origin(AWAY, CAREYSHOP)
    claimant = await site.caller(await site.login("claimant", origin=away))
    assert await site.flows.codes.use(PHONE, claimant, away) == Denied(ProblemCode.CODE_EXPIRED)
    assert await use(site) == Done()


async def test_a_verified_code_expires_and_a_newer_one_ends_it(site: Site) -> None:
    code = await site.code(EMAIL, purpose=Purpose.VERIFY)
    assert await verify(site, code, EMAIL) == Done()
    site.clock.advance(300 * SECOND)
    assert await use(site, EMAIL) == Denied(ProblemCode.CODE_EXPIRED)
    code = await site.code(EMAIL, purpose=Purpose.VERIFY)
    assert await verify(site, code, EMAIL) == Done()
    await site.code(EMAIL, purpose=Purpose.VERIFY)
    assert await use(site, EMAIL) == Denied(ProblemCode.CODE_EXPIRED)


@pytest.mark.attack("OT-2")
async def test_where_no_captcha_stands_before_it_a_network_has_120_tries_an_hour(site: Site) -> None:
    for n in range(120):
        assert await verify(site, "123456", f"+86138{n:08}") == WRONG_CODE
    assert waits(await verify(site, "123456", PHONE)) == 3600
    assert await verify(site, "123456", PHONE, site.origin(AWAY)) == WRONG_CODE
