"""A disabled or closed account is let in nowhere, whatever was begun before. (docs/security/attacks.md TK-4, OT-15.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from menshen.core.account.accounts import Status
from menshen.core.account.asks import PasswordReset
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.asks import CodeSignup
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.flows.admin import accounts as admin_accounts
from tests.flows.site import CAREYSHOP, EMAIL, NEW, PHONE, Site
from tests.substitutes import Substitute, once


async def disable(site: Site) -> None:
    done = await admin_accounts.disable_account("kevin", store=site.store, world=site.clock)
    assert not isinstance(done, Denied)


async def close(site: Site) -> None:
    done = await admin_accounts.close_account("kevin", store=site.store, world=site.clock)
    assert not isinstance(done, Denied)


async def begun(site: Site) -> dict[str, Any]:
    """Everything somebody may hold: sessions of both houses, and a code of each purpose under way."""
    await site.kevin()
    held: dict[str, Any] = {"weidu": await site.login(), "shop": await site.login(origin=site.origin(rules=CAREYSHOP))}
    for subject in (PHONE, EMAIL):
        for n, purpose in enumerate((Purpose.LOGIN, Purpose.RESET, Purpose.SIGNUP)):
            if subject == EMAIL and purpose is Purpose.SIGNUP:
                continue
            if n:
                site.clock.advance(61_000)
            await site.ask_code(subject, purpose, site.elsewhere())
            held[f"{purpose} {subject}"] = (await site.harness.messages())[-1].code
    return held


async def ways(site: Site, held: dict[str, Any]) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Every way to a session, or to what one session may do."""
    weidu, shop = held["weidu"], held["shop"]
    captcha = site.captcha

    async def reset(subject: str) -> Any:
        kind = Kind.EMAIL if "@" in subject else Kind.PHONE
        code = held[f"reset {subject}"]
        ask = PasswordReset(kind, subject, Purpose.RESET, code, NEW, captcha=await captcha())
        await site.flows.account.reset_password(ask, site.origin())
        return await site.try_password(subject, NEW, site.elsewhere())

    async def sign_up() -> Any:
        ask = CodeSignup(PHONE, held[f"signup {PHONE}"], NEW, await captcha())
        return await site.flows.login.sign_up(ask, site.origin())

    return {
        "password by name": lambda: site.try_password("kevin", origin=site.elsewhere()),
        "password by phone": lambda: site.try_password(PHONE, origin=site.elsewhere()),
        "password by address": lambda: site.try_password(EMAIL, origin=site.elsewhere()),
        "careyshop": lambda: site.try_password("kevin", origin=site.elsewhere(CAREYSHOP)),
        "code": lambda: site.try_code(held[f"login {PHONE}"]),
        "code by mail": lambda: site.try_code(held[f"login {EMAIL}"], EMAIL),
        "reset by phone": lambda: reset(PHONE),
        "reset by mail": lambda: reset(EMAIL),
        "refresh": lambda: site.flows.login.refresh(shop.token, shop.refresh, site.origin(rules=CAREYSHOP)),
        "token": lambda: site.flows.sessions.authenticate(weidu.token),
        "token of the shop": lambda: site.flows.sessions.authenticate(shop.token),
        "sign up": sign_up,
    }


WAYS = [
    "password by name", "password by phone", "password by address", "careyshop", "code", "code by mail",
    "reset by phone", "reset by mail", "refresh", "token", "token of the shop", "sign up",
]  # fmt: skip


@pytest.mark.attack("TK-4", "OT-15")
@pytest.mark.parametrize("way", WAYS)
async def test_a_disabled_account_is_let_in_nowhere(site: Site, way: str) -> None:
    held = await begun(site)
    await disable(site)
    everything = await ways(site, held)
    assert sorted(everything) == sorted(WAYS)
    assert isinstance(await everything[way](), Denied)
    assert await site.alive(held["weidu"], held["shop"]) == [False, False]
    assert await site.sessions(await site.account(1)) == []


@pytest.mark.attack("TK-4", "OT-15")
@pytest.mark.parametrize("way", [way for way in WAYS if way not in {"code", "sign up"}])
async def test_a_closed_account_is_let_in_nowhere(site: Site, way: str) -> None:
    held = await begun(site)
    await close(site)
    assert isinstance(await (await ways(site, held))[way](), Denied)
    assert await site.alive(held["weidu"], held["shop"]) == [False, False]


@pytest.mark.parametrize("way", ["code", "sign up"])
async def test_what_was_closed_is_registered_anew_and_not_revived(site: Site, way: str) -> None:
    """Codes under way died with it; a new one makes a new account that shows nothing of the old."""
    held = await begun(site)
    await close(site)
    assert await (await ways(site, held))[way]() == Denied(ProblemCode.WRONG_CODE)
    got = await site.login_code()
    assert got.account.number != 1
    assert got.account.password_hash == ""
    assert isinstance(await site.try_password(PHONE), Denied)
    assert await site.alive(held["weidu"], held["shop"], got) == [False, False, True]


@pytest.mark.attack("TK-4")
async def test_an_enabled_account_logs_in_again_and_nothing_old_comes_back(site: Site) -> None:
    held = await begun(site)
    await disable(site)
    await admin_accounts.enable_account("kevin", store=site.store, world=site.clock)
    assert await site.alive(held["weidu"], held["shop"]) == [False, False]
    assert (await site.account(1)).status is Status.ACTIVE
    await site.login()
    tags = await site.tags(await site.account(1))
    assert tags.count(Tag.ACCOUNT_DISABLED) == tags.count(Tag.ACCOUNT_ENABLED) == 1
    assert tags.count(Tag.SESSION_ENDED) == 2


async def test_a_session_opened_while_it_was_disabled_is_none(site: Site) -> None:
    """The account is locked by the login, and judged again behind the lock."""
    await site.kevin()
    code = await site.code()
    store = site.store

    async def disable_first(work: Any) -> Any:
        await store.write(lambda tx: tx.accounts.set_status(1, Status.DISABLED, now=site.clock.now()))
        return await store.write(work)

    between = site.over(store=Substitute(store, write=once(store.write, disable_first)))
    assert await between.try_code(code) == Denied(ProblemCode.ACCOUNT_DISABLED)
    assert await site.sessions(await site.account(1)) == []


async def test_a_verified_code_of_a_disabled_account_binds_nothing(site: Site) -> None:
    await site.kevin()
    granted: Granted = await site.login()
    caller = await site.caller(granted)
    code = await site.code(PHONE, Purpose.VERIFY)
    origin = site.origin(rules=CAREYSHOP)
    await site.flows.codes.verify(CodeTry(Kind.PHONE, PHONE, Purpose.VERIFY, code), origin)
    await disable(site)
    assert await site.flows.sessions.authenticate(granted.token) == Denied(ProblemCode.UNAUTHENTICATED)
    # The caller was authenticated before, and is looked at again.
    with pytest.raises(Problem) as refused:
        await site.flows.codes.use(PHONE, caller, origin)
    assert refused.value.denied.code is ProblemCode.UNAUTHENTICATED
    assert (await site.account(1)).status is Status.DISABLED
