"""One person with a session: what they may do how often, and how many rows it leaves. (RS-11, decision 0055.)"""

from __future__ import annotations

from collections import Counter
from typing import Any

import asyncpg
import pytest

from menshen.core.audit.events import Tag
from menshen.core.gates.limits import Limits
from menshen.core.gates.members import SPENT_KEPT, pay_refresh, pay_retry, refresh_wait
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import CLOCK_BOUND, DAY, HOUR, MINUTE, SECOND, Instant, after
from menshen.flows.account.catalog import AccountFlows
from menshen.flows.catalog import use_cases
from menshen.flows.codes.catalog import CodeFlows
from menshen.flows.login.catalog import LoginFlows
from menshen.flows.sessions.catalog import SessionFlows
from menshen.flows.use_case import flows_of
from tests.attacks.rows import counts
from tests.figures import Figure
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client, said

LIMITS = Limits()
HOURLY = LIMITS.refreshes_per_session


async def rows(site: Harness, environ: dict[str, str]) -> Counter[str]:
    """How many rows each table has, on either database."""
    if not environ:
        return Counter(counts(site))
    connection = await asyncpg.connect(environ["MENSHEN_STORAGE__URL"], timeout=60)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = {name: await connection.fetchval(f'SELECT COUNT(*) FROM "{name}"') for (name,) in names}
    finally:
        await connection.close()
    return Counter(found)


async def member(site: Harness, name: str = "alice1", ip: str = "127.0.0.1") -> Client:
    await site.add_account(name, password=PASSWORD)
    client = Client(site, ip=ip)
    await client.log_in(name)
    return client


@pytest.mark.attack("RS-11")
async def test_edits_beyond_the_quota_leave_no_rows(site: Harness, environ: dict[str, str], figure: Figure) -> None:
    client, shop = await member(site), Shop(site)
    token = (await shop.log_in("alice1", PASSWORD))["token"]["token"]
    before = await rows(site, environ)
    answers: Counter[int] = Counter()
    answer = await client.get("/users/info")
    for number in range(60):
        answer = await client.call("PUT", "/users/update", {"nickname": f"n{number}"})
        answers[answer.status_code] += 1
    # One quota for both dialects.
    text = await shop.refused("set.user.item", client_id="1", token=token, nickname="other")
    assert text.startswith("操作过于频繁")
    grown = await rows(site, environ) - before
    figure(f"RS-11: rows after 61 edits of one person: {dict(grown)}")
    assert answers == {200: LIMITS.edits_per_account, 429: 60 - LIMITS.edits_per_account}
    assert said(answer)[1] == "too_many_requests"
    assert 0 < int(answer.headers["retry-after"]) <= HOUR // SECOND
    assert grown == {"audit": LIMITS.edits_per_account, "quota_uses": LIMITS.edits_per_account}
    account = await site.store.read.accounts.find(1)
    assert account.profile.nickname == f"n{LIMITS.edits_per_account - 1}"
    # Another person on the same network has their own, and an hour later so has this one.
    other = await member(site, "bobby1")
    assert (await other.call("PUT", "/users/update", {"nickname": "x"})).status_code == 200
    site.clock.advance(HOUR)
    assert (await client.call("PUT", "/users/update", {"nickname": "x"})).status_code == 200


@pytest.mark.attack("RS-11")
async def test_calls_about_sessions_have_a_quota_of_each_session(site: Harness, environ: dict[str, str]) -> None:
    """A thief who spends that of a stolen session does not keep the owner from ending it."""
    thief = await member(site)
    before = await rows(site, environ)
    answers: Counter[int] = Counter()
    calls = (("GET", "/users/sessions"), ("DELETE", "/users/sessions/nothing"), ("DELETE", "/users/sessions"))
    for number in range(LIMITS.session_calls_per_session + 30):
        answers[(await thief.call(*calls[number % 3])).status_code] += 1
    assert answers[429] == 30
    grown = await rows(site, environ) - before
    assert grown == {"quota_uses": LIMITS.session_calls_per_session}
    owner = Client(site)
    await owner.log_in("alice1")
    assert (await owner.call("DELETE", "/users/sessions")).status_code == 200
    assert (await thief.get("/users/info")).status_code == 401


