"""Register, rename and remove passkeys in a session, and what each change does to the account.

(docs/contracts/factors.md sections 6, 8 and 10, docs/security/attacks.md MF-4, MF-5, MF-14, PK-2, PK-4.)
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.apps import SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import NewPasskey
from menshen.core.factors.outcomes import Enrolled
from menshen.core.factors.passkeys import CHALLENGE_LIFETIME, HANDLE_BYTES, MOST, Passkey
from menshen.core.factors.recovery_codes import HOW_MANY, mac_of, read_code
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import FRESH_FOR
from menshen.core.time import Instant
from tests.flows.factors.passkey_site import creation, enrol, enrolled, here, login_key
from tests.flows.site import OTHER_PHONE, PHONE, Site
from tests.softkey import BE, UP, UV, SoftKey, unb64

WRONG = Denied(ProblemCode.WRONG_PASSKEY)
PROOF = Denied(ProblemCode.PROOF_REQUIRED)
FORBIDDEN = Denied(ProblemCode.FORBIDDEN)
NOT_FOUND = Denied(ProblemCode.NOT_FOUND)


async def caller_of(site: Site, username: str = "kevin", **given: Any) -> Authenticated:
    await site.kevin(username=username, **given)
    return await site.caller(await site.login(username))


async def again(site: Site, caller: Authenticated) -> Authenticated:
    """The same session, as its row is now."""
    session = next(each for each in await site.sessions(caller.account) if each.session_id == caller.session.session_id)
    return Authenticated(session, await site.account(caller.account))


async def passkeys(site: Site, caller: Authenticated) -> list[Passkey]:
    return list(await site.store.read.passkeys.list_of(caller.account.number))


async def test_a_first_passkey_comes_with_recovery_codes_and_raises_the_session(site: Site) -> None:
    caller = await caller_of(site)
    other = await site.login()
    key = SoftKey(flags=UP | UV | BE)
    got = await enrol(site, caller, key, "  我的\u200b手机 ")
    assert isinstance(got, Enrolled)
    assert got.passkey is not None
    assert (got.passkey.name, got.passkey.step_only, got.passkey.synced) == ("我的手机", False, True)
    assert (got.passkey.rp_id, got.passkey.transports) == ("login.example", "hybrid internal")
    assert len(set(got.recovery_codes)) == HOW_MANY
    number, keyring = caller.account.number, site.harness.assembled.keyring
    for code in got.recovery_codes[:1]:
        mac = mac_of(keyring, number, read_code(code) or "")
        assert await site.store.write(lambda tx, mac=mac: tx.recovery_codes.spend(number, mac, site.clock.now()))
    session = (await again(site, caller)).session
    assert (session.level, session.methods, session.second_at) == (2, "pwd swk user", site.clock.now())
    assert await site.alive(other) == [False]
    assert (await site.account(number)).factors_version == caller.account.factors_version + 1
    added = (await site.events(caller.account, Tag.FACTOR_ADDED))[0]
    assert added.reason == "passkey"
    told = [each.to for each in await site.harness.messages() if each.template is Template.FACTOR_ADDED]
    assert set(told) == set(caller.account.proved)
    for code in got.recovery_codes:
        site.harness.canary.learn("recovery code", code)


async def test_a_second_passkey_brings_no_codes_and_shares_the_handle(site: Site) -> None:
    caller = await caller_of(site)
    first, second = SoftKey(), SoftKey()
    kept = await enrolled(site, caller, first)
    options = await creation(site, caller)
    assert [unb64(each["id"]) for each in options["excludeCredentials"]] == [kept.credential]
    got = await enrol(site, caller, second)
    assert isinstance(got, Enrolled)
    assert got.recovery_codes == ()
    assert first.handle == second.handle
    assert len(first.handle) == HANDLE_BYTES
    assert sorted(each.name for each in await passkeys(site, caller)) == ["Passkey 1", "Passkey 2"]
    assert caller.account.public_id.encode() not in first.handle


async def test_a_key_that_verifies_no_user_raises_nothing(site: Site) -> None:
    caller = await caller_of(site)
    got = await enrolled(site, caller, SoftKey(flags=UP, rk=False))
    assert got.step_only
    assert (await again(site, caller)).session.level == 1


@pytest.mark.attack("MF-4")
async def test_a_stale_session_may_only_look(site: Site) -> None:
    caller = await caller_of(site)
    kept = await enrolled(site, caller, SoftKey())
    options = await creation(site, caller)
    site.clock.advance(FRESH_FOR)
    caller, origin = await again(site, caller), here(site)
    before = await site.account(caller.account)
    assert await site.flows.factors.new_passkey_options(caller, origin) == PROOF
    assert await site.flows.factors.add_passkey(NewPasskey(SoftKey().create(options)), caller, origin) == PROOF
    assert await site.flows.factors.rename_passkey(kept.passkey_id, "x", caller, origin) == PROOF
    assert await site.flows.factors.remove_passkey(kept.passkey_id, caller, origin) == PROOF
    assert await passkeys(site, caller) == [kept]
    assert await site.account(caller.account) == before


@pytest.mark.attack("PK-5")
async def test_with_a_second_step_only_a_factor_is_proof_enough(site: Site) -> None:
    caller = await caller_of(site)
    kept = await enrolled(site, caller, SoftKey(flags=UP, rk=False))
    number, now = caller.account.number, site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(number, now=now, second_step=True))
    caller = await again(site, caller)
    assert caller.session.fresh(now), "its password was just typed"
    assert await site.flows.factors.remove_passkey(kept.passkey_id, caller, here(site)) == PROOF
    assert await site.flows.factors.new_passkey_options(caller, here(site)) == PROOF


@pytest.mark.attack("MF-5")
@pytest.mark.attack("PK-2")
async def test_a_challenge_is_of_one_session_and_one_ceremony(site: Site) -> None:
    caller, other = await caller_of(site), await caller_of(site, "other", phone=OTHER_PHONE, email=None)
    made = SoftKey().create(await creation(site, other))
    assert await site.flows.factors.add_passkey(NewPasskey(made), caller, here(site)) == WRONG
    assert isinstance(await site.flows.factors.add_passkey(NewPasskey(made), other, here(site)), Enrolled)
    options = await site.flows.login.passkey_options(here(site))
    assert not isinstance(options, Denied)
    login = {"rp": {"id": "login.example"}, "user": {"id": "AAAA"}, "challenge": options.options["challenge"]}
    assert await site.flows.factors.add_passkey(NewPasskey(SoftKey().create(login)), caller, here(site)) == WRONG


async def test_a_challenge_is_good_once_and_for_five_minutes(site: Site) -> None:
    caller = await caller_of(site)
    expired = Denied(ProblemCode.CHALLENGE_EXPIRED)
    made = NewPasskey(SoftKey().create(await creation(site, caller)))
    assert isinstance(await site.flows.factors.add_passkey(made, caller, here(site)), Enrolled)
    assert await site.flows.factors.add_passkey(made, caller, here(site)) == expired
    late = NewPasskey(SoftKey().create(await creation(site, caller)))
    site.clock.advance(CHALLENGE_LIFETIME)
    assert await site.flows.factors.add_passkey(late, await again(site, caller), here(site)) == expired


async def test_a_wrong_registration_changes_nothing(site: Site) -> None:
    caller = await caller_of(site)
    before = await site.account(caller.account)
    for changes in ({"origin": "https://evil.example"}, {"rp": "evil.example"}, {"type": "webauthn.get"}):
        assert await enrol(site, caller, SoftKey(), **changes) == WRONG
    assert await passkeys(site, caller) == []
    assert await site.store.read.recovery_codes.left(before.number) == 0
    assert await site.account(before) == before


@pytest.mark.attack("PK-4")
async def test_a_credential_belongs_to_one_account(site: Site) -> None:
    caller, other = await caller_of(site), await caller_of(site, "other", phone=OTHER_PHONE, email=None)
    key = SoftKey()
    await enrolled(site, caller, key)
    taken = Denied(ProblemCode.ALREADY_TAKEN)
    assert await enrol(site, other, replace(key, handle=b"")) == taken
    assert await enrol(site, other, SoftKey(credential=key.credential)) == taken
    assert await enrol(site, caller, key) == taken
    assert await site.store.read.recovery_codes.left(other.account.number) == 0
    assert (await login_key(site, key)).account.number == caller.account.number


async def test_twenty_passkeys_are_the_most(site: Site) -> None:
    caller = await caller_of(site)
    await enrolled(site, caller, SoftKey())
    options = await creation(site, caller)
    for number in range(MOST - 1):
        await stored(site, caller.account, number)
    assert await site.flows.factors.new_passkey_options(caller, here(site)) == FORBIDDEN
    assert await site.flows.factors.add_passkey(NewPasskey(SoftKey().create(options)), caller, here(site)) == FORBIDDEN


async def stored(site: Site, account: Account, number: int, *, step_only: bool = False) -> Passkey:
    """A passkey as its row, without a ceremony."""
    made = Passkey(
        f"id{number}", account.number, b"%16d" % number, b"", "login.example", "", 0, False, False, step_only, "",
        Instant(number),
    )  # fmt: skip
    assert await site.store.write(lambda tx: tx.passkeys.add(made))
    return made


@pytest.mark.parametrize("rule", [{"second_factor": SecondFactorRule.OFF}, {"factors": "totp recovery"}], ids=str)
async def test_an_app_may_have_no_passkeys_to_enrol(site: Site, rule: dict[str, Any]) -> None:
    caller = await caller_of(site)
    options = await creation(site, caller)
    await site.harness.change_app(**rule)
    assert await site.flows.factors.new_passkey_options(caller, here(site)) == FORBIDDEN
    assert await site.flows.factors.add_passkey(NewPasskey(SoftKey().create(options)), caller, here(site)) == FORBIDDEN


@pytest.mark.parametrize("name", ["x" * 65, "a\nb", "a\ud800", "\x7f"])
async def test_names_are_plain_and_short(site: Site, name: str) -> None:
    caller = await caller_of(site)
    refused = Denied(ProblemCode.INVALID_REQUEST, field="name")
    assert await enrol(site, caller, SoftKey(), name) == refused
    kept = await enrolled(site, caller, SoftKey(), "x" * 64)
    assert await site.flows.factors.rename_passkey(kept.passkey_id, name, caller, here(site)) == refused
    assert await passkeys(site, caller) == [kept]


async def test_a_passkey_is_renamed_by_its_owner_alone(site: Site) -> None:
    caller, other = await caller_of(site), await caller_of(site, "other", phone=OTHER_PHONE, email=None)
    kept = await enrolled(site, caller, SoftKey())
    rename = site.flows.factors.rename_passkey
    assert await rename(kept.passkey_id, "mine", other, here(site)) == NOT_FOUND
    assert await rename("no such id", "mine", caller, here(site)) == NOT_FOUND
    assert await rename(kept.passkey_id, " ", caller, here(site)) == Denied(ProblemCode.INVALID_REQUEST, field="name")
    assert await rename(kept.passkey_id, "钥匙 ", caller, here(site)) == Done()
    assert [each.name for each in await passkeys(site, caller)] == ["钥匙"]
    assert Tag.FACTOR_RENAMED in await site.tags(caller.account)
    assert (await site.account(caller.account)).factors_version == caller.account.factors_version + 2


async def test_a_removed_passkey_ends_other_sessions_and_its_owner_is_notified(site: Site) -> None:
    caller, key = await caller_of(site), SoftKey()
    kept = await enrolled(site, caller, key)
    other = await login_key(site, key)
    number, now = caller.account.number, site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(number, now=now, second_step=True))
    caller = await again(site, caller)
    assert await site.flows.factors.remove_passkey(kept.passkey_id, caller, here(site)) == Done()
    assert await passkeys(site, caller) == []
    assert await site.alive(other) == [False]
    assert (await site.account(number)).second_step is False, "nothing is left that could be a second step"
    assert await site.store.read.recovery_codes.left(number) == 0
    assert (await site.events(caller.account, Tag.FACTOR_REMOVED))[0].reason == "passkey"
    told = {each.to for each in await site.harness.messages() if each.template is Template.FACTOR_REMOVED}
    assert told == set(caller.account.proved)
    assert await site.flows.factors.remove_passkey(kept.passkey_id, caller, here(site)) == NOT_FOUND


async def test_a_factor_that_stays_keeps_the_second_step_and_the_codes(site: Site) -> None:
    caller = await caller_of(site)
    first, second = await enrolled(site, caller, SoftKey()), await enrolled(site, caller, SoftKey())
    number, now = caller.account.number, site.clock.now()
    await site.store.write(lambda tx: tx.accounts.change_factors(number, now=now, second_step=True))
    caller = await again(site, caller)
    assert await site.flows.factors.remove_passkey(first.passkey_id, caller, here(site)) == Done()
    assert await passkeys(site, caller) == [second]
    assert (await site.account(number)).second_step is True
    assert await site.store.read.recovery_codes.left(number) == HOW_MANY


async def test_passkeys_of_others_are_not_found(site: Site) -> None:
    caller, other = await caller_of(site), await caller_of(site, "other", phone=OTHER_PHONE, email=None)
    kept = await enrolled(site, caller, SoftKey())
    assert await site.flows.factors.remove_passkey(kept.passkey_id, other, here(site)) == NOT_FOUND
    assert await passkeys(site, caller) == [kept]


async def test_the_last_factor_stays_where_the_app_asks_for_two_proofs(site: Site) -> None:
    caller = await caller_of(site)
    first, second = await enrolled(site, caller, SoftKey()), await enrolled(site, caller, SoftKey())
    await site.harness.change_app(second_factor=SecondFactorRule.REQUIRED)
    caller = await again(site, caller)
    assert await site.flows.factors.remove_passkey(first.passkey_id, caller, here(site)) == Done()
    assert await site.flows.factors.remove_passkey(second.passkey_id, caller, here(site)) == FORBIDDEN
    assert await passkeys(site, caller) == [second]


async def test_a_session_that_ended_changes_nothing(site: Site) -> None:
    caller = await caller_of(site)
    kept = await enrolled(site, caller, SoftKey())
    made = NewPasskey(SoftKey().create(await creation(site, caller)))
    await site.flows.sessions.log_out(caller, here(site))
    for call in (
        site.flows.factors.new_passkey_options(caller, here(site)),
        site.flows.factors.add_passkey(made, caller, here(site)),
        site.flows.factors.rename_passkey(kept.passkey_id, "x", caller, here(site)),
        site.flows.factors.remove_passkey(kept.passkey_id, caller, here(site)),
    ):
        with pytest.raises(Problem) as raised:
            await call
        assert raised.value.denied.code is ProblemCode.UNAUTHENTICATED
    assert await passkeys(site, caller) == [kept]


@pytest.mark.attack("MF-14")
async def test_of_the_last_ways_in_one_remains(two: list[Site]) -> None:
    site = two[0]
    account = await site.harness.add_account(username="kevin")
    keys = [await stored(site, account, number) for number in range(4)]
    await stored(site, account, 4, step_only=True)
    session = replace((await other_session(site)).session, account_number=account.number)
    await site.store.write(lambda tx: tx.sessions.open(session, b"t" * 32, None, most=9))
    caller = Authenticated(session, account)
    calls = [
        two[n % 2].flows.factors.remove_passkey(keys[n % 4].passkey_id, caller, here(two[n % 2])) for n in range(50)
    ]
    outcomes = await asyncio.gather(*calls)
    assert outcomes.count(Done()) == 3
    left = [each for each in await passkeys(site, caller) if not each.step_only]
    assert len(left) == 1


async def other_session(site: Site) -> Authenticated:
    """A session of another account, whose data a test borrows."""
    caller = await caller_of(site, "other", phone=PHONE, email=None)
    await site.flows.sessions.log_out(caller, here(site))
    return caller


async def test_one_registration_stores_one_passkey(two: list[Site]) -> None:
    site = two[0]
    caller = await caller_of(site)
    made = NewPasskey(SoftKey().create(await creation(site, caller)))
    outcomes = await asyncio.gather(
        *(two[n % 2].flows.factors.add_passkey(made, caller, here(two[n % 2])) for n in range(20))
    )
    assert sum(isinstance(each, Enrolled) for each in outcomes) == 1
    assert len(await passkeys(site, caller)) == 1


async def test_first_passkeys_at_once_give_one_set_of_codes(two: list[Site]) -> None:
    site = two[0]
    caller = await caller_of(site)
    made = [NewPasskey(SoftKey().create(await creation(site, caller))) for _ in range(10)]
    outcomes = await asyncio.gather(
        *(two[n % 2].flows.factors.add_passkey(one, caller, here(two[n % 2])) for n, one in enumerate(made))
    )
    sets = [each.recovery_codes for each in outcomes if isinstance(each, Enrolled) and each.recovery_codes]
    assert len(sets) == 1
    assert len(await passkeys(site, caller)) == 10
    assert await site.store.read.recovery_codes.left(caller.account.number) == HOW_MANY
