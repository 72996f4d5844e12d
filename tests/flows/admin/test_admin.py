"""What an administrator does: everything audited, nothing half done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from menshen.adapters.blocklist import CommonPasswords
from menshen.core.account.accounts import Status
from menshen.core.account.asks import Edited
from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.flows.admin import accounts as admin_accounts
from menshen.flows.admin.accounts import AccountToAdd
from menshen.flows.apps import manage as admin_apps
from tests.flows.site import EMAIL, NEW, OTHER_EMAIL, PASSWORD, PHONE, Site
from tests.substitutes import Substitute, not_found, once, store_with

BLOCKLIST = CommonPasswords()
NOT_FOUND = Denied(ProblemCode.NOT_FOUND)


def ports(site: Site, *names: str) -> dict[str, Any]:
    assembled = site.harness.assembled
    known = {
        "store": site.store, "world": assembled.world, "hasher": assembled.hasher, "policy": assembled.policy,
        "keyring": assembled.keyring, "blocklist": BLOCKLIST,
    }  # fmt: skip
    return {name: known[name] for name in names}


async def add(site: Site, **given: Any) -> Any:
    return await admin_accounts.add_account(
        AccountToAdd(**given), site.harness.app, **ports(site, "store", "hasher", "world", "policy", "blocklist")
    )


async def find(site: Site, typed: str) -> Any:
    return await admin_accounts.find_account(typed, store=site.store)


async def set_password(site: Site, typed: str, password: str = NEW, **other: Any) -> Any:
    return await admin_accounts.set_account_password(
        typed,
        password,
        site.harness.app,
        **ports(site, "store", "hasher", "world", "keyring", "policy", "blocklist") | other,
    )


async def test_an_account_is_added_as_told(site: Site) -> None:
    got = await add(
        site, username="Kevin", phone="13544285662", email="Kevin@163.com", password=PASSWORD, verified=True
    )
    assert isinstance(got, Edited)
    assert got.account.username_shown == "Kevin"
    assert got.account.proved == (PHONE, EMAIL)
    for login_id in ("kevin", PHONE, EMAIL):
        await site.login(login_id)
    (event, *_) = await site.events(got.account)
    assert (event.tag, event.source, event.reason) == (Tag.ACCOUNT_REGISTERED, "admin", "admin")


async def test_without_a_name_it_gets_a_number_and_without_a_password_none(site: Site) -> None:
    got = await add(site, phone="13544285662")
    assert isinstance(got, Edited)
    assert (got.account.username or "").isdigit()
    assert got.account.proved == ()
    assert got.account.password_hash == ""
    assert (await site.login_code()).account.number != got.account.number


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({}, Denied(ProblemCode.INVALID_REQUEST, field="identifier")),
        ({"username": "a"}, Denied(ProblemCode.INVALID_REQUEST, field="username")),
        ({"phone": "1"}, Denied(ProblemCode.INVALID_REQUEST, field="phone")),
        ({"email": "a"}, Denied(ProblemCode.INVALID_REQUEST, field="email")),
        ({"username": "someone", "password": "short"}, Denied(ProblemCode.WEAK_PASSWORD, field="short", least=8)),
        ({"username": "someone", "email": "kevin@b.example", "password": "kevin123!"},
         Denied(ProblemCode.WEAK_PASSWORD, field="own_words")),
        ({"username": "KEVIN"}, Denied(ProblemCode.ALREADY_TAKEN, field="username")),
        ({"phone": PHONE}, Denied(ProblemCode.ALREADY_TAKEN, field="phone")),
        ({"phone": PHONE, "verified": True}, Denied(ProblemCode.ALREADY_TAKEN, field="phone")),
        ({"email": EMAIL, "verified": True}, Denied(ProblemCode.ALREADY_TAKEN, field="email")),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_not_added(site: Site, given: dict[str, Any], refusal: Denied) -> None:
    await site.kevin()
    assert await add(site, **given) == refusal
    assert await site.store.read.accounts.find(2) is None


async def test_what_the_administrator_vouches_for_is_taken_off_claimants(site: Site) -> None:
    claimant = await site.harness.add_account("claimant", email=OTHER_EMAIL, verified=False)
    got = await add(site, username="owner", email=OTHER_EMAIL, verified=True)
    assert isinstance(got, Edited)
    assert (await site.account(claimant)).email is None
    assert await site.tags(claimant) == [Tag.IDENTIFIER_DROPPED]


async def test_accounts_are_found_by_whatever_names_them(site: Site) -> None:
    account = await site.kevin()
    for typed in ("kevin", "KEVIN", "13544285662", EMAIL, "#1", account.public_id):
        assert await find(site, typed) == account, typed
    for typed in ("", "nobody", "#2", "#", "#x", "#١", "#" + "9" * 30, "x" * 26, "13800138000", "no@b.example"):
        assert await find(site, typed) == NOT_FOUND, typed
    for n in range(2):
        claim = await site.harness.add_account(f"claim{n}", email=OTHER_EMAIL, verified=False)
        assert await find(site, OTHER_EMAIL) == (
            claim if n == 0 else Denied(ProblemCode.INVALID_REQUEST, field="ambiguous")
        )
    await site.harness.close_account("kevin")
    assert await find(site, "kevin") == NOT_FOUND
    closed = await find(site, "#1")
    assert closed.status is Status.CLOSED
    assert await find(site, account.public_id) == closed


async def test_disabling_twice_is_told_once(site: Site) -> None:
    account = await site.kevin()
    await site.login()
    for switch, tag in (
        (admin_accounts.disable_account, Tag.ACCOUNT_DISABLED),
        (admin_accounts.enable_account, Tag.ACCOUNT_ENABLED),
    ):
        for _ in range(2):
            got = await switch("kevin", **ports(site, "store", "world"))
            assert isinstance(got, Edited)
        assert (await site.tags(account)).count(tag) == 1
        assert await switch("nobody", **ports(site, "store", "world")) == NOT_FOUND
    await site.harness.close_account("kevin")
    assert await admin_accounts.enable_account("#1", **ports(site, "store", "world")) == NOT_FOUND


@pytest.mark.attack("TK-3")
async def test_closing_is_for_good(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    code = await site.code()
    got = await admin_accounts.close_account("kevin", **ports(site, "store", "world"))
    assert isinstance(got, Edited)
    assert got.account.status is Status.CLOSED
    assert await site.alive(granted) == [False]
    assert isinstance(await site.try_code(code), Denied)
    assert await admin_accounts.close_account("#1", **ports(site, "store", "world")) == NOT_FOUND
    assert (await site.tags(account))[-2:] == [Tag.SESSION_ENDED, Tag.ACCOUNT_CLOSED]


@pytest.mark.attack("TK-3")
async def test_a_password_set_by_an_administrator_ends_everything_and_lifts_a_suspension(site: Site) -> None:
    account = await site.kevin()
    granted = await site.login()
    for _ in range(10):
        await site.fail(10, origin=site.elsewhere())
    got = await set_password(site, "kevin")
    assert isinstance(got, Edited)
    assert await site.alive(granted) == [False]
    await site.login(password=NEW)
    notice = (await site.harness.messages())[-1]
    assert (notice.to, notice.template) == (EMAIL, Template.PASSWORD_CHANGED)
    assert Tag.PASSWORD_RESET in await site.tags(account)
    await site.harness.add_account("by-phone", phone="13900139000")
    await set_password(site, "by-phone")
    assert (await site.harness.messages())[-1].to == "+8613900139000"
    before = await site.harness.messages()
    await site.harness.add_account("nobody-to-tell")
    assert isinstance(await set_password(site, "nobody-to-tell"), Edited)
    assert await site.harness.messages() == before


async def test_a_weak_password_or_nobody_is_refused(site: Site) -> None:
    account = await site.kevin()
    assert await set_password(site, "nobody") == NOT_FOUND
    assert await set_password(site, "kevin", "kevin123!") == Denied(ProblemCode.WEAK_PASSWORD, field="own_words")
    assert (await site.account(account)).password_version == 0
    hasher = site.harness.assembled.hasher

    async def closed_meanwhile(password: bytes) -> str:
        await site.harness.close_account("kevin")
        return await hasher.hash(password)

    assert await set_password(site, "kevin", hasher=Substitute(hasher, hash=closed_meanwhile)) == NOT_FOUND


async def test_drawn_passwords_are_long_and_never_the_same(site: Site) -> None:
    drawn = {admin_accounts.draw_password(site.harness.assembled.world) for _ in range(100)}
    assert len(drawn) == 100
    assert {len(password) for password in drawn} == {26}


@pytest.mark.attack("TK-3")
async def test_sessions_are_seen_and_ended(site: Site) -> None:
    account = await site.kevin()
    one, two, three = await site.login(), await site.login(), await site.login()
    world = ports(site, "store", "world")
    listed = await admin_accounts.list_account_sessions("kevin", **world)
    assert not isinstance(listed, Denied)
    assert len(listed) == 3
    end = admin_accounts.end_account_sessions
    assert await end("kevin", session_id=two.session.session_id, **world) == Done()
    assert await end("kevin", session_id="x", **world) == Denied(ProblemCode.NOT_FOUND, field="session")
    assert await site.alive(one, two, three) == [True, False, True]
    assert await end("kevin", **world) == Done()
    assert await site.alive(one, two, three) == [False, False, False]
    assert {event.reason for event in await site.events(account, Tag.SESSION_ENDED)} == {"ended_by_admin"}
    assert await end("nobody", **world) == NOT_FOUND
    assert await admin_accounts.list_account_sessions("nobody", **world) == NOT_FOUND


# --- apps -------------------------------------------------------------------------------------------------------------


async def test_an_app_is_added_and_changed(site: Site) -> None:
    world = ports(site, "store", "world")
    made = await admin_apps.add_app("shop", {"host": "Shop.Example:8443", "hardened": True}, **world)
    assert isinstance(made, App)
    assert (made.host, made.hardened, len(made.secret), len(made.appkey)) == ("shop.example:8443", True, 32, 8)
    assert made.appkey[0] != "0"
    changed = await admin_apps.change_app("shop", {"host": "", "secret": "x" * 16}, **world)
    assert isinstance(changed, App)
    assert await site.store.read.apps.find_by_name("shop") == changed
    assert await admin_apps.change_app("shop", {"host": ""}, **world) == changed
    events = await site.events()
    assert [(event.tag, event.reason) for event in events] == [
        (Tag.APP_ADDED, "added"),
        (Tag.APP_CHANGED, "host,secret"),
    ]
    assert "x" * 16 not in repr(events)


async def test_a_new_app_takes_the_cookie_prefix_that_the_installation_began_with(site: Site) -> None:
    world = ports(site, "store", "world")
    first = await admin_apps.ensure_default_app(**world)
    assert first.cookie_prefix == "menshen"
    made = [await admin_apps.add_app("shop", {}, **world)]
    # An installation of an older release, which began with the prefix of the first document.
    await admin_apps.change_app("default", {"cookie_prefix": "weichuang"}, **world)
    made += [await admin_apps.add_app("other", {}, **world)]
    made += [await admin_apps.add_app("wolves", {"cookie_prefix": "WOLVES"}, **world)]
    assert [getattr(app, "cookie_prefix", None) for app in made] == ["menshen", "weichuang", "WOLVES"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"appkey": "1234567"}, "appkey"), ({"appkey": "１２３４５６７８"}, "appkey"), ({"secret": "short"}, "secret"),
        ({"secret": "with blank 0123456"}, "secret"), ({"cookie_prefix": "a b"}, "cookie_prefix"),
        ({"cookie_domain": "a;b"}, "cookie_domain"), ({"host": "http://x"}, "host"), ({"host": "a b"}, "host"),
        ({"app_name": "a\nb"}, "app_name"), ({"business_type": ""}, "business_type"),
        ({"password_min": 5}, "password_min"), ({"password_min": 129}, "password_min"),
        ({"sms_per_day": -1}, "sms_per_day"),
        ({"host_only_cookies": True, "cookie_domain": "a.example"}, "host_only_cookies"),
    ],
)  # fmt: skip
async def test_what_an_app_cannot_be_is_refused(site: Site, given: dict[str, Any], field: str) -> None:
    world = ports(site, "store", "world")
    refusal = Denied(ProblemCode.INVALID_REQUEST, field=field)
    assert await admin_apps.add_app("shop", given, **world) == refusal
    assert await admin_apps.change_app("default", given, **world) == refusal
    assert await site.store.read.apps.list_all() == [site.harness.app]


async def test_what_another_app_has_is_taken(site: Site) -> None:
    world = ports(site, "store", "world")
    await admin_apps.add_app("shop", {"host": "shop.example", "appkey": "12345678"}, **world)
    for given, field in (({"host": "SHOP.example"}, "host"), ({"appkey": "12345678"}, "appkey")):
        refusal = Denied(ProblemCode.ALREADY_TAKEN, field=field)
        assert await admin_apps.add_app("other", given, **world) == refusal
        assert await admin_apps.change_app("default", given, **world) == refusal
    assert await admin_apps.add_app("shop", {}, **world) == Denied(ProblemCode.ALREADY_TAKEN, field="name")
    assert await admin_apps.add_app("a b", {}, **world) == Denied(ProblemCode.INVALID_REQUEST, field="name")
    assert await admin_apps.change_app("nobody", {}, **world) == NOT_FOUND


@pytest.mark.attack("RACE-9")
async def test_the_first_app_is_made_once_whoever_races(site: Site) -> None:
    # Under the cache of apps, which has them in memory.
    store = site.store.inner
    world = {"store": store, "world": site.clock}
    assert await admin_apps.ensure_default_app(**world) == site.harness.app
    late = store_with(store, apps={"find_by_name": once(not_found, store.read.apps.find_by_name)})
    assert await admin_apps.ensure_default_app(store=late, world=site.clock) == site.harness.app
    renamed = replace(site.harness.app, name="renamed", appkey="99999999")
    await site.store.inner.write(lambda tx: tx.apps.save(renamed))
    made = await admin_apps.ensure_default_app(**world)
    assert made.name == "default"
    assert made.secret != site.harness.app.secret


async def test_a_store_in_which_it_can_be_neither_found_nor_made_is_told(site: Site) -> None:
    store = store_with(site.store.inner, apps={"find_by_name": not_found})
    with pytest.raises(RuntimeError, match="default"):
        await admin_apps.ensure_default_app(store=store, world=site.clock)


async def test_an_appkey_never_begins_with_a_zero(site: Site) -> None:
    digits = iter(["01234567", "00000000", "12345678"])
    world: Any = Substitute(site.clock, digits=lambda _: next(digits))
    made = await admin_apps.add_app("shop", {}, store=site.store, world=world)
    assert isinstance(made, App)
    assert made.appkey == "12345678"