@pytest.mark.attack("RS-11")
async def test_nobody_is_kept_from_logging_out(site: Harness) -> None:
    client = await member(site)
    for _ in range(LIMITS.session_calls_per_session):
        await client.get("/users/sessions")
    assert (await client.get("/users/sessions")).status_code == 429
    assert (await client.call("POST", "/users/logout")).status_code == 200


@pytest.mark.attack("RS-11")
async def test_changes_of_the_password_send_so_many_notices(site: Harness, environ: dict[str, str]) -> None:
    """Only changes with the right old password count: a thief without it fills nothing."""
    await site.add_account("alice1", phone="13544285662", password=PASSWORD)
    client = Client(site)
    await client.log_in("alice1")
    for _ in range(3):
        wrong = await client.post("/users/password", old_password="not this one", password="battery staple 0")
        assert wrong.status_code == 401
    before, old = await rows(site, environ), PASSWORD
    answers: Counter[int] = Counter()
    for number in range(LIMITS.password_changes_per_account + 5):
        new = f"battery staple {number}"
        answer = await client.post("/users/password", old_password=old, password=new)
        answers[answer.status_code] += 1
        old = new if answer.status_code == 200 else old
    assert answers == {200: LIMITS.password_changes_per_account, 429: 5}
    grown = await rows(site, environ) - before
    # Of the notices, the number gets its quota. Each further one leaves an event, and no row of a quota.
    dropped = LIMITS.password_changes_per_account - LIMITS.notices_per_hour
    assert grown["outbox"] == LIMITS.notices_per_hour
    assert grown["audit"] == LIMITS.password_changes_per_account + dropped
    assert grown["quota_uses"] == LIMITS.password_changes_per_account + LIMITS.notices_per_hour
    site.clock.advance(DAY)
    assert (await client.post("/users/password", old_password=old, password="battery staple x")).status_code == 200


@pytest.mark.attack("RS-11")
async def test_changes_of_a_phone_count_when_they_are_proved(site: Harness, environ: dict[str, str]) -> None:
    client = await member(site)
    site.clock.advance(11 * MINUTE)
    asked = {"mobile": "13544285663", "sms_code": "000000"}
    for _ in range(LIMITS.binds_per_account + 1):
        assert said(await client.post("/users/mobile/bind", **asked))[1] == "proof_required"
    before = await rows(site, environ)
    answers: Counter[str] = Counter()
    await client.log_in("alice1")
    for number in range(LIMITS.binds_per_account + 5):
        asked["mobile"] = f"135442857{number:02}"
        answers[said(await client.post("/users/mobile/bind", **asked))[1]] += 1
    assert answers == {"wrong_code": LIMITS.binds_per_account, "too_many_requests": 5}
    grown = await rows(site, environ) - before
    assert grown["quota_uses"] <= 2 * LIMITS.binds_per_account


@pytest.mark.attack("RS-11")
async def test_exports_count_when_the_login_is_fresh(site: Harness, environ: dict[str, str]) -> None:
    client = await member(site)
    site.clock.advance(11 * MINUTE)
    before = await rows(site, environ)
    for _ in range(LIMITS.exports_per_account + 1):
        assert said(await client.get("/users/export")) == (403, "proof_required")
    assert await rows(site, environ) == before
    await client.log_in("alice1")
    before = await rows(site, environ)
    answers: Counter[int] = Counter()
    for _ in range(LIMITS.exports_per_account + 5):
        answers[(await client.get("/users/export")).status_code] += 1
    assert answers == {200: LIMITS.exports_per_account, 429: 5}
    grown = await rows(site, environ) - before
    assert grown == {"audit": LIMITS.exports_per_account, "quota_uses": LIMITS.exports_per_account}
    site.clock.advance(DAY)
    await client.log_in("alice1")
    assert (await client.get("/users/export")).status_code == 200


@pytest.mark.attack("RS-11")
async def test_a_deletion_without_its_proof_leaves_few_rows(site: Harness, environ: dict[str, str]) -> None:
    client = await member(site)
    before = await rows(site, environ)
    for _ in range(60):
        assert said(await client.call("DELETE", "/users/me", {})) == (403, "proof_required")
    assert await rows(site, environ) == before
    answers: Counter[str] = Counter()
    for number in range(60):
        answers[said(await client.call("DELETE", "/users/me", {"password": f"wrong {number}"}))[1]] += 1
    assert answers == {"wrong_credentials": LIMITS.pause_after, "too_many_requests": 60 - LIMITS.pause_after}
    grown = await rows(site, environ) - before
    assert grown["audit"] == LIMITS.pause_after
    assert grown["counters"] <= 4
    assert set(grown) == {"audit", "counters"}


