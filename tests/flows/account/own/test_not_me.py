"""The link "that was not me": who gets one, what it ends, and that it is good once."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from menshen.core.account.asks import Bind, Deletion, PasswordChange
from menshen.core.account.security_links import LIFETIME, NotMe, SecurityLink
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Message, Template
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import HOUR
from menshen.core.tokens import digest
from tests.flows.account.calls import reset
from tests.flows.account.own.life import paged
from tests.flows.account.stepped import give_factors, kept, prove_factor, stepped
from tests.flows.site import EMAIL, NEW, OTHER_EMAIL, PASSWORD, PHONE, Site

NOT_FOUND = Denied(ProblemCode.NOT_FOUND)
PAGES = "https://login.example"


async def changed(site: Site, who: Granted, old: str = PASSWORD, new: str = NEW) -> Message:
    """Change the password at an app with pages, and return the mail about it."""
    ask = PasswordChange(old, new)
    assert await site.flows.account.change_password(ask, await site.caller(who), await paged(site)) == Done()
    return (await site.harness.messages())[-1]


def secret_in(site: Site, message: Message) -> str:
    found = re.fullmatch(rf"{PAGES}/not-me/([a-z0-9]{{26}})", message.link)
    assert found, message.link
    site.harness.canary.learn("secret of a link", found[1])
    return found[1]


async def use(site: Site, secret: str) -> Any:
    return await site.flows.account.not_me(secret, site.elsewhere())


async def test_it_ends_all_that_is_open_and_the_old_password(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    other, thief = await site.login(), await site.login()
    await give_factors(site, account)
    mail = await changed(site, thief)
    other = await site.login(password=NEW)
    code = await site.code(PHONE)
    secret = secret_in(site, mail)
    before = len(await site.harness.messages())
    link = await site.flows.account.find_link(secret, site.origin())
    assert isinstance(link, SecurityLink)
    assert (link.account_number, link.session_id) == (account.number, thief.session.session_id)
    assert await use(site, secret) == NotMe(password_ended=True)
    assert await site.alive(other, thief) == [False, False]
    assert (await kept(site, account)).trusted == (await kept(site, account)).pending == 0
    for old in (NEW, PASSWORD, ""):
        assert await site.try_password(password=old) == Denied(ProblemCode.WRONG_CREDENTIALS)
    assert await site.try_code(code) == Denied(ProblemCode.WRONG_CODE)
    (event,) = await site.events(account, Tag.NOT_ME)
    assert (event.reason, event.session_id) == ("password_ended", thief.session.session_id)
    told = [(one.to, one.template, one.link) for one in (await site.harness.messages())[before:]]
    assert told == [(PHONE, Template.NOT_ME_RESET, ""), (EMAIL, Template.NOT_ME_RESET, "")]
    # A reset is the way in, and factors protect as before.
    assert (await kept(site, account)).factors == (await kept(site, account)).passkeys == 1
    assert await reset(site, await site.code(PHONE, Purpose.RESET), new="a third word") == Done()
    assert (await site.login(password="a third word")).account.number == account.number


@pytest.mark.attack("AD-12")
async def test_a_link_is_good_once_whoever_races(each_site: Site) -> None:
    site = each_site
    await site.kevin()
    secret = secret_in(site, await changed(site, await site.login()))
    got = await asyncio.gather(*(use(site, secret) for _ in range(10)))
    assert sorted(map(str, got)) == sorted(map(str, [NotMe(password_ended=True), *[NOT_FOUND] * 9]))
    assert await reset(site, await site.code(PHONE, Purpose.RESET)) == Done()
    mine = await site.login(password=NEW)
    # The mail is replayed.
    assert await use(site, secret) == NOT_FOUND
    assert await site.flows.account.find_link(secret, site.origin()) == NOT_FOUND
    assert await site.alive(mine) == [True]
    assert len(await site.events(tag=Tag.NOT_ME)) == 1


@pytest.mark.attack("AD-12")
async def test_unknown_used_and_expired_look_alike(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    secret = secret_in(site, await changed(site, mine))
    for unknown in ("", "x" * 26, secret.upper(), f"{secret} ", secret[:-1], "\ud800", "\0" * 26, digest(secret).hex()):
        assert await use(site, unknown) == NOT_FOUND
        assert await site.flows.account.find_link(unknown, site.origin()) == NOT_FOUND
    site.clock.advance(LIFETIME - 1)
    assert isinstance(await site.flows.account.find_link(secret, site.origin()), SecurityLink)
    site.clock.advance(1)
    assert await use(site, secret) == NOT_FOUND
    assert await site.flows.account.find_link(secret, site.origin()) == NOT_FOUND
    assert await site.alive(mine) == [True]


@pytest.mark.attack("AD-12")
async def test_a_link_touches_its_own_account_alone_and_ends_with_an_epoch(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("other7", email=OTHER_EMAIL, password=PASSWORD)
    theirs = await site.login("other7")
    mine = await site.login()
    secret = secret_in(site, await changed(site, mine))
    assert await use(site, secret) == NotMe(password_ended=True)
    assert await site.alive(mine, theirs) == [False, True]
    assert (await site.login("other7")).account.number == theirs.account.number
    other = secret_in(site, await changed(site, await site.login("other7")))
    await site.store.write(lambda tx: tx.upkeep.raise_epoch(site.clock.now()))
    assert await use(site, other) == NOT_FOUND


@pytest.mark.attack("AD-12")
async def test_a_thief_who_replaced_the_mailbox_does_not_get_the_account_by_it(site: Site) -> None:
    """The old mailbox can reset nothing any more: the password is what the owner has left, and stays."""
    await site.harness.add_account("kevin", email=EMAIL, password=PASSWORD)
    thief = await site.login()
    code = await site.code(OTHER_EMAIL, Purpose.BIND)
    thief = await site.login()
    ask = Bind(Kind.EMAIL, OTHER_EMAIL, code)
    await site.flows.account.bind(ask, await site.caller(thief), await paged(site))
    mail = (await site.harness.messages())[-1]
    assert (mail.to, mail.template) == (EMAIL, Template.IDENTIFIER_CHANGED)
    assert await use(site, secret_in(site, mail)) == NotMe(password_ended=False)
    assert await site.alive(thief) == [False]
    assert (await site.login()).account.proved == (OTHER_EMAIL,)
    (event,) = await site.events(tag=Tag.NOT_ME)
    assert event.reason == "sessions_ended"
    assert (await site.harness.messages())[-1].template is Template.NOT_ME


@pytest.mark.attack("AD-12", "MF-4")
async def test_who_reads_the_mailbox_takes_no_second_step_away(site: Site) -> None:
    account, mine = await stepped(site)
    await prove_factor(site, mine)
    secret = secret_in(site, await changed(site, mine))
    assert await use(site, secret) == NotMe(password_ended=True)
    found = await site.account(account)
    assert found.second_step
    assert (await kept(site, account)).factors == 1
    assert await reset(site, await site.code(EMAIL, Purpose.RESET), EMAIL, NEW) == Done()
    assert not isinstance(await site.try_password(password=NEW), Granted | Denied), "a step is due"


async def test_only_mails_about_acts_carry_one_and_only_where_there_are_pages(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    ask = PasswordChange(PASSWORD, NEW)
    assert await site.flows.account.change_password(ask, await site.caller(mine), site.origin()) == Done()
    mail = (await site.harness.messages())[-1]
    assert (mail.link, mail.where) == ("", "198.51.100.0/24")
    code = await site.code(EMAIL)
    assert code
    assert (await site.harness.messages())[-1].link == ""
    mine = await site.login(password=NEW)
    before = len(await site.harness.messages())
    await site.flows.account.drop(Kind.PHONE, await site.caller(mine), await paged(site))
    sms, mail = (await site.harness.messages())[before:]
    assert (sms.link, sms.where) == ("", "")
    assert secret_in(site, mail)


@pytest.mark.attack("AD-12", "LG-1")
async def test_the_secret_is_in_no_row(site: Site) -> None:
    await site.kevin()
    secret = secret_in(site, await changed(site, await site.login()))
    with closing(sqlite3.connect(site.harness.data_dir / "menshen.db")) as file:
        assert secret not in "\n".join(file.iterdump())
        (kept_digest,) = file.execute("SELECT digest FROM security_links").fetchone()
    assert kept_digest == digest(secret)


async def test_a_closed_account_has_no_link_to_use(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login()
    secret = secret_in(site, await changed(site, mine))
    assert await site.flows.account.delete(Deletion(NEW), await site.caller(mine), site.origin()) == Done()
    assert await use(site, secret) == NOT_FOUND
    assert await site.store.write(lambda tx: tx.security_links.remove_all(account.number)) == 0


# --- a session that the owner does not know ---------------------------------------------------------------------------


async def disown(site: Site, who: Granted, session: Granted) -> Any:
    return await site.flows.sessions.disown(session.session.session_id, await site.caller(who), site.origin())


async def test_a_disowned_session_ends_with_all_trust(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    thief, other, mine = await site.login(), await site.login(), await site.login()
    await give_factors(site, account)
    assert await disown(site, mine, thief) == Done()
    assert await site.alive(thief, other, mine) == [False, True, True]
    assert (await kept(site, account)).trusted == (await kept(site, account)).pending == 0
    (ended,) = await site.events(account, Tag.SESSION_ENDED)
    assert (ended.reason, ended.session_id) == ("not_me", thief.session.session_id)
    (revoked,) = await site.events(account, Tag.TRUST_REVOKED)
    assert revoked.reason == "not_me"
    assert await disown(site, mine, thief) == NOT_FOUND


@pytest.mark.attack("AD-12")
async def test_others_sessions_are_not_found_and_an_old_session_may_not(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("other7", password=PASSWORD)
    theirs, other, mine = await site.login("other7"), await site.login(), await site.login()
    assert await disown(site, mine, theirs) == NOT_FOUND
    site.clock.advance(HOUR)
    assert await disown(site, mine, other) == Denied(ProblemCode.PROOF_REQUIRED)
    assert await site.alive(theirs, other, mine) == [True, True, True]
