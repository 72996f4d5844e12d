"""Deleting one's own account: what must be proved for it, what is gone by it, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.account.accounts import Profile, Status
from menshen.core.account.asks import Deletion, PasswordChange
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Template
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import HOUR, MINUTE
from menshen.flows.admin import accounts as admin_accounts
from menshen.testing.store_contract.proofs.records import give_all, held_by
from tests.flows.account.calls import delete, edit
from tests.flows.behind.interleaving import name_of
from tests.flows.site import CAREYSHOP, EMAIL, NEW, OTHER_PHONE, PASSWORD, PHONE, WRONG, Site, code_of, waits
from tests.substitutes import Substitute

WRONG_CREDENTIALS, WRONG_CODE = Denied(ProblemCode.WRONG_CREDENTIALS), Denied(ProblemCode.WRONG_CODE)
PROOF_REQUIRED = Denied(ProblemCode.PROOF_REQUIRED)


async def everything(site: Site) -> tuple[Granted, Granted]:
    """An account with a session of each dialect, a device, a profile, and a code under way."""
    await site.kevin()
    shop = await site.login(origin=site.origin(rules=CAREYSHOP), platform="web")
    mine = await site.login(origin=site.origin(device="phone-1"))
    await edit(site, mine, nickname="小王", city="Suzhou")
    return mine, shop


async def test_it_takes_everything_along_and_frees_the_names(site: Site) -> None:
    mine, shop = await everything(site)
    login_code = await site.code(EMAIL)
    assert await delete(site, mine) == Done()
    assert await site.alive(mine, shop) == [False, False]
    assert await site.try_code(login_code, EMAIL) == WRONG_CODE
    assert await site.try_password() == WRONG_CREDENTIALS
    closed = await site.account(mine)
    assert closed.status is Status.CLOSED
    assert (closed.username, closed.username_shown, closed.phone, closed.email) == (None, None, None, None)
    assert (closed.password_hash, closed.profile, closed.login_ip) == ("", Profile(), "")
    assert list(await site.store.read.devices.list_of(closed.number)) == []
    assert [(e.tag, e.reason) for e in (await site.events(closed))[-3:]] == [
        (Tag.SESSION_ENDED, "account_closed"),
        (Tag.SESSION_ENDED, "account_closed"),
        (Tag.ACCOUNT_CLOSED, "password"),
    ]
    last = (await site.events(closed))[-1]
    assert (last.source, last.ip, last.subject) == ("weidu", "198.51.100.7", "ke***")
    # The next owner of the names begins anew, under another number.
    again = await site.kevin()
    assert again.number > closed.number
    assert (await site.login()).account.profile == Profile()


async def test_nothing_is_left_that_proves_who_somebody_is(site: Site) -> None:
    mine, _ = await everything(site)
    other = await site.harness.add_account("other7", password=PASSWORD)
    for account in (mine.account, other):
        await give_all(site.store, account)
    assert await held_by(site.store, mine.account) == (1, 1, b"kevin", 10, True, 1)
    assert await delete(site, mine) == Done()
    assert await held_by(site.store, mine.account) == (0, 0, b"", 0, False, 0)
    assert await held_by(site.store, other) == (1, 1, b"other7", 10, True, 1)


async def test_each_proved_contact_is_told_once(site: Site) -> None:
    mine, _ = await everything(site)
    before = len(await site.harness.messages())
    assert await delete(site, mine) == Done()
    notices = (await site.harness.messages())[before:]
    assert [(one.to, one.template, one.code) for one in notices] == [
        (PHONE, Template.ACCOUNT_DELETED, ""),
        (EMAIL, Template.ACCOUNT_DELETED, ""),
    ]
    await site.harness.add_account("claims", phone=OTHER_PHONE, password=PASSWORD, verified=False)
    before = len(await site.harness.messages())
    assert await delete(site, await site.login("claims")) == Done()
    assert len(await site.harness.messages()) == before


async def test_what_waits_to_be_sent_is_gone_and_what_was_sent_is_not(site: Site) -> None:
    mine, _ = await everything(site)
    site.clock.advance(2 * MINUTE)
    assert await site.ask_code(PHONE, Purpose.RESET, site.elsewhere()) == CodeSent()
    assert await site.ask_code(OTHER_PHONE, Purpose.LOGIN, site.elsewhere()) == CodeSent()
    (theirs, others) = await site.store.read.outbox.list_all()
    assert await delete(site, mine) == Done()
    left = [stored.message_id for stored in await site.store.read.outbox.list_all()]
    assert theirs.message_id not in left
    assert left[0] == others.message_id
    assert len(left) == 3


@pytest.mark.attack("AD-9")
async def test_a_fresh_login_is_no_proof(site: Site) -> None:
    mine, shop = await everything(site)
    for _ in range(50):
        assert await delete(site, mine, None) == PROOF_REQUIRED
    for wrong in (WRONG, "", PASSWORD + " ", "x" * 2000, "\ud800"):
        assert await delete(site, mine, wrong) == WRONG_CREDENTIALS
    assert await delete(site, mine, None, "") == WRONG_CODE
    assert await delete(site, mine, None, "000000") == WRONG_CODE
    assert await site.alive(mine, shop) == [True, True]
    assert (await site.account(mine)).active


@pytest.mark.attack("AD-9")
async def test_wrong_passwords_count_with_those_of_logins(site: Site) -> None:
    mine, _ = await everything(site)
    for _ in range(site.flows.policy.limits.pause_after):
        assert await delete(site, mine, WRONG) == WRONG_CREDENTIALS
    assert waits(await delete(site, mine)) == 15 * 60
    captcha = await site.captcha()
    assert code_of(await site.try_password(captcha=captcha)) is ProblemCode.TOO_MANY_REQUESTS
    site.clock.advance(15 * MINUTE)
    assert await delete(site, mine) == Done()


@pytest.mark.attack("AD-9")
async def test_guesses_by_a_stolen_session_suspend_the_password_there(site: Site) -> None:
    mine, _ = await everything(site)
    caller, there = await site.caller(mine), site.elsewhere()

    async def guess(password: str) -> Any:
        site.clock.advance(16 * MINUTE)
        return await site.flows.account.delete(Deletion(password), caller, there)

    # The first 80 failures in a row come from all over the world.
    for _ in range(8):
        await site.fail(10, origin=site.elsewhere())
    for _ in range(20):
        assert await guess(WRONG) == WRONG_CREDENTIALS
    assert await guess(PASSWORD) == Denied(ProblemCode.PASSWORD_SUSPENDED)
    (suspended,) = await site.events(tag=Tag.PASSWORD_SUSPENDED)
    assert (suspended.account_number, suspended.ip) == (mine.account.number, there.ip)
    assert await site.alive(mine) == [True]
    # Strangers' logins are suspended by them too: one count.
    assert code_of(await site.try_password(origin=site.elsewhere())) is ProblemCode.PASSWORD_SUSPENDED


@pytest.mark.attack("AD-9", "OT-5")
@pytest.mark.parametrize("subject", [PHONE, EMAIL])
async def test_a_code_to_the_present_phone_or_mailbox_proves_it(site: Site, subject: str) -> None:
    mine, _ = await everything(site)
    for purpose in (Purpose.LOGIN, Purpose.RESET, Purpose.BIND):
        assert await delete(site, mine, None, await site.code(subject, purpose)) == WRONG_CODE
    other = await site.code(OTHER_PHONE, Purpose.PROOF)
    assert await delete(site, mine, None, other) == WRONG_CODE
    before = len(await site.events(tag=Tag.CODE_REFUSED))
    code = await site.code(subject, Purpose.PROOF)
    assert await delete(site, mine, None, code) == Done()
    # A right code of the mailbox is no wrong one of the phone.
    assert len(await site.events(tag=Tag.CODE_REFUSED)) == before
    assert (await site.events(mine.account, Tag.ACCOUNT_CLOSED))[0].reason == "code"
    assert await site.alive(mine) == [False]


@pytest.mark.attack("AD-9", "OT-1")
async def test_guesses_of_a_code_end_it(site: Site) -> None:
    mine, _ = await everything(site)
    code = await site.code(purpose=Purpose.PROOF, origin=site.origin())
    for _ in range(5):
        assert await delete(site, mine, None, site.wrong(code)) == WRONG_CODE
    assert await delete(site, mine, None, code) == WRONG_CODE


@pytest.mark.attack("OT-6")
async def test_a_claimed_phone_proves_nothing(site: Site) -> None:
    await site.harness.add_account("claims", phone=PHONE, password=PASSWORD, verified=False)
    mine = await site.login("claims")
    assert await delete(site, mine, None, await site.code(purpose=Purpose.PROOF)) == PROOF_REQUIRED


async def test_who_has_no_password_proves_it_by_a_code(site: Site) -> None:
    mine = await site.login_code()
    for wrong in ("", "null", PASSWORD):
        assert await delete(site, mine, wrong) == WRONG_CREDENTIALS
    assert await delete(site, mine, None, await site.code(purpose=Purpose.PROOF)) == Done()
    # The number is free: who proves it is somebody new.
    again = await site.login_code()
    assert again.account.number > mine.account.number


@pytest.mark.attack("AD-9", "OT-12")
async def test_deleting_refills_no_limit_of_a_number(site: Site) -> None:
    """Else who deletes and registers in turn could have any number of messages sent."""
    await site.kevin()
    sent, limits = 0, site.flows.policy.limits
    for _ in range(limits.send_per_hour):
        site.clock.advance(61_000)
        sent += await site.ask_code(PHONE, Purpose.LOGIN, site.elsewhere()) == CodeSent()
    assert sent == limits.send_per_hour
    assert await delete(site, await site.login()) == Done()
    site.clock.advance(61_000)
    assert waits(await site.ask_code(PHONE, Purpose.LOGIN, site.elsewhere()))


async def test_a_second_call_finds_no_session(site: Site) -> None:
    mine, _ = await everything(site)
    caller = await site.caller(mine)
    assert await site.flows.account.delete(Deletion(PASSWORD), caller, site.origin()) == Done()
    assert await site.flows.sessions.authenticate(mine.token) == Denied(ProblemCode.UNAUTHENTICATED)
    with pytest.raises(Problem, match="the session ended"):
        await site.flows.account.delete(Deletion(PASSWORD), caller, site.origin())
    assert len(await site.events(mine.account, Tag.ACCOUNT_CLOSED)) == 1
    assert [m.template for m in await site.harness.messages()].count(Template.ACCOUNT_DELETED) == 2


def changing_before(site: Site, turn: str, mine: Granted) -> Site:
    """Give the installation, where the same session changes the password just before the transaction `turn`."""

    async def write(work: Any) -> Any:
        if name_of(work) == turn:
            ask = PasswordChange(PASSWORD, NEW)
            assert await site.flows.account.change_password(ask, await site.caller(mine), site.origin()) == Done()
        return await site.store.write(work)

    return site.over(store=Substitute(site.store, write=write))


@pytest.mark.attack("RACE-14")
async def test_a_proof_that_died_meanwhile_deletes_nothing(site: Site) -> None:
    mine, _ = await everything(site)
    caller, code = await site.caller(mine), await site.code(purpose=Purpose.PROOF)
    slow = changing_before(site, "after_proof.work", mine)
    assert await slow.flows.account.delete(Deletion(None, code), caller, site.origin()) == WRONG_CODE
    events = await site.events(tag=Tag.CODE_REFUSED)
    assert [event.reason for event in events] == ["proof:ended_meanwhile"]
    assert (await site.account(mine)).active
    assert await site.alive(mine) == [True]


@pytest.mark.attack("RACE-14")
async def test_a_password_that_changed_meanwhile_deletes_nothing(site: Site) -> None:
    mine, _ = await everything(site)
    caller = await site.caller(mine)
    slow = changing_before(site, "after_proof.work", mine)
    assert await slow.flows.account.delete(Deletion(PASSWORD), caller, site.origin()) == WRONG_CREDENTIALS
    assert (await site.account(mine)).active


async def test_a_proof_is_spent_though_the_deletion_fails(site: Site) -> None:
    mine, _ = await everything(site)
    caller, code = await site.caller(mine), await site.code(purpose=Purpose.PROOF)

    async def write(work: Any) -> Any:
        if name_of(work) == "after_proof.work":
            raise Problem(ProblemCode.UNAVAILABLE)
        return await site.store.write(work)

    broken = site.over(store=Substitute(site.store, write=write))
    with pytest.raises(Problem, match="unavailable"):
        await broken.flows.account.delete(Deletion(None, code), caller, site.origin())
    assert await delete(site, mine, None, code) == WRONG_CODE
    assert (await site.account(mine)).active


async def test_an_operator_deletes_as_much_and_tells_nobody(site: Site) -> None:
    mine, shop = await everything(site)
    site.clock.advance(HOUR)
    await site.ask_code(PHONE, Purpose.RESET, site.elsewhere())
    await admin_accounts.close_account("kevin", store=site.store, world=site.clock)
    assert await site.alive(mine, shop) == [False, False]
    closed = await site.account(mine)
    assert (closed.status, closed.phone, closed.profile) == (Status.CLOSED, None, Profile())
    assert list(await site.store.read.devices.list_of(closed.number)) == []
    assert await site.harness.messages() == []
    last = (await site.events(closed))[-1]
    assert (last.tag, last.source, last.reason) == (Tag.ACCOUNT_CLOSED, "admin", "")


@pytest.mark.attack("AD-9", "OT-1")
async def test_a_guess_counts_though_no_code_was_sent(site: Site) -> None:
    mine, _ = await everything(site)
    most = site.flows.policy.limits.verify_per_network
    answers = [await delete(site, mine, None, "000000") for _ in range(most + 1)]
    assert answers[:most] == [WRONG_CODE] * most
    assert code_of(answers[most]) is ProblemCode.TOO_MANY_REQUESTS