@pytest.mark.attack("RS-11")
async def test_an_oracle_has_its_quota_whichever_call_it_hides_in(site: Harness) -> None:
    """Exist calls, checks of a form, registrations and new names of members: one count of the network."""
    await site.add_account("taken1", password=PASSWORD)
    shop, told = Shop(site), Counter[str]()
    clients = [await member(site, f"member{number}") for number in range(3)]
    for number in range(20):
        body = await shop.call("check.user.username", username=f"free{number}")
        told["check"] += body["status"] == 200 and body["data"] is True
    for _ in range(15):
        told["register"] += (
            await shop.call(
                "add.user.item", username="taken1", password="battery staple", password_confirm="battery staple",
                mobile="13700130000",
            )
        )["message"] == "账号已存在"  # fmt: skip
    for number in range(60):
        answer = await clients[number % 3].call("PUT", "/users/update", {"username": "taken1"})
        told["put"] += said(answer)[1] == "already_taken"
    assert told.total() == LIMITS.exist_per_network
    assert told["put"] == LIMITS.exist_per_network - 35
    for answer in (
        await clients[0].call("PUT", "/users/update", {"username": "another1"}),
        await clients[0].post("/users/mobile/exist", mobile="13544285662"),
    ):
        assert said(answer)[0] == 429
        assert "retry-after" in answer.headers
    # What asks for nobody's name goes on, also in a form that sends the present names along.
    assert (await clients[0].call("PUT", "/users/update", {"city": "x", "username": "Member0"})).status_code == 200
    token = (await shop.log_in("member1", PASSWORD))["token"]["token"]
    await shop.done("set.user.item", client_id="3", token=token, sex="1", nickname="")
    assert (await shop.refused("set.user.item", client_id="3", token=token, nickname="a")).startswith("操作过于频繁")


