"""The answer of a refresh was lost, and the client asks again with the old pair. (TK-17, RACE-15; decision 0059.)"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from menshen.core.account.asks import PasswordChange
from menshen.core.audit.events import Tag
from menshen.core.gates.members import REFRESHES_IN
from menshen.core.keys import Key
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import CLOCK_BOUND, DAY, HOUR, after
from menshen.core.tokens import digest
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.apps import manage as app_manage
from menshen.ports.sealing import SealBroken
from tests.attacks.rows import columns, tables
from tests.flows.login.refreshing import GRACE, INVALID, UNAUTHENTICATED, ask, login, renew, told
from tests.flows.site import HOME, NEW, PASSWORD, Site, open_site
from tests.harness import KEYRING
from tests.substitutes import Substitute, raising

# --- the client gets its pair -----------------------------------------------------------------------------------------


async def test_the_same_pair_comes_again_and_nothing_else_changes(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    old = await login(site)
    site.clock.advance(HOUR)
    new = await renew(site, old)
    before = await site.sessions(account)
    for ms in (0, 1, GRACE - 2, 1):
        site.clock.advance(ms)
        assert told(await ask(site, old.token, old.refresh)) == told(new)
    assert await site.alive(old, new) == [False, True]
    # One share is paid, however often it comes.
    share = REFRESHES_IN // site.harness.assembled.policy.limits.refreshes_per_session
    paid = replace(before[0], refresh_paid_until=after(before[0].refresh_paid_until, share))
    assert await site.sessions(account) == [paid]
    assert await site.tags(account) == [Tag.LOGIN_SUCCEEDED, Tag.SESSION_REFRESHED, Tag.REFRESH_RETRIED]
    (event,) = await site.events(account, Tag.REFRESH_RETRIED)
    assert (event.session_id, event.ip) == (new.session.session_id, HOME)
    # It is a pair like any other, and its own answer may be lost as well.
    newer = await renew(site, new)
    assert told(await ask(site, new.token, new.refresh)) == told(newer)
    assert (await site.tags(account))[3:] == [Tag.SESSION_REFRESHED, Tag.REFRESH_RETRIED]


async def test_a_pair_whose_token_had_lapsed_comes_again_too(site: Site) -> None:
    await site.kevin()
    old = await login(site)
    site.clock.advance(30 * DAY + HOUR)
    new = await renew(site, old)
    assert told(await ask(site, old.token, old.refresh)) == told(new)


async def test_the_second_tab_gets_the_pair_that_the_first_one_uses(site: Site) -> None:
    await site.kevin()
    old = await login(site)
    new = await renew(site, old)
    await site.caller(new)
    assert told(await ask(site, old.token, old.refresh)) == told(new)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("198.51.100.7", "198.51.100.254"),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::1"),
        ("198.51.100.7", "::ffff:198.51.100.9"),
    ],
)
async def test_a_telephone_whose_address_moves_within_its_network_is_answered(
    site: Site, first: str, again: str
) -> None:
    await site.kevin()
    old = await login(site)
    new = await renew(site, old, first)
    assert told(await ask(site, old.token, old.refresh, again)) == told(new)


async def test_a_restart_and_a_rotation_of_the_keys_lose_nothing(folder: Path) -> None:
    async with open_site(folder) as site:
        await site.kevin()
        old = await login(site)
        new = await renew(site, old)
        clock = site.clock
    rotated = replace(KEYRING, keys=(Key("newer", b"n" * 32), *KEYRING.keys))
    async with open_site(folder, clock=clock, keyring=rotated) as site:
        assert told(await ask(site, old.token, old.refresh)) == told(new)


async def test_a_retry_is_never_kept_waiting(site: Site) -> None:
    """A client that waits comes back too late, and would be taken for a thief."""
    await site.kevin()
    old = await login(site)
    most = site.harness.assembled.policy.limits.refreshes_per_session
    pair = old
    for _ in range(most):
        old, pair = pair, await renew(site, pair)
    refused = await ask(site, pair.token, pair.refresh)
    assert isinstance(refused, Denied)
    assert refused.code is ProblemCode.TOO_MANY_REQUESTS
    assert told(await ask(site, old.token, old.refresh)) == told(pair)
    # It is counted all the same: the next refresh waits for one share more.
    site.clock.advance(REFRESHES_IN // most)
    assert isinstance(await ask(site, pair.token, pair.refresh), Denied)
    site.clock.advance(REFRESHES_IN // most)
    await renew(site, pair)


@pytest.mark.attack("RS-11")
async def test_retries_leave_one_row_each_pair(site: Site) -> None:
    account = await site.kevin()
    old = await login(site)
    await renew(site, old)
    for _ in range(200):
        assert isinstance(await ask(site, old.token, old.refresh), Granted)
    assert (await site.tags(account)).count(Tag.REFRESH_RETRIED) == 1


async def test_a_store_that_takes_no_writes_gives_nothing_uncounted(site: Site) -> None:
    await site.kevin()
    old = await login(site)
    new = await renew(site, old)
    away = site.over(store=Substitute(site.store, write=raising(Problem(ProblemCode.UNAVAILABLE))))
    with pytest.raises(Problem):
        await ask(away, old.token, old.refresh)
    assert told(await ask(site, old.token, old.refresh)) == told(new)


# --- who does not -----------------------------------------------------------------------------------------------------


@pytest.mark.attack("TK-17")
async def test_after_30_seconds_it_is_a_theft_as_before(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    old, ios = await login(site), await login(site, "ios")
    new = await renew(site, old)
    assert told(await ask(site, old.token, old.refresh)) == told(new)
    site.clock.advance(GRACE + 1)
    assert await ask(site, old.token, old.refresh) == UNAUTHENTICATED
    assert await site.alive(new, ios) == [False, True]
    assert (await site.tags(account))[-2:] == [Tag.REFRESH_REUSED, Tag.SESSION_ENDED]
    assert await ask(site, new.token, new.refresh) == UNAUTHENTICATED


@pytest.mark.attack("TK-17")
async def test_a_retry_prolongs_no_grace(site: Site) -> None:
    await site.kevin()
    old = await login(site)
    new = await renew(site, old)
    for _ in range(3):
        site.clock.advance(GRACE // 3)
        assert told(await ask(site, old.token, old.refresh)) == told(new)
    site.clock.advance(1)
    assert await ask(site, old.token, old.refresh) == UNAUTHENTICATED
    assert await site.alive(new) == [False]


@pytest.mark.attack("TK-17")
async def test_from_another_network_or_app_it_is_refused_and_ends_nothing(each_site: Site) -> None:
    site = each_site
    account = await site.kevin()
    other = await site.harness.add_app("other")
    old = await login(site)
    new = await renew(site, old)
    for ip in ("198.51.101.7", "203.0.113.9", "2001:db8::1", ""):
        assert await ask(site, old.token, old.refresh, ip) == UNAUTHENTICATED
    assert await ask(site, old.token, old.refresh, app=other) == UNAUTHENTICATED
    assert Tag.REFRESH_RETRIED not in await site.tags(account)
    assert await site.alive(new) == [True]
    # Their tries took nothing from the client.
    assert told(await ask(site, old.token, old.refresh)) == told(new)
    newer = await renew(site, new, "2001:db8:1:2::7")
    assert await ask(site, new.token, new.refresh, "2001:db8:1:3::7") == UNAUTHENTICATED
    assert await site.alive(newer) == [True]


@pytest.mark.attack("TK-17")
async def test_half_of_the_spent_pair_is_not_enough(site: Site) -> None:
    await site.kevin()
    old, ios = await login(site), await login(site, "ios")
    new = await renew(site, old)
    for token in (new.token, ios.token):
        assert await ask(site, token, old.refresh) == INVALID
    for token in ("", "x", old.token.upper(), old.token[:-1], old.refresh, "\ud800"):
        assert await ask(site, token, old.refresh) == UNAUTHENTICATED
    for refresh in ("", "x", old.refresh.upper(), ios.refresh, new.refresh):
        assert await ask(site, old.token, refresh) == UNAUTHENTICATED
    assert await site.alive(new, ios) == [True, True]
    assert Tag.REFRESH_RETRIED not in await site.tags()


@pytest.mark.attack("TK-17")
async def test_a_pair_that_was_refreshed_again_is_not_given(site: Site) -> None:
    """A line, never a tree: only the present pair comes again."""
    await site.kevin()
    first = await login(site)
    second = await renew(site, first)
    third = await renew(site, second)
    assert await ask(site, first.token, first.refresh) == UNAUTHENTICATED
    assert told(await ask(site, second.token, second.refresh)) == told(third)
    assert await site.alive(first, second, third) == [False, False, True]
    assert Tag.REFRESH_REUSED not in await site.tags()


@pytest.mark.attack("TK-17")
async def test_what_another_program_left_sealed_is_not_given(site: Site) -> None:
    """A program of the schema before refreshes, and leaves the sealed pair of the refresh before."""
    await site.kevin()
    old = await login(site)
    new = await renew(site, old)
    spent = await site.store.read.sessions.find_spent_refresh(digest(old.refresh))
    assert spent
    newer = replace(new.session, refreshes=2)
    assert await site.store.write(
        lambda tx: tx.sessions.rotate(
            digest(new.token), digest(new.refresh), digest("n"), digest("r"), newer, successor=spent.successor
        )
    )
    assert await ask(site, old.token, old.refresh) == UNAUTHENTICATED
    assert Tag.REFRESH_RETRIED not in await site.tags()


@pytest.mark.attack("TK-17", "TK-3")
@pytest.mark.parametrize("end", ["logout", "login", "password", "disabled", "closed", "admin", "epoch", "app"])
async def test_what_ended_is_not_given_again(two: list[Site], end: str) -> None:
    """Ended at one node, asked for at the other."""
    site, other = two
    await site.kevin()
    old = await login(site)
    new = await renew(site, old)
    ports = {"store": site.store, "world": site.clock}
    match end:
        case "logout":
            await site.flows.sessions.log_out(await site.caller(new), site.origin())
        case "login":
            await login(site)
        case "password":
            ask_for = PasswordChange(PASSWORD, NEW)
            mine = await site.caller(await site.login())
            assert await site.flows.account.change_password(ask_for, mine, site.origin()) == Done()
        case "disabled":
            await admin_accounts.disable_account("kevin", **ports)
        case "closed":
            await admin_accounts.close_account("kevin", **ports)
        case "admin":
            await admin_accounts.end_account_sessions("kevin", **ports)
        case "epoch":
            await site.store.write(lambda tx: tx.upkeep.raise_epoch(site.clock.now()))
        case _:
            await app_manage.change_app(site.harness.app.name, {"disabled": True}, **ports)
    for node in (other, site):
        assert await ask(node, old.token, old.refresh) == UNAUTHENTICATED
    assert await other.alive(new) == [False]
    assert Tag.REFRESH_RETRIED not in await site.tags()


@pytest.mark.attack("TK-17", "SG-8")
async def test_a_clock_that_was_turned_back_gives_no_old_pair(site: Site) -> None:
    await site.kevin()
    old = await login(site)
    new = await renew(site, old)
    site.clock.leap(-(GRACE + 1))
    assert await ask(site, old.token, old.refresh) == UNAUTHENTICATED
    assert await site.alive(new) == [True]
    site.clock.leap(GRACE + 1 + CLOCK_BOUND + HOUR)
    # Doubted by now: refused, and nothing ends.
    assert await ask(site, old.token, old.refresh) == UNAUTHENTICATED
    assert await site.alive(new) == [True]


# --- the row tells nothing --------------------------------------------------------------------------------------------


@pytest.mark.attack("TK-17", "LG-7")
async def test_the_row_and_the_keys_open_nothing_without_the_spent_pair(site: Site) -> None:
    await site.kevin()
    old = await login(site)
    new = await renew(site, old)
    spent = await site.store.read.sessions.find_spent_refresh(digest(old.refresh))
    assert spent
    sealed, sealer = spent.successor, site.harness.assembled.ports.sealer
    origin = site.origin()
    right = (old.token, old.refresh, str(origin.app.app_id), origin.network)
    assert sealer.open_for(right, sealed) == new.token + new.refresh
    for text in (new.token, new.refresh, old.token, old.refresh, origin.network):
        assert text.encode() not in sealed
        if len(text) == 32:
            assert bytes.fromhex(text) not in sealed
    held = [*site_values(site), "", "0" * 32, digest(old.token).hex(), digest(old.refresh).hex()]
    for n in range(4):
        for wrong in [*held, right[n][:-1], right[n] + "0", right[n - 1]]:
            if wrong != right[n]:
                with pytest.raises(SealBroken):
                    sealer.open_for((*right[:n], wrong, *right[n + 1 :]), sealed)
    with pytest.raises(SealBroken):
        sealer.open(sealed)


def site_values(site: Site) -> list[str]:
    """Every text, and every value of bytes as hex, that the database holds."""
    rows = [row for rows in tables(site.harness.data_dir).values() for row in rows]
    values = [value for row in rows for value in row]
    return [value if isinstance(value, str) else value.hex() for value in values if isinstance(value, str | bytes)]


def sealed_in_the_file(site: Site) -> list[tuple[bytes | None, int, int]]:
    """What the rows of sessions hold of successors."""
    names = [column for table, column in columns(site.harness.data_dir) if table == "sessions"]
    places = [names.index(f"successor_{what}") for what in ("sealed", "until", "retried")]
    return [(row[places[0]], row[places[1]], row[places[2]]) for row in tables(site.harness.data_dir)["sessions"]]


@pytest.mark.attack("TK-17")
async def test_the_sealed_pair_goes_with_the_next_refresh_the_sweep_and_the_session(site: Site) -> None:
    await site.kevin()
    old = await login(site)
    assert sealed_in_the_file(site) == [(None, 0, 0)]
    new = await renew(site, old)
    ((first, until, retried),) = sealed_in_the_file(site)
    assert (until, retried) == (site.clock.now() + GRACE, 0)
    await ask(site, old.token, old.refresh)
    assert sealed_in_the_file(site) == [(first, until, 1)]
    newer = await renew(site, new)
    ((second, until, retried),) = sealed_in_the_file(site)
    assert first
    assert second not in {None, first}
    assert retried == 0
    # The sweep leaves it as long as it is given.
    site.clock.advance(GRACE)
    for left in (second, None):
        await site.store.write(lambda tx: tx.upkeep.sweep(site.clock.now(), audit_days=180, batch=100))
        assert [row[0] for row in sealed_in_the_file(site)] == [left]
        site.clock.advance(1)
    assert sealed_in_the_file(site) == [(None, 0, 0)]
    await site.flows.sessions.log_out(await site.caller(newer), site.origin())
    assert sealed_in_the_file(site) == []
