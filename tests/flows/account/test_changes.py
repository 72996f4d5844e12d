"""Changing a password, a phone or an address: what must be proved for it, and what ends by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from menshen.core.account.asks import Bind, Edited, PasswordChange
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Channel, Template
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import MINUTE
from menshen.ports.hashing import Verified
from tests.flows.account.calls import bind, change, registered, reset
from tests.flows.account.overtaking import overtaken
from tests.flows.site import (
    CAREYSHOP,
    EMAIL,
    NEW,
    OTHER_EMAIL,
    OTHER_PHONE,
    PASSWORD,
    PHONE,
    WRONG,
    Site,
    code_of,
)
from tests.substitutes import Substitute

WRONG_CREDENTIALS, WRONG_CODE = Denied(ProblemCode.WRONG_CREDENTIALS), Denied(ProblemCode.WRONG_CODE)


def weak(reason: str) -> Any:
    def matches(outcome: Any) -> bool:
        return isinstance(outcome, Denied) and (outcome.code, outcome.field) == (ProblemCode.WEAK_PASSWORD, reason)

    return matches


# --- by the old password ----------------------------------------------------------------------------------------------


@pytest.mark.attack("TK-3")
@pytest.mark.parametrize("keep", [True, False])
async def test_a_change_ends_every_other_session_and_every_code(site: Site, keep: bool) -> None:
    account = await site.kevin()
    others = [await site.login(), await site.login(origin=site.origin(rules=CAREYSHOP))]
    code = await site.code()
    mine = await site.login()
    assert await change(site, mine, keep=keep) == Done()
    assert await site.alive(mine, *others) == [keep, False, False]
    assert await site.try_code(code) == WRONG_CODE
    assert await site.try_password() == WRONG_CREDENTIALS
    await site.login(password=NEW)
    present = await site.account(account)
    assert (present.password_version, present.password_changed_at) == (1, site.clock.now())
    ended = await site.events(account, Tag.SESSION_ENDED)
    assert {event.reason for event in ended} == {"password_changed"}
    assert len(ended) == 3 - keep
    assert Tag.PASSWORD_CHANGED in await site.tags(account)


async def test_the_owner_is_told_at_the_address_that_is_theirs(site: Site) -> None:
    await site.kevin()
    await change(site, await site.login())
    notice = (await site.harness.messages())[-1]
    assert (notice.channel, notice.to, notice.template, notice.code) == (
        Channel.EMAIL,
        EMAIL,
        Template.PASSWORD_CHANGED,
        "",
    )
    await site.harness.add_account("by-phone", phone="13900139000", password=PASSWORD)
    await change(site, await site.login("by-phone"))
    assert (await site.harness.messages())[-1].to == "+8613900139000"
    before = await site.harness.messages()
    await site.harness.add_account(
        "claims", phone="13700137000", email="c@b.example", password=PASSWORD, verified=False
    )
    await change(site, await site.login("claims"))
    assert await site.harness.messages() == before


async def test_a_wrong_old_password_changes_nothing(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login()
    for wrong in (WRONG, "", PASSWORD + " ", "x" * 2000, "\ud800"):
        assert await change(site, mine, wrong) == WRONG_CREDENTIALS
    assert await site.alive(mine) == [True]
    assert (await site.account(account)).password_version == 0
    assert (await site.events(account, Tag.LOGIN_FAILED))[0].reason == "old_password"


async def test_who_has_no_password_sets_one_by_a_code_only(site: Site) -> None:
    who = await site.login_code()
    for old in ("", "null", WRONG):
        assert await change(site, who, old) == WRONG_CREDENTIALS
    assert await reset(site, await site.code(purpose=Purpose.RESET)) == Done()
    await site.login(PHONE, NEW)


@pytest.mark.parametrize(
    ("new", "reason"),
    [("short", "short"), ("password", "common"), ("kevin123!", "own_words"), ("13544285662", "own_words"),
     ("x" * 1025, "long")],
)  # fmt: skip
async def test_a_weak_new_password_is_refused_before_the_old_one_is_tried(site: Site, new: str, reason: str) -> None:
    await site.kevin()
    mine = await site.login()
    for _ in range(20):
        assert weak(reason)(await change(site, mine, WRONG, new))
    assert await change(site, mine) == Done()


async def test_of_two_changes_at_once_one_wins(site: Site) -> None:
    await site.kevin()
    first, second = await site.login(), await site.login()
    callers = [await site.caller(first), await site.caller(second)]
    hasher = site.harness.assembled.hasher

    async def overtaken(password: bytes) -> str:
        ask = PasswordChange(PASSWORD, "the other one's")
        assert await site.flows.account.change_password(ask, callers[1], site.origin()) == Done()
        return await hasher.hash(password)

    slow = site.over(hasher=Substitute(hasher, hash=overtaken))
    ask = PasswordChange(PASSWORD, NEW)
    assert await slow.flows.account.change_password(ask, callers[0], site.origin()) == WRONG_CREDENTIALS
    await site.login(password="the other one's")


async def test_a_claimant_ends_no_code_that_the_owner_asked_for(site: Site) -> None:
    """Whoever registers with somebody's number or address could else kill each code that is sent to it."""
    await registered(site, phone=PHONE, email=EMAIL)
    attacker = await site.login("attacker")
    code = await site.code()
    assert await change(site, attacker) == Done()
    assert isinstance(await site.try_code(code), Granted)