async def refresh(shop: Shop, pair: dict[str, Any]) -> dict[str, Any]:
    body = await shop.call("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
    if body["status"] == 200:
        pair.update(body["data"]["token"])
    return body


@pytest.mark.attack("RS-11")
async def test_refreshes_have_a_quota_that_logs_nobody_out(
    site: Harness, environ: dict[str, str], figure: Figure
) -> None:
    await site.add_account("alice1", password=PASSWORD)
    shop = Shop(site)
    pair = (await shop.log_in("alice1", PASSWORD))["token"]
    before = await rows(site, environ)
    said_by: Counter[int] = Counter()
    for _ in range(HOURLY + 40):
        said_by[(await refresh(shop, pair))["status"]] += 1
    assert said_by == {200: HOURLY, 500: 40}
    assert (await refresh(shop, pair))["message"] == "操作过于频繁，请60秒后重试"
    answer = await shop.send("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
    assert answer.headers["retry-after"] == "60"
    grown = await rows(site, environ) - before
    # What nodes of PostgreSQL tell each other is kept for minutes.
    del grown["revocations"]
    figure(f"RS-11: rows after {HOURLY + 42} refreshes of one session: {dict(grown)}")
    assert grown == {"audit": HOURLY, "spent_refreshes": HOURLY}
    # The refused pair is good, now and later.
    await shop.done("get.user.info", client_id="1", token=pair["token"])
    site.clock.advance(MINUTE)
    assert (await refresh(shop, pair))["status"] == 200
    assert (await refresh(shop, pair))["status"] == 500
    site.clock.advance(HOUR)
    assert [(await refresh(shop, pair))["status"] for _ in range(HOURLY + 1)] == [200] * HOURLY + [500]
    # A pair that comes back is a theft still, also while the session has to wait.
    events = [event.tag for event in await site.events()]
    assert Tag.REFRESH_REUSED not in events


@pytest.mark.attack("RS-11")
async def test_a_theft_shows_while_the_quota_is_spent(site: Harness) -> None:
    await site.add_account("alice1", password=PASSWORD)
    shop = Shop(site)
    pair = (await shop.log_in("alice1", PASSWORD))["token"]
    stolen = dict(pair)
    assert [(await refresh(shop, pair))["status"] for _ in range(HOURLY + 1)] == [200] * HOURLY + [500]
    site.clock.advance(31 * SECOND)
    await refresh(shop, stolen)
    assert Tag.REFRESH_REUSED in [event.tag for event in await site.events()]
    assert not await shop.is_live(pair["token"])


@pytest.mark.attack("RS-11")
async def test_a_spent_refresh_that_is_no_longer_kept_is_refused(site: Harness, environ: dict[str, str]) -> None:
    """Its session goes on: nothing tells it from a made-up one. To log in again ends that of a thief."""
    await site.add_account("alice1", password=PASSWORD)
    shop = Shop(site)
    pair = (await shop.log_in("alice1", PASSWORD))["token"]
    first, second = dict(pair), dict[str, Any]()
    for _ in range(SPENT_KEPT + 1):
        site.clock.advance(MINUTE)
        assert (await refresh(shop, pair))["status"] == 200
        second = second or dict(pair)
    assert (await rows(site, environ))["spent_refreshes"] == SPENT_KEPT
    assert (await refresh(shop, first))["status"] == 401
    assert await shop.is_live(pair["token"])
    assert (await refresh(shop, second))["status"] == 401
    assert not await shop.is_live(pair["token"])


@pytest.mark.attack("RS-11")
def test_every_call_of_a_member_has_a_quota_or_a_reason() -> None:
    """A use case that takes a caller, and none of a stranger's quotas."""
    subjects = {"account": AccountFlows, "codes": CodeFlows, "login": LoginFlows, "sessions": SessionFlows}
    taking = {
        f"{subject}.{name}"
        for subject, kind in subjects.items()
        for name, flow in flows_of(kind).items()
        if any(Authenticated.__name__ in str(each) for each in flow.__annotations__.values())
        and "caller" in flow.__annotations__
    }
    without = {name for name in taking if use_cases()[name].quota is None}
    # A logout needs a login. A verified code is used once, and each one was sent and tried under the quotas of codes.
    # A deletion succeeds once, and its wrong proofs are counted as those of a login. A closing with days of grace is
    # proved like one, and the next one needs a login.
    assert without == {"sessions.log_out", "codes.use", "account.delete", "account.close"}
    assert taking - without == {
        "account.edit_profile", "account.change_password", "account.bind", "account.export",
        "account.agree", "account.agreements", "account.events", "account.drop", "account.set_password",
        "account.order_export", "account.fetch_export", "account.exports",
        "sessions.list", "sessions.end", "sessions.end_others", "sessions.disown",
    }  # fmt: skip


def test_a_refresh_pays_for_its_share_of_an_hour() -> None:
    now = Instant(10**12)
    paid = Instant(0)
    for _ in range(60):
        paid = pay_refresh(paid, now, 60)
        assert refresh_wait(paid, now) is None
    assert paid == now + HOUR
    assert refresh_wait(pay_refresh(paid, now, 60), now) == 60
    assert refresh_wait(pay_refresh(paid, after(now, MINUTE), 60), after(now, MINUTE)) is None
    # A clock that ran a year ahead for a moment keeps nobody waiting for a year.
    assert pay_refresh(Instant(now + 365 * DAY), now, 60) == now + MINUTE


@pytest.mark.attack("RS-11")
@pytest.mark.parametrize("ahead", [1, 300, CLOCK_BOUND])
def test_two_nodes_whose_clocks_differ_a_little_admit_no_more_refreshes_than_one(ahead: int) -> None:
    now, paid, admitted = Instant(10**12), Instant(0), 0
    for n in range(600):
        at = after(now, 0 if n % 2 else ahead)
        if refresh_wait(renewed := pay_refresh(paid, at, 60), at) is None:
            paid, admitted = renewed, admitted + 1
    assert admitted == 60


@pytest.mark.attack("RS-11")
@pytest.mark.parametrize("ahead", [0, 300, CLOCK_BOUND])
@pytest.mark.parametrize("most", [1, 5, 11, 12, 60])
def test_retries_count_and_never_empty_the_count(most: int, ahead: int) -> None:
    """Each refresh is asked for again, at a node whose clock is a little ahead."""
    now, paid, admitted = Instant(10**12), Instant(0), 0
    for _ in range(600):
        if refresh_wait(renewed := pay_refresh(paid, now, most), now) is None:
            admitted += 1
            paid = pay_retry(renewed, after(now, ahead), most)
            assert paid >= renewed
    # A retry costs as much as a refresh.
    assert admitted == -(-most // 2) if not ahead else 1 <= admitted <= -(-most // 2)
