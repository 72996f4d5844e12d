"""What a whole full_run leaves behind: every kind of event, and no secret anywhere in the database."""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import menshen
from menshen.adapters.hashing.legacy import careyshop_hash
from menshen.adapters.storage.sql.schema.catalogue import tables
from menshen.core.account.asks import Bind, Deletion, PasswordChange, PasswordReset, ProfileEdit, Registration
from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.audit.export import Export
from menshen.core.codes.asks import CodeTry
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import SolvedChallenge
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.time import MINUTE
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.apps import manage as admin_apps
from tests.flows.account.own.life import live_with_pages
from tests.flows.factor_life import live_with_factors
from tests.flows.site import CAREYSHOP, EMAIL, NEW, OTHER_PHONE, PASSWORD, PHONE, WRONG, Site, open_site

REVIEWER = "+8613900139000"
APP_SECRET = "CANARY-app-secret-0123456789"
# Written by `menshen import` and `menshen epoch raise`, which have tests of their own.
FROM_ELSEWHERE = {
    Tag.ACCOUNT_IMPORTED,
    Tag.EPOCH_RAISED,
    # What couriers meet: tests/flows/delivery.
    Tag.SENDER_DOWN,
    Tag.SENDER_BACK,
    Tag.SENDER_SPENT,
    Tag.MESSAGE_UNREADABLE,
    # tests/cli/sms/test_trying.py.
    Tag.SENDER_TESTED,
    # tests/flows/account/test_notices.py.
    Tag.NOTICE_DROPPED,
    # tests/flows/login/test_second_step_limits.py.
    Tag.TOTP_SUSPENDED,
    # tests/flows/login/test_second_step.py.
    Tag.STEP_ELSEWHERE,
    # tests/flows/factors/test_passkeys.py and tests/flows/login/test_login_passkey.py.
    Tag.FACTOR_RENAMED,
    Tag.PASSKEY_CLONE_SUSPECTED,
}


@dataclass
class FullRun:
    """A site after everything has happened once, and the secrets that went through it."""

    site: Site
    url: str | None
    secrets: set[str] = field(default_factory=set)

    def keep(self, granted: Any) -> Granted:
        assert isinstance(granted, Granted), granted
        self.secrets |= {granted.token, granted.csrf, *filter(None, [granted.refresh])}
        return granted

    async def code(self, subject: str, purpose: Purpose) -> str:
        code = await self.site.code(subject, purpose)
        self.secrets.add(code)
        return code


async def run_everything(full_run: FullRun) -> None:
    site = full_run.site
    full_run.secrets |= {PASSWORD, NEW, WRONG, "another one 42", APP_SECRET, site.harness.app.secret, "246802"}
    world, store = site.harness.assembled.world, site.store
    made = await admin_apps.add_app("shop", {"secret": APP_SECRET}, store=store, world=world)
    assert isinstance(made, App)
    assert isinstance(await admin_apps.change_app("shop", {"hardened": True}, store=store, world=world), App)

    shop = site.origin(rules=CAREYSHOP)
    claim = Registration("claimant", PASSWORD, phone=PHONE, email=EMAIL)
    await site.flows.account.register(claim, shop)
    challenge = await site.challenge()
    earned = await site.flows.captcha.solve_challenge(
        SolvedChallenge(site.harness.solve(challenge.as_json())), site.origin()
    )
    full_run.secrets.add(earned.token)  # type: ignore[union-attr]

    kevin = full_run.keep(await site.try_code(await full_run.code(PHONE, Purpose.LOGIN)))
    await site.try_code("", PHONE)
    reset = PasswordReset(
        Kind.PHONE,
        PHONE,
        Purpose.RESET,
        await full_run.code(PHONE, Purpose.RESET),
        PASSWORD,
        captcha=await site.captcha(),
    )
    assert await site.flows.account.reset_password(reset, site.origin()) == Done()
    number = kevin.account.number
    held = (await site.account(number)).password_hash
    await store.write(lambda tx: tx.accounts.replace_hash(number, held, careyshop_hash(PASSWORD.encode())))
    first = full_run.keep(await site.try_password(PHONE, origin=shop, platform="web"))
    second = full_run.keep(await site.flows.login.refresh(first.token, first.refresh, shop))
    full_run.keep(await site.flows.login.refresh(first.token, first.refresh, shop))
    site.clock.advance(31_000)
    await site.flows.login.refresh(second.token, first.refresh, shop)
    mine = full_run.keep(await site.try_password(PHONE))
    caller = await site.caller(mine)
    await site.flows.account.edit_profile(ProfileEdit({"city": "x"}, "kevin"), caller, site.origin())
    assert await site.flows.account.change_password(PasswordChange(PASSWORD, NEW), caller, site.origin()) == Done()
    site.clock.advance(11 * MINUTE)
    bind_code = await full_run.code(EMAIL, Purpose.BIND)
    await site.flows.account.bind(Bind(Kind.EMAIL, EMAIL, bind_code, NEW), await site.caller(mine), site.origin())
    verify_code = await full_run.code(OTHER_PHONE, Purpose.VERIFY)
    await site.flows.codes.verify(CodeTry(Kind.PHONE, OTHER_PHONE, Purpose.VERIFY, verify_code), shop)
    await site.ask_code(REVIEWER, origin=site.elsewhere())
    full_run.keep(await site.try_code("246802", REVIEWER))
    await site.harness.add_account("leaver", password=PASSWORD)
    leaver = await site.caller(full_run.keep(await site.try_password("leaver")))
    assert isinstance(await site.flows.account.export(leaver, site.origin()), Export)
    assert await site.flows.account.delete(Deletion(PASSWORD), leaver, site.origin()) == Done()
    full_run.secrets |= await live_with_pages(site)
    full_run.secrets |= await live_with_factors(site)
    for n in range(10):
        await site.fail(10, "kevin", site.elsewhere())
        await site.ask_code(f"+861370013{n:04}", origin=site.elsewhere())
    full_run.secrets |= {message.code for message in await site.harness.messages() if message.code}
    await site.try_password("kevin", NEW, site.elsewhere())
    for deed in (admin_accounts.disable_account, admin_accounts.enable_account, admin_accounts.export_account):
        await deed("claimant", store=store, world=world)
    await admin_accounts.close_account("claimant", store=store, world=world)


