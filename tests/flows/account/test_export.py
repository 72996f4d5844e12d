"""The export of one's own account: everything that is kept, nothing of others, no secret, and within bounds."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, fields
from typing import Any

import pytest

from menshen.adapters.storage.sql.statements.reader import columns
from menshen.core.audit.events import Event, Tag
from menshen.core.audit.export import (
    EVENTS_MOST,
    Export,
    ExportedAccount,
    ExportedEvent,
    ExportedProfile,
    ExportedSession,
)
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.sessions.devices import SeenDevice
from menshen.core.time import DAY, MINUTE, after
from menshen.flows.admin import accounts as admin_accounts
from tests.flows.account.calls import delete, edit, export
from tests.flows.account.stepped import KEY, MAC, SECRET, TICKET, TRUST, ask_two, give_factors, prove_factor
from tests.flows.site import AWAY, CAREYSHOP, EMAIL, NEW, PASSWORD, PHONE, Site

PROOF_REQUIRED = Denied(ProblemCode.PROOF_REQUIRED)


async def test_it_shows_the_account_its_sessions_devices_and_events(site: Site) -> None:
    account = await site.kevin()
    started = site.clock.now()
    shop = await site.login(origin=site.origin(AWAY, CAREYSHOP), platform="Web")
    site.clock.advance(MINUTE)
    mine = await site.login(origin=site.origin(device="phone-1"))
    await edit(site, mine, nickname="小王", birthday="1990-01-31")
    await site.fail(1, origin=site.elsewhere())
    made = await export(site, mine)
    assert isinstance(made, Export)
    now = site.clock.now()
    assert asdict(made.account) == {
        "number": account.number, "id": account.public_id, "status": "active", "roles": "general_user",
        "username": "kevin", "phone": PHONE, "phone_verified": True, "email": EMAIL, "email_verified": True,
        "has_password": True, "password_changed_at": 0, "second_step": False, "closes_at": 0, "created_at": started,
        "updated_at": now,
        "login_at": now, "login_ip": "198.51.100.7", "previous_login_at": started, "previous_login_ip": AWAY,
    }  # fmt: skip
    assert (made.profile.nickname, made.profile.birthday, made.profile.gender) == ("小王", "1990-01-31", 0)
    assert [(s.id, s.app, s.dialect, s.platform, s.device_id, s.ip) for s in made.sessions] == [
        (mine.session.session_id, "default", "weidu", "weidu", "phone-1", "198.51.100.7"),
        (shop.session.session_id, "default", "careyshop", "web", "", AWAY),
    ]
    assert made.known_devices == [SeenDevice(now, now)]
    assert made.exported_at == now
    assert [(e.event, e.app, e.source, e.network, e.reason) for e in made.events] == [
        ("login.succeeded", "default", "careyshop", "203.0.113.0/24", "password"),
        ("login.succeeded", "default", "weidu", "198.51.100.0/24", "password"),
        ("account.profile_changed", "default", "weidu", "198.51.100.0/24", "birthday,nickname"),
        # A stranger failed: the network is told, and not the address.
        ("login.failed", "default", "weidu", "10.0.1.0/24", ""),
        ("account.exported", "default", "weidu", "198.51.100.0/24", ""),
    ]
    assert made.more_events is False


@pytest.mark.attack("AD-9", "LG-1")
async def test_it_holds_no_secret(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login(origin=site.origin(rules=CAREYSHOP, device="phone-1"), platform="web")
    code = await site.code()
    mine = await site.login(origin=site.origin(rules=CAREYSHOP, device="phone-1"), platform="web")
    text = json.dumps(asdict(await export(site, mine)))
    stored = (await site.account(account)).password_hash
    for secret in (stored, mine.token, mine.refresh, mine.csrf, PASSWORD, f'"{code}"', site.harness.app.secret):
        assert secret
        assert secret not in text


@pytest.mark.attack("LG-1", "LG-3")
async def test_it_shows_what_protects_the_account_and_none_of_its_secrets(site: Site) -> None:
    account = await site.kevin()
    now = site.clock.now()
    other = await site.login(origin=site.origin(device="other"))
    mine = await site.login()
    await give_factors(site, account)
    await ask_two(site, account)
    await prove_factor(site, mine)
    # An enrolment that nothing confirmed is no factor.
    await site.store.write(lambda tx: tx.factors.begin(account.number, "card", b"another secret", after(now, MINUTE)))
    made = await export(site, mine)
    assert isinstance(made, Export)
    assert made.account.second_step is True
    assert asdict(made.factors) == {
        "kinds": [{"kind": "totp", "created_at": now, "used_at": 0}],
        "passkeys": [
            {
                "id": "passkey-1", "name": "My phone", "synced": True, "step_only": False, "created_at": now,
                "used_at": now + 2,
            }
        ],
        "recovery_codes_left": 2,
        "trusted_devices": [
            {
                "id": "trust-1", "app": "default", "name": "Firefox", "ip": AWAY, "created_at": now, "used_at": 0,
                "expires_at": now + 30 * DAY,
            }
        ],
    }  # fmt: skip
    said = {one.id: (one.level, one.methods, one.second_at) for one in made.sessions}
    assert said == {mine.session.session_id: (2, "pwd otp", now), other.session.session_id: (1, "pwd", 0)}
    text = json.dumps(asdict(made))
    handle = await site.store.read.passkeys.handle_of(account.number)
    for secret in (KEY, SECRET, MAC, TICKET, TRUST, handle):
        for spelled in (secret.decode("latin-1"), secret.hex(), base64.b64encode(secret).decode()):
            assert spelled not in text


def names_of(*parts: type[Any]) -> set[str]:
    return {field.name for part in parts for field in fields(part)}


def test_each_column_is_in_it_or_is_left_out_for_a_reason() -> None:
    """Whoever adds a column decides."""
    # A public id is `id`, and the name as it was typed is `username`. Versions tell nothing.
    assert set(columns()["account"]) - names_of(ExportedAccount, ExportedProfile) == {
        "password_hash", "password_version", "factors_version", "public_id", "username_shown",
    }  # fmt: skip
    assert set(columns()["session"]) - names_of(ExportedSession) == {
        "session_id", "account_number", "app_id", "slot", "ends_at", "sliding_ms", "refresh_expires_at", "refreshes",
        "refresh_paid_until",
    }  # fmt: skip
    # The tag is `event`, the dialect `source`, the address its network. The id of a request leads into logs only.
    assert set(columns()["event"]) - names_of(ExportedEvent) == {
        "tag", "account_number", "app_id", "dialect", "ip", "request_id",
    }  # fmt: skip


@pytest.mark.attack("AD-9")
async def test_an_old_session_is_not_enough(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    site.clock.advance(10 * MINUTE - 1)
    assert isinstance(await export(site, mine), Export)
    site.clock.advance(1)
    assert await export(site, mine) == PROOF_REQUIRED
    assert len(await site.events(tag=Tag.ACCOUNT_EXPORTED)) == 1
    assert isinstance(await export(site, await site.login()), Export)


@pytest.mark.attack("AD-9")
async def test_it_shows_nothing_of_others(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("lucy", phone="13900139000", email="lucy@b.example", password=NEW)
    lucys = await site.login("lucy", NEW, site.origin(AWAY, device="lucys-phone"))
    mine = await site.login()
    text = json.dumps(asdict(await export(site, mine)))
    for others in ("lucy", "139000", AWAY, "203.0.113", lucys.session.session_id, lucys.account.public_id):
        assert others not in text


@pytest.mark.attack("AD-9", "RACE-14")
async def test_a_session_that_ended_meanwhile_exports_nothing(site: Site) -> None:
    await site.kevin()
    mine = await site.login()
    caller = await site.caller(mine)
    assert await delete(site, mine) == Done()
    with pytest.raises(Problem, match="the session ended"):
        await site.flows.account.export(caller, site.origin())
    assert await site.events(tag=Tag.ACCOUNT_EXPORTED) == []


@pytest.mark.attack("RS-11")
async def test_its_size_has_a_bound(site: Site) -> None:
    account = await site.kevin()
    now = site.clock.now()
    events = [Event(Tag.SESSION_REFRESHED, now, account.number, reason=f"r{n}") for n in range(3 * EVENTS_MOST)]
    await site.store.write(lambda tx: tx.audit.append_all(events))
    made = await export(site, await site.login())
    assert len(made.events) == EVENTS_MOST
    assert made.more_events is True
    assert made.events[-1].event == "account.exported"
    assert made.events[0].reason == f"r{2 * EVENTS_MOST + 2}"
    assert len(json.dumps(asdict(made))) < 300_000


async def test_an_operator_gets_the_same_document_of_closed_accounts_too(site: Site) -> None:
    account = await site.kevin()
    mine = await site.login()
    ours = await export(site, mine)
    ports = {"store": site.store, "world": site.clock}
    theirs = await admin_accounts.export_account("kevin", **ports)
    assert isinstance(theirs, Export)
    assert (theirs.account, theirs.profile, theirs.sessions) == (ours.account, ours.profile, ours.sessions)
    assert theirs.factors == ours.factors
    assert theirs.events[:-1] == ours.events
    last = theirs.events[-1]
    assert (last.event, last.source, last.network, last.app) == ("account.exported", "admin", "", "")
    # It needs no fresh login.
    site.clock.advance(DAY)
    assert isinstance(await admin_accounts.export_account("kevin", **ports), Export)
    assert await delete(site, await site.login()) == Done()
    closed = await admin_accounts.export_account(f"#{account.number}", **ports)
    assert isinstance(closed, Export)
    assert (closed.account.status, closed.account.phone, closed.sessions) == ("closed", "", [])
    assert await admin_accounts.export_account("kevin", **ports) == Denied(ProblemCode.NOT_FOUND)
