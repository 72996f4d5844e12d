"""Logins with a passkey: whose it is, what is refused, and what is counted.

(docs/contracts/factors.md section 6, docs/security/attacks.md PK-2, PK-4, MF-5, MF-6, TK-10.)
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.core.account.accounts import Account
from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.asks import PasskeyLogin
from menshen.core.factors.passkeys import CHALLENGE_LIFETIME
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import MINUTE
from menshen.flows.admin.epoch import raise_epoch
from tests.attacks.rows import counts
from tests.flows.factors.passkey_site import answer, asked, enrolled, here, login_key, try_key
from tests.flows.site import AWAY, OTHER_PHONE, Site
from tests.softkey import BE, BS, UP, UV, SoftKey, b64

WRONG = Denied(ProblemCode.WRONG_PASSKEY)
UNKNOWN = Denied(ProblemCode.PASSKEY_UNKNOWN)
EXPIRED = Denied(ProblemCode.CHALLENGE_EXPIRED)


async def owner(site: Site, key: SoftKey, username: str = "kevin", phone: str | None = None) -> Account:
    """An account whose owner registered this key."""
    account = await (site.kevin() if username == "kevin" else site.kevin(username=username, phone=phone, email=None))
    await enrolled(site, await site.caller(await site.login(username)), key)
    return account


async def test_a_passkey_opens_a_session_of_level_two(site: Site) -> None:
    key = SoftKey(flags=UP | UV | BE | BS)
    account = await owner(site, key)
    got = await login_key(site, key)
    assert (got.account.number, got.began) == (account.number, "passkey")
    assert (got.session.level, got.session.methods, got.session.second_at) == (2, "swk user", site.clock.now())
    assert (await site.events(account, Tag.LOGIN_SUCCEEDED))[-1].reason == "passkey"
    assert await site.alive(got) == [True]


async def test_a_login_that_needs_two_proofs_asks_for_no_step(site: Site) -> None:
    key = SoftKey()
    account = await owner(site, key)
    await site.store.write(
        lambda tx: tx.accounts.change_factors(account.number, now=site.clock.now(), second_step=True)
    )
    assert (await login_key(site, key)).session.methods == "hwk user"


@pytest.mark.attack("TK-10")
async def test_who_asks_for_options_leaves_no_row(site: Site) -> None:
    before = counts(site.harness)
    seen = {(await asked(site))["challenge"] for _ in range(50)}
    assert len(seen) == 50
    assert counts(site.harness) == before
    assert len(before) > 10


@pytest.mark.attack("PK-2")
async def test_a_challenge_is_good_once_and_for_five_minutes(site: Site) -> None:
    key = SoftKey()
    await owner(site, key)
    credential = key.get(await asked(site))
    assert isinstance(await answer(site, credential), Granted)
    assert await answer(site, credential) == EXPIRED
    again = key.get(await asked(site))
    site.clock.advance(CHALLENGE_LIFETIME - 1)
    assert isinstance(await answer(site, again), Granted)
    late = key.get(await asked(site))
    site.clock.advance(CHALLENGE_LIFETIME)
    assert await answer(site, late) == EXPIRED


@pytest.mark.attack("PK-2")
async def test_a_wrong_answer_spends_its_challenge(site: Site) -> None:
    key = SoftKey()
    await owner(site, key)
    options = await asked(site)
    assert await answer(site, key.get(options, signature=b"\0" * 64)) == WRONG
    assert await answer(site, key.get(options)) == EXPIRED


@pytest.mark.attack("PK-2")
async def test_a_challenge_of_another_app_or_domain_is_refused(site: Site) -> None:
    key = SoftKey()
    await owner(site, key)
    other = await site.harness.add_app("other")
    options = await asked(site, site.origin(app=other))
    assert await answer(site, key.get(options)) == WRONG
    elsewhere = here(site, at="https://other.example")
    made = await site.flows.login.passkey_options(elsewhere)
    assert not isinstance(made, Denied)
    assert made.options["rpId"] == "other.example"
    assert await answer(site, key.get(made.options)) == WRONG
    assert await answer(site, key.get(await asked(site), challenge=b64(b"\0" * 40))) == WRONG


async def test_a_challenge_of_an_older_epoch_is_refused(site: Site) -> None:
    key = SoftKey()
    await owner(site, key)
    options = await asked(site)
    site.clock.advance(1000)
    await raise_epoch(store=site.store, world=site.clock)
    assert await answer(site, key.get(options)) == EXPIRED


async def test_an_unknown_passkey_is_called_so_and_the_page_may_forget_it(site: Site) -> None:
    key = SoftKey(handle=b"u" * 32)
    await site.kevin()
    assert await try_key(site, key) == UNKNOWN


@pytest.mark.attack("PK-4")
@pytest.mark.attack("MF-5")
async def test_a_passkey_is_of_the_account_whose_handle_it_names(site: Site) -> None:
    key, other = SoftKey(), SoftKey()
    await owner(site, key)
    await owner(site, other, "other", OTHER_PHONE)
    for handle in (b"", other.handle, key.handle[:-1], key.handle + b"\0", b"u" * 64):
        assert await try_key(site, key, handle=handle) == WRONG
    assert await try_key(site, key, id=b64(other.credential), rawId=b64(other.credential)) == WRONG
    assert isinstance(await try_key(site, key), Granted)


@pytest.mark.attack("MF-6")
@pytest.mark.parametrize("key", [SoftKey(flags=UP), SoftKey(rk=False)], ids=["no user verified", "not discoverable"])
async def test_a_key_for_steps_alone_logs_nobody_in(site: Site, key: SoftKey) -> None:
    await owner(site, key)
    assert await try_key(site, key) == WRONG
    assert await try_key(site, key, flags=UP | UV) == WRONG


@pytest.mark.attack("PK-3")
async def test_a_login_needs_a_verified_user(site: Site) -> None:
    key = SoftKey()
    await owner(site, key)
    assert await try_key(site, key, flags=UP) == WRONG
    assert await try_key(site, key, origin=site.origin(AWAY), crossOrigin=True) == WRONG


@pytest.mark.attack("PK-3")
async def test_a_copied_key_is_refused_and_its_owner_notified(site: Site) -> None:
    key = SoftKey(counter=5)
    account = await owner(site, key)
    assert isinstance(await try_key(site, key, counter=6), Granted)
    for counter in (6, 5, 0):
        assert await try_key(site, key, counter=counter) == WRONG
    assert [event.reason for event in await site.events(account, Tag.PASSKEY_CLONE_SUSPECTED)] == ["refused"] * 3
    # A further notice of one kind takes the place of one that waits: each proved channel has one.
    notices = [each for each in await site.harness.messages() if each.template is Template.PASSKEY_COPIED]
    assert {each.to for each in notices} == set(account.proved)
    assert isinstance(await try_key(site, key, counter=7), Granted)


async def test_a_signature_is_judged_before_the_counter(site: Site) -> None:
    key = SoftKey(counter=5)
    account = await owner(site, key)
    assert await try_key(site, key, counter=1, signature=b"\0" * 64) == WRONG
    assert await site.events(account, Tag.PASSKEY_CLONE_SUSPECTED) == [], "no stranger raises an alarm"


async def test_the_counter_of_a_synced_key_is_noted_alone(site: Site) -> None:
    key = SoftKey(flags=UP | UV | BE, counter=5)
    account = await owner(site, key)
    assert isinstance(await try_key(site, key, counter=3), Granted)
    assert [event.reason for event in await site.events(account, Tag.PASSKEY_CLONE_SUSPECTED)] == ["noted"]
    (kept,) = await site.store.read.passkeys.list_of(account.number)
    assert (kept.counter, kept.used_at) == (5, site.clock.now())


async def test_keys_that_do_not_count_go_on(site: Site) -> None:
    key = SoftKey()
    account = await owner(site, key)
    for _ in range(3):
        await login_key(site, key)
    assert await site.events(account, Tag.PASSKEY_CLONE_SUSPECTED) == []


async def test_a_disabled_account_answers_as_a_wrong_passkey(site: Site) -> None:
    key = SoftKey()
    account = await owner(site, key)
    await site.harness.disable("kevin")
    assert await try_key(site, key) == WRONG, "the page must not remove a passkey that is good again tomorrow"
    assert (await site.events(account))[-1].tag is Tag.LOGIN_REFUSED


async def test_a_removed_passkey_is_unknown(site: Site) -> None:
    key = SoftKey()
    account = await owner(site, key)
    await site.store.write(lambda tx: tx.passkeys.remove_all(account.number))
    assert await try_key(site, key) == UNKNOWN


async def test_many_wrong_ones_of_a_network_need_a_captcha(site: Site) -> None:
    key, limit = SoftKey(), site.harness.assembled.policy.limits.passkey_tries_per_network
    await owner(site, key)
    for _ in range(limit - 1):
        assert await try_key(site, key, handle=b"u" * 32) == WRONG
    assert isinstance(await try_key(site, key), Granted), "a right one is taken back"
    assert await try_key(site, SoftKey(handle=b"u" * 32)) == UNKNOWN
    required = Denied(ProblemCode.CAPTCHA_REQUIRED)
    assert [await try_key(site, key) for _ in range(3)] == [required] * 3
    assert isinstance(await try_key(site, key, site.origin(AWAY)), Granted), "other networks go on"
    solved = PasskeyLogin(key.get(await asked(site)), captcha=await site.captcha())
    assert isinstance(await site.flows.login.passkey(solved, here(site)), Granted)
    site.clock.advance(15 * MINUTE)
    assert isinstance(await try_key(site, key), Granted)


async def test_an_app_that_asks_for_no_captcha_asks_for_none(site: Site) -> None:
    await site.harness.change_app(captcha=CaptchaRule.NEVER)
    key, limit = SoftKey(), site.harness.assembled.policy.limits.passkey_tries_per_network
    await owner(site, key)
    for _ in range(limit + 1):
        assert await try_key(site, key, handle=b"u" * 32) == WRONG
    assert isinstance(await try_key(site, key), Granted)


async def test_pages_that_lay_open_are_no_guesses(site: Site) -> None:
    key, limit = SoftKey(), site.harness.assembled.policy.limits.passkey_tries_per_network
    await owner(site, key)
    credential = key.get(await asked(site))
    site.clock.advance(CHALLENGE_LIFETIME)
    assert [await answer(site, credential) for _ in range(limit + 2)] == [EXPIRED] * (limit + 2)
    assert isinstance(await try_key(site, key), Granted)


JUNK: list[Any] = [{}, {"id": 1}, {"type": "public-key", "response": []}, {"id": "é", "rawId": "é", "response": {}}]


@pytest.mark.parametrize("junk", JUNK)
async def test_junk_is_a_wrong_passkey(site: Site, junk: Any) -> None:
    assert await answer(site, junk) == WRONG


@pytest.mark.attack("PK-2")
async def test_one_challenge_opens_one_session(two: list[Site]) -> None:
    site, key = two[0], SoftKey()
    account = await owner(site, key)
    before = len(await site.sessions(account))
    credential = key.get(await asked(site))
    outcomes = await asyncio.gather(*(answer(two[n % 2], credential) for n in range(50)))
    assert sum(isinstance(each, Granted) for each in outcomes) == 1
    refused = {each.code for each in outcomes if isinstance(each, Denied)}
    assert refused <= {ProblemCode.CHALLENGE_EXPIRED, ProblemCode.CAPTCHA_REQUIRED}
    assert len(await site.sessions(account)) == before + 1


async def test_one_counter_opens_one_session(two: list[Site]) -> None:
    site, key = two[0], SoftKey(counter=5)
    account = await owner(site, key)
    credentials = [key.get(await asked(site), counter=6) for _ in range(20)]
    outcomes = await asyncio.gather(*(answer(two[n % 2], each) for n, each in enumerate(credentials)))
    assert sum(isinstance(each, Granted) for each in outcomes) == 1
    (kept,) = await site.store.read.passkeys.list_of(account.number)
    assert kept.counter == 6
