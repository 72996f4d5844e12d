"""Proving oneself again in a session: which proof is enough, what it changes, and what is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import FactorProof, IdentityProof
from menshen.core.factors.freshness import has_fresh_proof
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import HOUR, MINUTE, NEVER
from tests.flows.login.stepping import Stepper, sms_code, stepper
from tests.flows.site import CAREYSHOP, PASSWORD, WRONG, Site
from tests.substitutes import Substitute, failing_write

NO_METHOD = Denied(ProblemCode.INVALID_REQUEST, field="method")
WRONG_FACTOR = Denied(ProblemCode.WRONG_SECOND_FACTOR)
PROOF_REQUIRED = Denied(ProblemCode.PROOF_REQUIRED)


async def fresh(site: Site, granted: Granted) -> bool:
    who = await site.caller(granted)
    return has_fresh_proof(who.account, who.session, site.harness.app, site.clock.now())


async def prove(kevin: Stepper, granted: Granted, method: str, secret: str = "", *, site: Site | None = None) -> Any:
    site = site or kevin.site
    ask = IdentityProof(method, secret)
    if method not in {"password", "code"}:
        ask = IdentityProof(method, proof=FactorProof(method, secret))
    return await site.flows.factors.prove(ask, await kevin.site.caller(granted), kevin.origin())


async def stale(kevin: Stepper, granted: Granted) -> Granted:
    kevin.site.clock.advance(HOUR)
    assert not await fresh(kevin.site, granted)
    return granted


async def logged_in(kevin: Stepper) -> Granted:
    """A session of level 2 that proved nothing for an hour."""
    return await stale(kevin, await kevin.granted(await kevin.by_totp(await kevin.needed())))


@pytest.mark.parametrize("method", ["password", "code"])
async def test_without_a_second_step_a_first_proof_is_enough(site: Site, method: str) -> None:
    kevin = Stepper(site, await site.kevin())
    granted = await stale(kevin, await site.login())
    secret = PASSWORD if method == "password" else await site.code(purpose=Purpose.PROOF)
    now = site.clock.now()
    assert await prove(kevin, granted, method, secret) == Done()
    session = (await site.caller(granted)).session
    assert (session.proved_at, session.second_at, session.level, session.methods) == (now, NEVER, 1, "pwd")
    assert await fresh(site, granted)
    (event,) = await site.events(tag=Tag.IDENTITY_PROVED)
    assert (event.reason, event.session_id) == (method, session.session_id)
    site.clock.advance(10 * MINUTE)
    assert not await fresh(site, granted)


async def test_a_wrong_first_proof_is_counted_as_at_a_login(site: Site) -> None:
    kevin = Stepper(site, await site.kevin())
    granted = await stale(kevin, await site.login())
    for _ in range(10):
        assert await prove(kevin, granted, "password", WRONG) == Denied(ProblemCode.WRONG_CREDENTIALS)
    got = await prove(kevin, granted, "password", PASSWORD)
    assert isinstance(got, Denied)
    assert got.code is ProblemCode.TOO_MANY_REQUESTS
    code = await site.code(purpose=Purpose.PROOF)
    assert await prove(kevin, granted, "code", site.wrong(code)) == Denied(ProblemCode.WRONG_CODE)
    assert not await fresh(site, granted)
    assert await prove(kevin, granted, "code", code) == Done()
    assert await prove(kevin, granted, "code", code) == Denied(ProblemCode.WRONG_CODE)


@pytest.mark.attack("PK-5")
async def test_with_a_second_step_only_a_factor_is_enough(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    granted = await logged_in(kevin)
    code = await site.code(purpose=Purpose.PROOF)
    for method, secret in (("password", PASSWORD), ("password", WRONG), ("code", code), ("code", "000000")):
        assert await prove(kevin, granted, method, secret) == PROOF_REQUIRED
    # Nothing of it was judged.
    assert await site.events(tag=Tag.LOGIN_FAILED) == await site.events(tag=Tag.CODE_REFUSED) == []
    assert not await fresh(site, granted)
    assert await prove(kevin, granted, "totp", kevin.totp()) == Done()
    assert await fresh(site, granted)


@pytest.mark.attack("PK-5", "MF-12")
async def test_a_code_by_sms_is_no_factor_here(site: Site) -> None:
    kevin = await stepper(site)
    await site.harness.change_app(sms_step=True)
    needed = await kevin.needed()
    code = await sms_code(site, needed, kevin.origin())
    granted = await kevin.granted(await kevin.by_totp(needed))
    assert await prove(kevin, granted, "sms", code) == NO_METHOD


@pytest.mark.parametrize("factor", ["totp", "passkey", "recovery"])
async def test_a_factor_raises_the_level_and_says_how(site: Site, factor: str) -> None:
    kevin = await stepper(site, passkey=True)
    number, now = kevin.account.number, site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(number, now=now, second_step=False))
    granted = await stale(kevin, await site.login())
    if factor == "passkey":
        assert await by_passkey(kevin, granted) == Done()
    else:
        secret = kevin.totp() if factor == "totp" else kevin.codes[0]
        assert await prove(kevin, granted, factor, secret) == Done()
        # It is good once.
        assert await prove(kevin, granted, factor, secret) == WRONG_FACTOR
    session = (await site.caller(granted)).session
    methods = "pwd hwk user" if factor == "passkey" else "pwd otp"
    at = site.clock.now()
    assert (session.level, session.methods, session.second_at, session.proved_at) == (2, methods, at, at)
    assert [event.reason for event in await site.events(tag=Tag.IDENTITY_PROVED)] == [factor]
    told = {message.template for message in await site.harness.messages()}
    assert (Template.RECOVERY_USED in told) == (factor == "recovery")


async def by_passkey(kevin: Stepper, granted: Granted, *, of: Granted | None = None, **answer: Any) -> Any:
    caller, flows = await kevin.site.caller(granted), kevin.site.flows.factors
    made = await flows.prove_options(await kevin.site.caller(of or granted), kevin.origin())
    assert not isinstance(made, Denied)
    assert kevin.key is not None
    kevin.key.counter += 1
    proof = FactorProof("passkey", credential=kevin.key.get(made.options, **answer))
    return await flows.prove(IdentityProof("passkey", proof=proof), caller, kevin.origin())


@pytest.mark.attack("PK-2", "PK-3")
async def test_a_passkey_proves_for_its_own_session_alone(site: Site) -> None:
    kevin = await stepper(site, passkey=True)
    granted = await logged_in(kevin)
    other = await kevin.granted(await kevin.by_totp(await kevin.needed(), kevin.origin()))
    assert await by_passkey(kevin, granted, of=other) == WRONG_FACTOR
    assert await by_passkey(kevin, granted, signature=b"wrong") == WRONG_FACTOR
    # Nor does the challenge of a step.
    made = await site.flows.login.second_options((await kevin.needed()).ticket, kevin.origin())
    assert not isinstance(made, Denied)
    assert kevin.key is not None
    proof = FactorProof("passkey", credential=kevin.key.get(made.options))
    ask = IdentityProof("passkey", proof=proof)
    assert await site.flows.factors.prove(ask, await site.caller(granted), kevin.origin()) == WRONG_FACTOR
    assert not await fresh(site, granted)
    assert len(await site.events(tag=Tag.STEP_FAILED)) == 3
    assert await by_passkey(kevin, granted) == Done()


async def test_who_has_no_passkey_gets_no_options(site: Site) -> None:
    kevin = await stepper(site)
    granted = await logged_in(kevin)
    got = await site.flows.factors.prove_options(await site.caller(granted), kevin.origin())
    assert got == Denied(ProblemCode.NOT_FOUND)


@pytest.mark.attack("MF-3")
async def test_wrong_codes_of_sessions_and_tickets_count_together(site: Site) -> None:
    kevin = await stepper(site)
    granted = await logged_in(kevin)
    needed = await kevin.needed()
    await kevin.wrong_codes(3, needed)
    for _ in range(2):
        assert await prove(kevin, granted, "totp", kevin.wrong_totp()) == WRONG_FACTOR
    for got in (await prove(kevin, granted, "totp", kevin.totp()), await kevin.by_totp(needed)):
        assert got == Denied(ProblemCode.TOO_MANY_REQUESTS, 900)


async def test_a_request_without_a_proof_is_none(site: Site) -> None:
    kevin = await stepper(site)
    granted = await logged_in(kevin)
    caller = await site.caller(granted)
    got = await site.flows.factors.prove(IdentityProof("totp"), caller, kevin.origin())
    assert got == NO_METHOD
    assert await prove(kevin, granted, "nonsense", kevin.totp()) == NO_METHOD


@pytest.mark.attack("MF-13")
async def test_refreshing_raises_no_level_and_freshens_nothing(site: Site) -> None:
    kevin = await stepper(site)
    await site.harness.change_app(second_factor=SecondFactorRule.OFF)
    number, now = kevin.account.number, site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(number, now=now, second_step=False))
    origin = kevin.origin(rules=CAREYSHOP)
    granted = await stale(kevin, await site.login(origin=origin))
    again = await site.flows.login.refresh(granted.token, granted.refresh, origin)
    assert isinstance(again, Granted)
    session = (await site.caller(again)).session
    assert (session.level, session.methods, session.second_at) == (1, "pwd", NEVER)
    assert not await fresh(site, again)


async def test_a_session_that_ends_meanwhile_proves_nothing(site: Site) -> None:
    kevin = await stepper(site)
    granted = await logged_in(kevin)
    write, turns = site.store.write, iter(range(1, 9))
    session_id, number = granted.session.session_id, kevin.account.number

    async def overtaken(work: Any) -> Any:
        # The first one charges the quota.
        if next(turns) == 3:
            await write(lambda tx: tx.sessions.end(session_id, number))
        return await write(work)

    behind = site.over(store=Substitute(site.store, write=overtaken))
    with pytest.raises(Problem) as raised:
        await prove(kevin, granted, "totp", kevin.totp(), site=behind)
    assert raised.value.denied.code is ProblemCode.UNAUTHENTICATED
    assert await site.events(tag=Tag.IDENTITY_PROVED) == []


async def test_a_fault_between_the_two_transactions_leaves_the_proof_used(each_site: Site) -> None:
    site = each_site
    kevin = await stepper(site)
    granted = await logged_in(kevin)
    killed = site.over(store=failing_write(site.store, 3, ConnectionError("killed")))
    with pytest.raises(ConnectionError):
        await prove(kevin, granted, "totp", kevin.totp(), site=killed)
    assert not await fresh(site, granted)
    assert await prove(kevin, granted, "totp", kevin.totp()) == WRONG_FACTOR


@pytest.mark.attack("RACE-1", "OT-9")
async def test_of_fifty_proofs_by_one_code_one_is_right(two: list[Site]) -> None:
    kevin = await stepper(two[0])
    granted = await logged_in(kevin)
    code = kevin.totp()
    outcomes = await asyncio.gather(*(prove(kevin, granted, "totp", code, site=two[n % 2]) for n in range(50)))
    assert outcomes.count(Done()) == 1


@pytest.mark.attack("RS-11")
async def test_wrong_proofs_of_a_session_fill_no_table(site: Site) -> None:
    """Each leaves an event, and no account and no network counts those that are no codes."""
    kevin = await stepper(site)
    granted = await logged_in(kevin)
    most = site.harness.assembled.ports.policy.limits.session_calls_per_session
    # A factor that the account lacks.
    outcomes = [await prove(kevin, granted, "passkey") for _ in range(most + 10)]
    assert outcomes[0] == WRONG_FACTOR
    assert isinstance(outcomes[-1], Denied)
    assert outcomes[-1].code is ProblemCode.TOO_MANY_REQUESTS
    assert len(await site.events(tag=Tag.STEP_FAILED)) <= most