# --- by a code --------------------------------------------------------------------------------------------------------


@pytest.mark.attack("TK-3")
@pytest.mark.parametrize("subject", [PHONE, EMAIL])
async def test_a_reset_ends_everything_and_logs_nobody_in(site: Site, subject: str) -> None:
    account = await site.kevin()
    granted = [await site.login(), await site.login(origin=site.origin(rules=CAREYSHOP))]
    other_code = await site.code(EMAIL if subject == PHONE else PHONE)
    code = await site.code(subject, Purpose.RESET)
    assert await reset(site, code, subject) == Done()
    assert await site.alive(*granted) == [False, False]
    assert await site.try_code(other_code, EMAIL if subject == PHONE else PHONE) == WRONG_CODE
    assert await site.try_password() == WRONG_CREDENTIALS
    await site.login(password=NEW)
    assert await reset(site, code, subject) == WRONG_CODE
    tags = await site.tags(account)
    assert tags.count(Tag.PASSWORD_RESET) == 1
    notice = [m for m in await site.harness.messages() if m.template is Template.PASSWORD_CHANGED]
    assert [message.to for message in notice] == [subject]


@pytest.mark.attack("TK-9", "OT-5")
async def test_a_reset_needs_its_own_code_and_a_captcha(site: Site) -> None:
    await site.kevin()
    code = await site.code(purpose=Purpose.RESET)
    for spoilt in (site.wrong(code), "", await site.code(purpose=Purpose.LOGIN)):
        assert await reset(site, spoilt) == WRONG_CODE
    asked = await reset(site, code, captcha=None)
    assert asked.code is ProblemCode.CAPTCHA_REQUIRED
    assert weak("short")(await reset(site, code, new="short"))
    code = await site.code(purpose=Purpose.RESET)
    assert await reset(site, code) == Done()


@pytest.mark.attack("EN-4")
async def test_who_is_not_there_or_shut_out_is_told_after_the_right_code_only(site: Site) -> None:
    for prepare, told in ((None, ProblemCode.NOT_REGISTERED), ("gone", ProblemCode.ACCOUNT_DISABLED)):
        if prepare:
            await site.harness.add_account(prepare, phone=PHONE, password=PASSWORD)
            await site.harness.disable(prepare)
        code = await site.code(purpose=Purpose.RESET)
        assert await reset(site, site.wrong(code)) == WRONG_CODE
        assert await reset(site, code) == Denied(told)


async def test_careyshops_reset_names_the_account_and_says_one_thing(site: Site) -> None:
    """find.user.password: one answer for a wrong code, an unknown account or another account's number."""
    await site.kevin()
    await site.harness.add_account("other", phone=OTHER_PHONE, password=PASSWORD)
    await site.harness.add_account("gone", phone="13900139000", password=PASSWORD)
    await site.harness.disable("gone")

    async def by_name(subject: str, username: str) -> Any:
        code = await site.code(subject, Purpose.VERIFY)
        return await reset(site, code, subject, purpose=Purpose.VERIFY, captcha=None, username=username)

    for subject, username in ((PHONE, "other"), (PHONE, "nobody"), (PHONE, "!"), ("+8613700137000", "kevin")):
        assert await by_name(subject, username) == WRONG_CODE
    assert await by_name("+8613900139000", "gone") == WRONG_CODE
    assert await by_name(PHONE, "KEVIN") == Done()


