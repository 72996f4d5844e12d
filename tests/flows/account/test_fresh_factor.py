"""An account with a second step proves it again before each change: a password, a code or a login is not enough.

(docs/contracts/factors.md section 8.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.account.asks import Bind, Deletion, Edited, PasswordChange
from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.audit.export import Export
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE
from tests.attacks.rows import tables
from tests.flows.account.calls import bind, change, delete, export, reset
from tests.flows.account.stepped import ALL, CHANGED, ask_two, give_factors, kept, prove_factor, stepped
from tests.flows.behind.interleaving import name_of
from tests.flows.site import AWAY, NEW, OTHER_PHONE, PASSWORD, PHONE, Site
from tests.substitutes import Substitute

PROOF_REQUIRED = Denied(ProblemCode.PROOF_REQUIRED)
Act = Callable[[Site, Granted, dict[Purpose, str]], Awaitable[Any]]


async def end_others(site: Site, who: Granted, codes: dict[Purpose, str]) -> Any:
    return await site.flows.sessions.end_others(await site.caller(who), site.origin())


async def end_another(site: Site, who: Granted, codes: dict[Purpose, str]) -> Any:
    caller = await site.caller(who)
    (other,) = [one for one in await site.sessions(caller.account) if one.session_id != who.session.session_id]
    return await site.flows.sessions.end(other.session_id, caller, site.origin())


ACTS: dict[str, Act] = {
    "bind by the login": lambda site, who, codes: bind(site, who, code=codes[Purpose.BIND]),
    "bind by password": lambda site, who, codes: bind(site, who, code=codes[Purpose.BIND], password=PASSWORD),
    "bind by code": lambda site, who, codes: bind(site, who, code=codes[Purpose.BIND], proof_code=codes[Purpose.PROOF]),
    "password": lambda site, who, _: change(site, who),
    "deletion by password": lambda site, who, _: delete(site, who),
    "deletion by code": lambda site, who, codes: delete(site, who, None, codes[Purpose.PROOF]),
    "export": lambda site, who, _: export(site, who),
    "end of the others": end_others,
    "end of another": end_another,
}


async def fresh_codes(site: Site) -> dict[Purpose, str]:
    """Codes of now: the clock stands where it is."""
    made = {}
    for purpose, subject in ((Purpose.BIND, OTHER_PHONE), (Purpose.PROOF, PHONE)):
        await site.ask_code(subject, purpose, replace(site.origin(), networks=site.elsewhere().networks))
        made[purpose] = (await site.harness.messages())[-1].code
    return made


def rows(site: Site, act: str) -> dict[str, Any]:
    """Every row. Calls of sessions are counted before they are judged, as each call of a member."""
    found: dict[str, Any] = tables(site.harness.data_dir)
    if act.startswith("end"):
        del found["quota_uses"]
    return found


async def two_sessions(site: Site) -> tuple[Account, Granted]:
    """Return an account that asks for two proofs, and one of its two sessions."""
    account = await site.kevin()
    await site.login(origin=site.origin(device="other"))
    mine = await site.login()
    await give_factors(site, account)
    await ask_two(site, account)
    return await site.account(account), mine


@pytest.mark.attack("PK-5", "MF-4")
@pytest.mark.parametrize("act", ACTS)
async def test_no_weaker_proof_is_enough_and_nothing_is_spent(site: Site, act: str) -> None:
    """Not a login or proof of a moment ago, nor the right password or code in the request, nor an old step."""
    _, mine = await two_sessions(site)
    await prove_factor(site, mine)
    site.clock.advance(10 * MINUTE)
    await site.store.write(lambda tx: tx.sessions.prove(mine.session.session_id, site.clock.now()))
    codes = await fresh_codes(site)
    before = rows(site, act)
    assert await ACTS[act](site, mine, codes) == PROOF_REQUIRED
    assert rows(site, act) == before
    # With the factor, the same request with the same codes is good.
    await prove_factor(site, mine)
    assert isinstance(await ACTS[act](site, mine, codes), Done | Edited | Export)


@pytest.mark.attack("PK-5", "RACE-14")
@pytest.mark.parametrize(
    ("act", "turn"),
    [
        ("bind by password", "bind.burn"),
        ("bind by password", "bind.work"),
        ("password", "change_password.work"),
        ("deletion by password", "after_proof.work"),
        ("deletion by code", "after_proof.burn"),
        ("deletion by code", "after_proof.work"),
        ("export", "export_own.admit"),
        ("end of the others", "end_other_sessions.work"),
        ("end of another", "end_session.work"),
    ],
)
async def test_the_account_is_judged_behind_its_lock(site: Site, act: str, turn: str) -> None:
    """The second step is turned on, from this session, between the reading of the token and the change."""
    account, mine = await two_sessions(site)
    await ask_two(site, account, on=False)
    codes, left = await fresh_codes(site), list[Any]()

    async def write(work: Any) -> Any:
        if name_of(work) == turn:
            await ask_two(site, account)
            left.append((await site.account(account), await site.sessions(account)))
        return await site.store.write(work)

    meanwhile = site.over(store=Substitute(site.store, write=write))
    assert await ACTS[act](meanwhile, mine, codes) == PROOF_REQUIRED
    assert left == [(await site.account(account), await site.sessions(account))]


async def test_an_app_that_requires_two_proofs_asks_a_session_that_had_two(site: Site) -> None:
    """An account that never had a factor goes on with what it has: it enrols at its next login."""
    await site.kevin()
    mine = await site.login()
    await site.harness.change_app(second_factor=SecondFactorRule.REQUIRED)
    assert isinstance(await export(site, mine), Export)
    await prove_factor(site, mine)
    site.clock.advance(11 * MINUTE)
    await site.store.write(lambda tx: tx.sessions.prove(mine.session.session_id, site.clock.now()))
    assert await export(site, mine) == PROOF_REQUIRED
    assert await change(site, mine) == PROOF_REQUIRED


async def test_a_laxer_app_asks_the_account_all_the_same(site: Site) -> None:
    account, mine = await stepped(site)
    lax = await site.harness.add_app("lax", second_factor=SecondFactorRule.OFF)
    there = site.origin(app=lax)
    caller = await site.caller(mine)
    asks = {
        "bind": site.flows.account.bind(Bind(Kind.PHONE, OTHER_PHONE, "000000", PASSWORD), caller, there),
        "password": site.flows.account.change_password(PasswordChange(PASSWORD, NEW), caller, there),
        "delete": site.flows.account.delete(Deletion(PASSWORD, None), caller, there),
        "export": site.flows.account.export(caller, there),
        "others": site.flows.sessions.end_others(caller, there),
    }
    assert {name: await ask for name, ask in asks.items()} == dict.fromkeys(asks, PROOF_REQUIRED)
    assert await kept(site, account) == ALL


# --- deletion without anything to prove it by -------------------------------------------------------------------------


async def test_who_has_a_factor_alone_deletes_by_it(site: Site) -> None:
    account = await site.harness.add_account("keys-only")
    await site.harness.add_account("helper", password=PASSWORD)
    mine = await logged_in(site, account)
    # Nothing proves it: the login of a moment ago is no proof here.
    assert await delete(site, mine, None) == PROOF_REQUIRED
    await prove_factor(site, mine)
    site.clock.advance(10 * MINUTE)
    assert await delete(site, mine, None) == PROOF_REQUIRED
    await prove_factor(site, mine)
    assert await delete(site, mine, None) == Done()
    (closed,) = await site.events(tag=Tag.ACCOUNT_CLOSED)
    assert closed.reason == "factor"


async def logged_in(site: Site, account: Account) -> Granted:
    """A session of an account that has no password and no phone: opened by a password that is taken away again."""
    hashed, now = await site.harness.assembled.hasher.hash(PASSWORD.encode()), site.clock.now()
    await site.store.write(lambda tx: tx.accounts.set_password(account.number, hashed, now=now))
    granted = await site.login(account.username or "")
    await site.store.write(lambda tx: tx.accounts.set_password(account.number, "", now=now))
    return granted


async def test_who_has_a_password_or_a_phone_needs_it_beside_the_factor(site: Site) -> None:
    """A stolen session is often a recent one, and its login may have had two proofs."""
    _, mine = await stepped(site)
    await prove_factor(site, mine)
    assert await delete(site, mine, None) == PROOF_REQUIRED
    assert await delete(site, mine, "not this one") == Denied(ProblemCode.WRONG_CREDENTIALS)
    assert await delete(site, mine) == Done()


# --- what changes of the password and of identifiers end --------------------------------------------------------------


async def changed_password(site: Site, mine: Granted) -> Any:
    return await change(site, mine)


async def bound(site: Site, mine: Granted) -> Any:
    return await bind(site, mine, code=(await fresh_codes(site))[Purpose.BIND])


async def reset_by_code(site: Site, mine: Granted) -> Any:
    await site.ask_code(PHONE, Purpose.RESET, replace(site.origin(), networks=site.elsewhere().networks))
    return await reset(site, (await site.harness.messages())[-1].code)


@pytest.mark.attack("MF-7", "MF-11")
@pytest.mark.parametrize("act", [changed_password, bound, reset_by_code])
async def test_it_ends_pending_logins_and_trust_and_no_factor(site: Site, act: Any) -> None:
    account, mine = await stepped(site)
    other = await site.harness.add_account("other", "13900139000", password=PASSWORD)
    await give_factors(site, other, tag="2")
    await prove_factor(site, mine)
    assert isinstance(await act(site, mine), Done | Edited)
    assert await kept(site, account) == CHANGED
    assert await kept(site, other, tag="2") == ALL
    after = await site.account(account)
    # Nothing of the factors changed: what they prove is good as before.
    assert (after.second_step, after.factors_version) == (True, account.factors_version)


@pytest.mark.attack("MF-7")
async def test_a_reset_opens_no_session_and_the_next_login_asks_the_step(site: Site) -> None:
    account, mine = await stepped(site)
    assert await reset_by_code(site, mine) == Done()
    assert await site.sessions(account) == []
    asked = await site.try_password(password=NEW)
    assert isinstance(asked, StepNeeded)
    assert set(asked.methods) == {"totp", "passkey", "recovery"}
    assert await site.sessions(account) == []


# --- addresses of sessions --------------------------------------------------------------------------------------------


async def addresses(site: Site, who: Granted) -> list[str]:
    listed = await site.flows.sessions.list(await site.caller(who), site.origin())
    assert not isinstance(listed, Denied)
    return [one.session.ip for one in listed]


@pytest.mark.attack("MF-4")
async def test_a_session_without_a_fresh_proof_sees_networks_only(site: Site) -> None:
    account = await site.kevin()
    for ip in ("2001:db8:7:1::9", AWAY):
        await site.login(origin=site.origin(ip, device=ip))
        site.clock.advance(1)
    mine = await site.login()
    assert await addresses(site, mine) == ["198.51.100.7", AWAY, "2001:db8:7:1::9"]
    shortened = ["198.51.100.*", "203.0.113.*", "2001:db8:7:*"]
    site.clock.advance(10 * MINUTE)
    assert await addresses(site, mine) == shortened
    session_id = mine.session.session_id
    await site.store.write(lambda tx: tx.sessions.prove(session_id, site.clock.now()))
    assert await addresses(site, mine) == ["198.51.100.7", AWAY, "2001:db8:7:1::9"]
    await ask_two(site, account)
    assert await addresses(site, mine) == shortened
    await prove_factor(site, mine)
    assert await addresses(site, mine) == ["198.51.100.7", AWAY, "2001:db8:7:1::9"]
