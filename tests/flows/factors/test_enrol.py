"""Enrol and remove the codes of an authenticator app in a session.

(docs/contracts/factors.md sections 5, 9 and 10.)
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import Enrolment, StepSwitch
from menshen.core.factors.outcomes import Begun, Enrolled, FactorList
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import DAY, MINUTE, Instant
from menshen.core.tokens import digest
from menshen.flows.proofs.counting import count_code, is_totp_suspended, right_code, wrong_code
from tests.flows.factors.enrolling import KIND, Phone, begin, confirm, enrol, passkey_of
from tests.flows.site import EMAIL, HOME, OTHER_PHONE, PHONE, Site, code_of, waits

WRONG = ProblemCode.WRONG_SECOND_FACTOR


async def listed(site: Site, caller: Any) -> FactorList:
    found = await site.flows.factors.list(caller, site.origin())
    assert isinstance(found, FactorList), found
    return found


# --- enrolling --------------------------------------------------------------------------------------------------------


async def test_a_first_code_confirms_a_factor_and_all_that_follows_from_it(site: Site) -> None:
    account = await site.kevin()
    other, granted = await site.login(), await site.login()
    caller = await site.caller(granted)
    begun = await site.flows.factors.begin(KIND, caller, site.origin())
    assert isinstance(begun, Begun)
    assert begun.expires_at == site.clock.now() + 10 * MINUTE
    assert begun.shown["uri"].startswith("otpauth://totp/Menshen:135%2A%2A%2A%2A5662?")
    assert (await listed(site, caller)).factors == []
    assert await site.alive(other, granted) == [True, True]

    enrolled = await confirm(site, Phone(site, begun.shown["secret"]), caller)
    assert isinstance(enrolled, Enrolled)
    assert len(set(enrolled.recovery_codes)) == 10
    assert await site.alive(other, granted) == [False, True]
    who = await site.caller(granted)
    assert (who.session.level, who.session.methods, who.session.second_at) == (2, "pwd otp", site.clock.now())
    after = await site.account(account)
    assert (after.factors_version, after.second_step) == (1, False)
    shown = await listed(site, who)
    assert [one.kind for one in shown.factors] == [KIND]
    assert shown.codes_left == 10
    (event,) = await site.events(account, Tag.FACTOR_ADDED)
    assert event.reason == KIND
    notices = [(m.to, m.template) for m in await site.harness.messages()]
    assert notices == [(PHONE, Template.FACTOR_ADDED), (EMAIL, Template.FACTOR_ADDED)]


async def test_the_product_of_the_settings_names_the_service(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())
    shop = await site.harness.add_app("shop", host="shop.example")
    named = await site.flows.factors.begin(KIND, caller, site.origin(app=shop))
    assert isinstance(named, Begun)
    assert "issuer=shop&" in named.shown["uri"]


async def test_a_wrong_code_is_counted_and_five_pause_the_account(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    caller = await site.caller(granted)
    phone = await begin(site, caller)
    for _ in range(5):
        assert code_of(await confirm(site, phone, caller, phone.wrong())) is WRONG
    assert waits(await confirm(site, phone, caller)) == 15 * 60
    assert len(await site.events(account, Tag.STEP_FAILED)) == 5
    assert (await listed(site, caller)).factors == []
    # A refused code is not judged and not counted: the pause ends on time.
    site.clock.advance(15 * MINUTE)
    fresh = await site.caller(await site.login())
    phone = await begin(site, fresh)
    assert isinstance(await confirm(site, phone, fresh), Enrolled)


@pytest.mark.attack("OT-8")
@pytest.mark.parametrize("spell", ["{} ", "０{}", "+{}", "{}\n", ""])
async def test_another_spelling_confirms_nothing(site: Site, spell: str) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())
    phone = await begin(site, caller)
    assert code_of(
        await site.flows.factors.confirm(Enrolment(KIND, spell.format(phone.code())), caller, site.origin())
    ) is WRONG  # fmt: skip


@pytest.mark.attack("OT-9")
async def test_the_first_code_is_used_up_by_the_enrolment(site: Site) -> None:
    account = await site.kevin()
    phone = await enrol(site, await site.caller(await site.login()))
    stored = await site.store.read.factors.find(account.number, KIND)
    assert stored is not None
    assert stored.counter == site.clock.now() // 30_000
    now = site.clock.now()
    sealed, counter = stored.sealed, stored.counter

    async def note(step: int) -> bool:
        return bool(await site.store.write(
            lambda tx: tx.factors.advance(account.number, KIND, sealed, counter=step, now=now)
        ))  # fmt: skip

    assert [await note(step) for step in (counter, counter - 1, counter + 1, counter)] == [False, False, True, False]
    assert phone.code() != phone.wrong()


async def test_an_enrolment_that_waits_too_long_is_over(site: Site) -> None:
    await site.kevin()
    granted = await site.login()
    phone = await begin(site, await site.caller(granted))
    site.clock.advance(10 * MINUTE)
    caller = await site.caller(await site.login())
    assert code_of(await confirm(site, phone, caller)) is ProblemCode.NOT_FOUND


async def test_a_new_secret_replaces_the_old_one_and_brings_no_codes(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    old = await enrol(site, await site.caller(granted))
    site.clock.advance(30_000)
    new = await begin(site, await site.caller(granted))
    before = await site.store.read.factors.find(account.number, KIND)
    assert before
    assert before.sealed
    enrolled = await confirm(site, new, await site.caller(granted))
    assert enrolled == Enrolled()
    after = await site.store.read.factors.find(account.number, KIND)
    assert after
    assert (after.sealed, after.begun) == (before.begun, b"")
    assert old.secret != new.secret
    assert await site.store.read.recovery_codes.left(account.number) == 10


@pytest.mark.attack("MF-9")
async def test_of_two_enrolments_the_later_one_stands_and_is_confirmed_once(site: Site) -> None:
    account = await site.kevin()
    one, two = await site.caller(await site.login()), await site.caller(await site.login())
    first = await begin(site, one)
    second = await begin(site, two)
    assert code_of(await confirm(site, first, one)) is WRONG
    assert isinstance(await confirm(site, second, two), Enrolled)
    assert code_of(await confirm(site, second, await site.caller(await site.login()))) is ProblemCode.NOT_FOUND
    assert len(await site.store.read.factors.list_of(account.number)) == 1


@pytest.mark.attack("LG-3")
async def test_a_sealed_secret_in_the_row_of_another_account_opens_nothing(site: Site) -> None:
    kevin = await site.kevin()
    other = await site.harness.add_account("other", OTHER_PHONE, password="correct horse")
    mine = await site.caller(await site.login())
    phone = await begin(site, mine)
    stored = await site.store.read.factors.find(kevin.number, KIND)
    assert stored is not None
    sealed, until = stored.begun, stored.begun_until
    await site.store.write(lambda tx: tx.factors.begin(other.number, KIND, sealed, until))
    caller = await site.caller(await site.login("other"))
    assert code_of(await confirm(site, phone, caller)) is ProblemCode.NOT_FOUND
    assert isinstance(await confirm(site, phone, mine), Enrolled)


async def test_what_the_app_does_not_offer_is_not_enrolled(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())

    async def tried(kind: str = KIND) -> ProblemCode:
        return code_of(await site.flows.factors.begin(kind, caller, site.origin()))

    assert [await tried(kind) for kind in ("specimen", "", "passkey", "../totp")] == [ProblemCode.NOT_FOUND] * 4
    assert (await listed(site, caller)).allowed == ["passkey", KIND, "recovery"]
    await site.harness.change_app(factors="passkey recovery")
    assert await tried() is ProblemCode.FORBIDDEN
    await site.harness.change_app(factors="totp", second_factor=SecondFactorRule.OFF)
    assert await tried() is ProblemCode.FORBIDDEN
    assert (await listed(site, caller)).allowed == []


async def test_changes_have_a_quota_of_the_day(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())
    for _ in range(30):
        await begin(site, caller)
    assert waits(await site.flows.factors.begin(KIND, caller, site.origin()))


# --- stolen sessions --------------------------------------------------------------------------------------------------


@pytest.mark.attack("MF-4")
async def test_a_stolen_session_can_list_and_change_nothing(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    begun = await begin(site, await site.caller(granted))
    trusted = TrustedDevice(
        "trust", account.number, 1, b"", "tv", HOME, site.clock.now(), Instant(site.clock.now() + 30 * DAY)
    )
    await site.store.write(lambda tx: tx.trusted_devices.add(trusted, digest("t"), most=20))
    site.clock.advance(10 * MINUTE)
    caller, origin, flows = await site.caller(granted), site.origin(), site.flows.factors
    read = site.store.read

    async def state() -> Any:
        return (
            asdict(await site.account(account)), await read.factors.list_of(account.number),
            await read.recovery_codes.left(account.number),
            await read.trusted_devices.list_of(account.number, Instant(1)), await site.sessions(account),
            len(await site.harness.messages()),
        )  # fmt: skip

    before = await state()
    refused = [
        await flows.begin(KIND, caller, origin),
        await flows.begin("nothing", caller, origin),
        await flows.confirm(Enrolment(KIND, begun.code()), caller, origin),
        await flows.remove(KIND, caller, origin),
        await flows.remove("nothing", caller, origin),
        await flows.make_recovery_codes(caller, origin),
        await flows.switch_second_step(StepSwitch(on=True, confirmed=True), caller, origin),
        await flows.switch_second_step(StepSwitch(on=False), caller, origin),
        await flows.end_trusted("trust", caller, origin),
        await flows.end_all_trusted(caller, origin),
    ]
    assert refused == [Denied(ProblemCode.PROOF_REQUIRED)] * len(refused)
    assert await state() == before
    shown = await listed(site, caller)
    assert ([one.kind for one in shown.factors], shown.codes_left, len(shown.trusted)) == ([KIND], 10, 1)


async def test_with_a_second_step_a_password_is_no_fresh_proof(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(account.number, now=now, second_step=True))
    site.clock.advance(11 * MINUTE)
    proved = site.clock.now()
    await site.store.write(lambda tx: tx.sessions.prove(granted.session.session_id, proved))
    caller = await site.caller(granted)
    assert caller.session.fresh(proved)
    assert code_of(await site.flows.factors.remove(KIND, caller, site.origin())) is ProblemCode.PROOF_REQUIRED


async def test_trusted_devices_end_one_by_one_and_all_together(site: Site) -> None:
    account = await site.kevin()
    caller, origin, now = await site.caller(await site.login()), site.origin(), site.clock.now()
    for name in ("one", "two", "three"):
        made = TrustedDevice(name, account.number, 1, b"", name, HOME, now, Instant(now + DAY))
        await site.store.write(lambda tx, made=made: tx.trusted_devices.add(made, digest(made.name), most=20))
    assert await site.flows.factors.end_trusted("two", caller, origin) == Done()
    assert code_of(await site.flows.factors.end_trusted("two", caller, origin)) is ProblemCode.NOT_FOUND
    assert {one.trust_id for one in (await listed(site, caller)).trusted} == {"one", "three"}
    assert await site.flows.factors.end_all_trusted(caller, origin) == Done()
    assert (await listed(site, caller)).trusted == []
    assert [event.reason for event in await site.events(account, Tag.TRUST_REVOKED)] == ["ended_by_owner"] * 3


async def test_a_trusted_device_of_another_account_is_not_found(site: Site) -> None:
    await site.kevin()
    other, now = await site.harness.add_account("other"), site.clock.now()
    made = TrustedDevice("theirs", other.number, 1, b"", "tv", HOME, now, Instant(now + DAY))
    await site.store.write(lambda tx: tx.trusted_devices.add(made, digest("t"), most=20))
    caller = await site.caller(await site.login())
    assert code_of(await site.flows.factors.end_trusted("theirs", caller, site.origin())) is ProblemCode.NOT_FOUND
    await site.flows.factors.end_all_trusted(caller, site.origin())
    assert len(await site.store.read.trusted_devices.list_of(other.number, now)) == 1


# --- removing ---------------------------------------------------------------------------------------------------------


async def test_the_last_factor_takes_the_codes_and_the_second_step_with_it(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    phone = await enrol(site, await site.caller(granted))
    on = StepSwitch(on=True, recovery_code=phone.codes[0])
    assert await site.flows.factors.switch_second_step(on, await site.caller(granted), site.origin()) == Done()
    assert await site.flows.factors.remove(KIND, await site.caller(granted), site.origin()) == Done()
    after = await site.account(account)
    assert (after.second_step, after.factors_version) == (False, 3)
    assert await site.store.read.recovery_codes.left(account.number) == 0
    assert await site.alive(granted) == [True]
    tags = await site.tags(account)
    assert tags.count(Tag.FACTOR_REMOVED) == tags.count(Tag.SECOND_STEP_OFF) == 1
    assert [m.template for m in await site.harness.messages()][-2:] == [Template.FACTOR_REMOVED] * 2
    assert code_of(await site.flows.factors.remove(KIND, await site.caller(granted), site.origin())) is (
        ProblemCode.NOT_FOUND
    )


async def test_beside_a_passkey_a_removal_changes_neither_codes_nor_second_step(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    now = site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(account.number, now=now, second_step=True))
    await site.store.write(lambda tx: tx.passkeys.add(passkey_of(account.number, step_only=True)))
    assert await site.flows.factors.remove(KIND, await site.caller(granted), site.origin()) == Done()
    assert (await site.account(account)).second_step
    assert await site.store.read.recovery_codes.left(account.number) == 10


async def test_a_begun_enrolment_is_no_factor_to_remove(site: Site) -> None:
    await site.kevin()
    caller = await site.caller(await site.login())
    await begin(site, caller)
    assert code_of(await site.flows.factors.remove(KIND, caller, site.origin())) is ProblemCode.NOT_FOUND


@pytest.mark.parametrize("role", ["admin", "general_user"])
@pytest.mark.parametrize("rule", [SecondFactorRule.REQUIRED, SecondFactorRule.REQUIRED_FOR])
async def test_who_must_have_a_factor_keeps_the_last_one(site: Site, rule: SecondFactorRule, role: str) -> None:
    account = await site.kevin()
    granted = await site.login()
    await enrol(site, await site.caller(granted))
    await site.harness.change_app(second_factor=rule, required_for_roles=role)
    keeps = rule is SecondFactorRule.REQUIRED or role == "general_user"
    got = await site.flows.factors.remove(KIND, await site.caller(granted), site.origin())
    assert got == (Denied(ProblemCode.FORBIDDEN) if keeps else Done())
    if keeps:
        await site.store.write(lambda tx: tx.passkeys.add(passkey_of(account.number)))
        assert await site.flows.factors.remove(KIND, await site.caller(granted), site.origin()) == Done()


# --- counting ---------------------------------------------------------------------------------------------------------


async def test_twenty_wrong_codes_in_a_day_and_a_hundred_in_a_row(site: Site) -> None:
    account, here = await site.kevin(), site.harness.assembled
    number, origin = account.number, site.origin()
    given: dict[str, Any] = {"keyring": here.keyring, "policy": here.policy}

    async def wrong() -> Denied | None:
        now = site.clock.now()

        async def work(tx: Any) -> Denied | None:
            refusal = await count_code(tx, number, now=now, **given)
            if refusal is None:
                await wrong_code(tx, number, KIND, origin, now=now, **given)
            return refusal

        refused: Denied | None = await site.store.write(work)
        return refused

    async def suspended() -> bool:
        return await is_totp_suspended(site.store.read, number, now=site.clock.now(), **given)

    counted = 0
    for day in range(5):
        for _ in range(4):
            assert [await wrong() for _ in range(5)] == [None] * 5
            counted += 5
            assert waits(await wrong()) is not None
            site.clock.advance(15 * MINUTE)
        assert (waits(await wrong()) or 0) > 20 * 3600, day
        site.clock.advance(DAY)
        assert await suspended() == (counted == 100)
    assert len(await site.events(account, Tag.TOTP_SUSPENDED)) == 1
    # A right code that lifts nothing leaves the suspension. A recovery code ends it.
    for lifts in (False, True):
        now = site.clock.now()

        async def right(tx: Any, lifts: bool = lifts, now: Instant = now) -> None:
            assert await count_code(tx, number, now=now, **given) is None
            await right_code(tx, number, now=now, lifts=lifts, **given)

        await site.store.write(right)
        assert await suspended() != lifts