# --- phones and addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("subject", "old"), [(OTHER_PHONE, PHONE), (OTHER_EMAIL, EMAIL)])
async def test_a_new_phone_or_address_takes_the_place_of_the_old(site: Site, subject: str, old: str) -> None:
    account = await site.kevin()
    others = [await site.login(), await site.login(origin=site.origin(rules=CAREYSHOP))]
    old_code = await site.code(old)
    code = await later_code(site, subject, Purpose.BIND)
    mine = await site.login()
    got = await bind(site, mine, subject, code)
    assert isinstance(got, Edited)
    assert subject in got.account.proved
    assert await site.alive(mine, *others) == [True, False, False]
    assert await site.try_code(old_code, old) == WRONG_CODE
    assert (await site.login(subject)).account.number == account.number
    assert await site.try_password(old) == WRONG_CREDENTIALS
    notices = (await site.harness.messages())[-2:]
    # What was replaced hears of it, and so does what stays.
    assert [(notice.to, notice.template) for notice in notices] == [
        (PHONE, Template.IDENTIFIER_CHANGED),
        (EMAIL, Template.IDENTIFIER_CHANGED),
    ]
    masked_new = "138****8000" if subject == OTHER_PHONE else "o***r@b.example"
    assert {notice.detail for notice in notices} == {masked_new}
    assert Tag.IDENTIFIER_BOUND in await site.tags(account)


@pytest.mark.attack("TK-12")
@pytest.mark.parametrize(("past", "fresh"), [(-1, True), (0, False)])
async def test_ten_minutes_after_the_login_identity_must_be_proved_anew(site: Site, past: int, fresh: bool) -> None:
    await site.kevin()
    mine = await site.login()
    site.clock.advance(10 * MINUTE + past)
    code = await later_code(site, OTHER_PHONE, Purpose.BIND)
    if not fresh:
        assert await bind(site, mine, code=code) == Denied(ProblemCode.PROOF_REQUIRED)
        # Nothing was burnt by asking for a proof.
        assert isinstance(await bind(site, mine, code=code, password=PASSWORD), Edited)
    else:
        assert isinstance(await bind(site, mine, code=code), Edited)


async def later_code(site: Site, subject: str, purpose: Purpose) -> str:
    """A code of now: the clock stands where it is."""
    await site.ask_code(subject, purpose, replace(site.origin(), networks=site.elsewhere().networks))
    return (await site.harness.messages())[-1].code


async def stale(site: Site) -> Granted:
    who = await site.login()
    site.clock.advance(11 * MINUTE)
    return who


async def test_a_password_proves_and_keeps_the_session_fresh(site: Site) -> None:
    account = await site.kevin()
    mine = await stale(site)
    code = await later_code(site, OTHER_PHONE, Purpose.BIND)
    assert await bind(site, mine, code=code, password=WRONG) == WRONG_CREDENTIALS
    assert isinstance(await bind(site, mine, code=code, password=PASSWORD), Edited)
    assert Tag.IDENTITY_PROVED in await site.tags(account)
    code = await later_code(site, OTHER_EMAIL, Purpose.BIND)
    assert isinstance(await bind(site, mine, OTHER_EMAIL, code), Edited)


@pytest.mark.parametrize("own", [PHONE, EMAIL])
async def test_a_code_to_what_the_account_has_proves_too(site: Site, own: str) -> None:
    await site.kevin()
    mine = await stale(site)
    proof = await later_code(site, own, Purpose.PROOF)
    code = await later_code(site, OTHER_PHONE, Purpose.BIND)
    assert await bind(site, mine, code=code, proof_code=site.wrong(proof)) == WRONG_CODE
    got = await bind(site, mine, code=code, proof_code=proof)
    assert isinstance(got, Edited)
    assert OTHER_PHONE in got.account.proved
    assert await bind(site, mine, code=code, proof_code=proof) == WRONG_CODE


async def test_a_typing_error_in_the_new_ones_code_costs_no_second_proof(site: Site) -> None:
    await site.kevin()
    mine = await stale(site)
    proof = await later_code(site, PHONE, Purpose.PROOF)
    code = await later_code(site, OTHER_PHONE, Purpose.BIND)
    assert await bind(site, mine, code=site.wrong(code), proof_code=proof) == WRONG_CODE
    assert isinstance(await bind(site, mine, code=code, proof_code=proof), Edited)


async def test_a_code_to_a_mere_claim_proves_nothing(site: Site) -> None:
    await registered(site, "kevin", phone=PHONE)
    mine = await stale(site)
    proof = await later_code(site, PHONE, Purpose.PROOF)
    code = await later_code(site, OTHER_PHONE, Purpose.BIND)
    assert await bind(site, mine, code=code, proof_code=proof) == Denied(ProblemCode.PROOF_REQUIRED)