@pytest.fixture(params=["sqlite", "postgresql"])
async def full_run(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[FullRun]:
    environ = {
        "MENSHEN_SMS__TEST_NUMBERS": f'{{"{REVIEWER}": {{"code": "246802", "until": "2101-01-01"}}}}',
        "MENSHEN_STORAGE__URL": request.getfixturevalue("emptied_url") if request.param == "postgresql" else "",
    }
    limits: dict[str, Any] = {"prefix_watch_from": 3, "send_budget_per_day": 12}
    async with open_site(folder, environ, **limits) as site:
        made = FullRun(site, environ["MENSHEN_STORAGE__URL"] or None)
        await run_everything(made)
        yield made


async def rows(full_run: FullRun) -> dict[str, bytes]:
    """Every value of every table, as bytes."""
    held: dict[str, bytes] = {}
    if full_run.url:
        connection = await asyncpg.connect(full_run.url)
        held_in = {name: await connection.fetch(f'SELECT * FROM "{name}"') for name in tables()}
        await connection.close()
    else:
        file = sqlite3.connect(full_run.site.harness.data_dir / "menshen.db")
        held_in = {name: file.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables()}
        file.close()
    for name, found in held_in.items():
        values = [value for row in found for value in tuple(row)]
        held[name] = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    return held


async def test_every_event_there_is_was_written(full_run: FullRun) -> None:
    assert set(Tag) - set(await full_run.site.tags()) == FROM_ELSEWHERE


@pytest.mark.attack("PW-7", "LG-1")
async def test_no_secret_is_in_the_database(full_run: FullRun) -> None:
    held = await rows(full_run)
    assert {"accounts", "sessions", "codes", "apps", "outbox", "audit", "captcha_passes", "counters"} <= {
        name for name, content in held.items() if content
    }
    assert len(full_run.secrets) > 20
    for secret in full_run.secrets:
        # Codes are six digits: as such they would be found inside of numbers and digests by chance.
        shapes = [secret.encode()]
        if re.fullmatch(r"[0-9]{6}", secret):
            pattern = re.compile(rb"(?<![0-9a-f])" + shapes[0] + rb"(?![0-9a-f])")
            found = [name for name, content in held.items() if any(pattern.fullmatch(v) for v in content.split(b"\n"))]
        else:
            shapes.append(base64.b64encode(secret.encode()).rstrip(b"="))
            if re.fullmatch(r"[0-9a-f]{32}", secret):
                shapes.append(bytes.fromhex(secret))
            found = [name for name, content in held.items() for shape in shapes if shape in content]
        assert not found, f"{secret} stands in {found}"


async def test_people_are_named_where_they_must_be_and_nowhere_else(full_run: FullRun) -> None:
    """Phones and addresses stand on accounts and beside open codes. Counters, events and messages show none."""
    for name, content in (await rows(full_run)).items():
        if name not in {"accounts", "codes"}:
            for person in ("13544285662", "13800138000", "kevin@163.com"):
                assert person.encode() not in content, name


def test_every_tag_is_written_somewhere() -> None:
    flows = "\n".join(file.read_text("utf-8") for file in (Path(menshen.__file__).parent / "flows").rglob("*.py"))
    assert [tag for tag in Tag if not re.search(rf"\bTag\.{tag.name}\b", flows)] == []
