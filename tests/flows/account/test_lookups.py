"""What may be asked about others: counted, behind a captcha, and no more than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from menshen.core.apps import App
from menshen.core.gates.captcha import PassPresented
from menshen.core.identifiers import Identifier, Kind
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import HOUR
from tests.flows.site import AWAY, CAREYSHOP, EMAIL, OTHER_PHONE, PHONE, Site, open_site


async def exists(site: Site, subject: str = PHONE, captcha: PassPresented | None = None, ip: str = AWAY) -> Any:
    kind = Kind.EMAIL if "@" in subject else Kind.PHONE
    return await site.flows.account.exists(Identifier(kind, subject), captcha, site.origin(ip))


async def test_the_oracle_knows_who_may_log_in(site: Site) -> None:
    await site.kevin()
    await site.harness.add_account("claims", phone=OTHER_PHONE, verified=False)
    assert await exists(site) is True
    assert await exists(site, EMAIL) is True
    assert await exists(site, OTHER_PHONE) is False
    assert await exists(site, "+8613900139000") is False
    await site.harness.close_account("kevin")
    assert await exists(site) is False


@pytest.mark.attack("EN-7")
async def test_after_5_calls_of_a_network_it_asks_for_a_captcha_and_after_60_it_is_silent(site: Site) -> None:
    """docs/contracts/core.md section 4.1, docs/contracts/weidu.md section 5.4."""
    await site.kevin()
    for _ in range(5):
        assert await exists(site) is True
    assert await exists(site) == Denied(ProblemCode.CAPTCHA_REQUIRED)
    captcha = await site.captcha(site.origin(AWAY))
    assert await exists(site, captcha=captcha) is True
    assert await exists(site, captcha=captcha) == Denied(ProblemCode.CAPTCHA_INVALID)
    for _ in range(52):
        assert await exists(site, captcha=await site.captcha(site.origin(AWAY))) is True
    full = Denied(ProblemCode.TOO_MANY_REQUESTS, 3600)
    assert await exists(site, captcha=await site.captcha(site.origin(AWAY))) == full
    assert await exists(site, ip="192.0.2.1") is True
    site.clock.advance(HOUR)
    assert await exists(site) is True


async def test_an_app_may_turn_it_off(site: Site) -> None:
    await site.kevin()
    app = await site.harness.change_app(exist_calls=False)
    outcome = await site.flows.account.exists(Identifier(Kind.PHONE, PHONE), None, site.origin(app=app))
    assert outcome == Denied(ProblemCode.NOT_FOUND)


@pytest.mark.parametrize(
    ("field", "value", "but", "taken"),
    [
        ("username", "kevin", None, True), ("username", "kevin", 1, False), ("username", "other", None, False),
        ("phone", PHONE, None, True), ("phone", PHONE, 1, False), ("phone", OTHER_PHONE, None, True),
        ("phone", "+8613900139000", None, False), ("nickname", "Fox", None, True), ("nickname", "Fox", 1, False),
        ("nickname", "fox", None, False),
    ],
)  # fmt: skip
async def test_what_is_taken(site: Site, field: str, value: str, but: int | None, taken: bool) -> None:
    await site.kevin()
    await site.harness.add_account("claims", phone=OTHER_PHONE, verified=False)
    await site.store.write(lambda tx: tx.accounts.set_profile(1, {"nickname": "Fox"}, now=site.clock.now()))
    assert await site.flows.account.taken(field, value, but, None, site.origin(rules=CAREYSHOP)) is taken


@pytest.mark.attack("EN-7")
async def test_asking_what_is_taken_is_counted_with_the_oracle(site: Site) -> None:
    for _ in range(60):
        assert await site.flows.account.taken("username", "kevin", None, None, site.origin(AWAY, CAREYSHOP)) is False
    full = Denied(ProblemCode.TOO_MANY_REQUESTS, 3600)
    assert await site.flows.account.taken("username", "kevin", None, None, site.origin(AWAY, CAREYSHOP)) == full
    assert await exists(site) == full


async def test_a_public_id_finds_an_open_account(site: Site) -> None:
    account = await site.kevin()
    assert await site.flows.account.find(account.public_id) == account
    for wrong in ("", "x", account.public_id.upper(), str(account.number)):
        assert await site.flows.account.find(wrong) is None
    await site.harness.close_account("kevin")
    assert await site.flows.account.find(account.public_id) is None


async def test_apps_are_found_by_host_and_key(site: Site) -> None:
    shop = await site.harness.add_app("shop", host="shop.example", appkey="12345678")
    await site.harness.add_app("off", appkey="87654321", host="off.example", disabled=True)
    assert await site.flows.apps.by_host("shop.example") == shop
    default: App = site.harness.app
    assert await site.flows.apps.by_key("12345678") == shop
    assert await site.flows.apps.by_key("87654321") == Denied(ProblemCode.FORBIDDEN)
    assert await site.flows.apps.by_host("off.example") == Denied(ProblemCode.FORBIDDEN)
    assert await site.flows.apps.by_key("00000000") == Denied(ProblemCode.NOT_FOUND)
    assert await site.flows.apps.by_key("11111111") == default


async def test_without_a_default_app_there_is_none_to_speak_for(site: Site) -> None:
    assert await site.flows.apps.by_host("127.0.0.1:8400") == site.harness.app
    await site.harness.change_app(name="renamed")
    with pytest.raises(Problem) as caught:
        await site.flows.apps.by_host("127.0.0.1:8400")
    assert caught.value.denied.code is ProblemCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("hosts", "bound_to", "app_host", "asked", "served"),
    [
        ("[]", "127.0.0.1", "", "any.example", False),
        ("[]", "127.0.0.1", "app.example", "any.example", False),
        ("[]", "127.0.0.1", "app.example", "app.example", True),
        ("[]", "0.0.0.0", "", "any.example", False),
        ("[]", "0.0.0.0", "app.example", "app.example", True),
        ('["*"]', "0.0.0.0", "app.example", "any.example", True),
        ('["any.example"]', "0.0.0.0", "", "any.example", True),
        ('["any.example"]', "0.0.0.0", "", "any.example:8400", True),
        ('["any.example:8400"]', "0.0.0.0", "", "any.example:8400", True),
        ('["any.example:8400"]', "0.0.0.0", "", "any.example", False),
        ('["other.example"]', "127.0.0.1", "", "any.example", False),
    ],
)
async def test_which_hosts_are_ours(
    folder: Path, hosts: str, bound_to: str, app_host: str, asked: str, served: bool
) -> None:
    async with open_site(folder, {"MENSHEN_SERVER__HOSTS": hosts, "MENSHEN_SERVER__HOST": bound_to}) as site:
        if app_host:
            await site.harness.add_app("shop", host=app_host)
        assert await site.flows.apps.serves_host(asked) is served


async def test_a_denied_network_gets_nothing_without_a_session(folder: Path) -> None:
    async with open_site(folder, {"MENSHEN_RISK__DENY": f'["{AWAY}/32"]'}) as site:
        await site.kevin()
        granted = await site.login()
        forbidden = Denied(ProblemCode.FORBIDDEN)
        denied = site.origin(AWAY)
        assert await site.try_password(origin=denied) == forbidden
        assert await site.try_password("nobody", origin=denied) == forbidden
        assert await site.ask_code(origin=denied) == forbidden
        assert await exists(site) == forbidden
        assert await site.harness.messages() == []
        # Who has a session keeps it wherever they go.
        assert await site.flows.sessions.end_others(await site.caller(granted), denied) == Done()