@pytest.mark.attack("OT-5")
async def test_binding_needs_the_right_code_for_the_new_one(site: Site) -> None:
    await site.kevin()
    code = await site.code(OTHER_PHONE, Purpose.BIND)
    mine = await site.login()
    for wrong in (site.wrong(code), "", await later_code(site, "+8613900139000", Purpose.BIND)):
        assert await bind(site, mine, code=wrong) == WRONG_CODE


@pytest.mark.attack("EN-8")
async def test_what_another_owns_is_told_after_the_right_code_only(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("other", phone=OTHER_PHONE, password=PASSWORD)
    taken = Denied(ProblemCode.ALREADY_TAKEN, field="phone")
    code = await site.code(OTHER_PHONE, Purpose.BIND)
    mine = await site.login()
    assert await bind(site, mine, code=site.wrong(code)) == WRONG_CODE
    assert await bind(site, mine, code=code) == taken
    code = await site.code(OTHER_PHONE, Purpose.BIND)
    mine = await site.login()
    assert await bind(overtaken(site), mine, code=code) == taken
    assert (await site.login(OTHER_PHONE)).account.username == "other"


@pytest.mark.attack("RACE-5")
@pytest.mark.parametrize("proof", [{}, {"password": PASSWORD}])
async def test_who_was_put_out_meanwhile_changes_no_factor(site: Site, proof: dict[str, str]) -> None:
    """A stolen session that hurries while the owner resets: acknowledged, the reset is the last word. (RACE-5.)"""
    account = await site.kevin()
    stolen = await site.login()
    code = await later_code(site, OTHER_PHONE, Purpose.BIND)
    caller = await site.caller(stolen)
    reset_code = await later_code(site, PHONE, Purpose.RESET)
    assert await reset(site, reset_code) == Done()
    early = Substitute(site.harness.assembled.hasher, verify=judged_before_the_reset)
    with pytest.raises(Problem) as refused:
        await site.over(hasher=early).flows.account.bind(
            Bind(Kind.PHONE, OTHER_PHONE, code, **proof), caller, site.origin()
        )
    assert refused.value.denied.code is ProblemCode.UNAUTHENTICATED
    assert (await site.account(account)).proved == (PHONE, EMAIL)
    assert Tag.IDENTIFIER_BOUND not in await site.tags(account)


async def judged_before_the_reset(stored: str, password: bytes | None) -> Verified:
    return Verified(right=True)


async def test_binding_what_one_has_already_changes_nothing_and_tells_the_other(site: Site) -> None:
    account = await site.kevin()
    code = await site.code(PHONE, Purpose.BIND)
    got = await bind(site, await site.login(), PHONE, code)
    assert isinstance(got, Edited)
    assert got.account.proved == account.proved
    notices = [m for m in await site.harness.messages() if m.template is Template.IDENTIFIER_CHANGED]
    assert [message.to for message in notices] == [EMAIL]


async def test_binding_takes_a_claim_off_others(site: Site) -> None:
    claimant = await registered(site, "claimant", phone=OTHER_PHONE)
    await site.kevin()
    code = await site.code(OTHER_PHONE, Purpose.BIND)
    assert isinstance(await bind(site, await site.login(), code=code), Edited)
    assert (await site.account(claimant)).phone is None
    assert Tag.IDENTIFIER_DROPPED in await site.tags(claimant)


@pytest.mark.attack("RS-11")
async def test_a_stolen_recent_login_uses_up_none_of_the_owners_changes(site: Site) -> None:
    await site.kevin()
    stolen, mine = await site.caller(await site.login(origin=site.elsewhere())), await site.login()
    most = site.flows.policy.limits.binds_per_account
    answers = [
        await site.flows.account.bind(Bind(Kind.PHONE, f"+86135442857{n:02}", "000000"), stolen, site.elsewhere())
        for n in range(most + 1)
    ]
    assert answers[:most] == [Denied(ProblemCode.WRONG_CODE)] * most
    assert code_of(answers[most]) is ProblemCode.TOO_MANY_REQUESTS
    owner = await site.caller(mine)
    by_password = Bind(Kind.PHONE, OTHER_PHONE, await site.code(OTHER_PHONE, Purpose.BIND), password=PASSWORD)
    assert isinstance(await site.flows.account.bind(by_password, owner, site.origin()), Edited)
