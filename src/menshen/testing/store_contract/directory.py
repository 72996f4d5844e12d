"""Test client apps and known devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from menshen.core.apps import App, CaptchaRule, DeviceSign, RegisterRule, SecondFactorRule, SessionRule
from menshen.core.sessions.devices import SeenDevice
from menshen.core.time import after
from menshen.ports.store.apps import AppTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import RACERS, Dump, OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default, settle

SECRET = "secret-of-the-shop-0123456789"
FULL = App(
    0, "shop", "12345678", SECRET, cookie_prefix="WOLVES", cookie_domain="shop.example", host_only_cookies=True,
    app_name="微店", business_type="shops", host="shop.example:8443", captcha=CaptchaRule.ALWAYS, hardened=True,
    device_sign=DeviceSign.HMAC, session_rule=SessionRule.ONE_PER_DEVICE, register=RegisterRule.OFF,
    auto_register=False, exist_calls=False, sign_required=True, mirror_status=True, password_min=15, sms_per_day=7,
    disabled=True, captcha_vendor="turnstile-main", second_factor=SecondFactorRule.REQUIRED_FOR,
    required_for_roles="clerk admin", factors="totp card", sms_step=True, trusted_days=14, enrol_by=21,
    second_factor_since=after(NOW, 28),
)  # fmt: skip


async def add(store: Store, app: App) -> App:
    return await store.write(lambda tx: tx.apps.add(app))


async def refusal_of(store: Store, app: App, *, save: bool = False) -> str:
    try:
        if save:
            await store.write(lambda tx: tx.apps.save(app))
        else:
            await add(store, app)
    except AppTaken as taken:
        return taken.field
    return ""


def app(name: str, appkey: str, **given: Any) -> App:
    return App(0, name, appkey, SECRET, **given)


class DirectoryContract:
    """Test `menshen.ports.store.apps` and `menshen.ports.store.devices`."""

    async def test_an_app_comes_back_as_it_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        plain = await add(store, app("default", "11111111"))
        assert plain.app_id == 1
        assert left_at_default(FULL) == []
        kept = await add(store, FULL)
        assert kept == replace(FULL, app_id=2)
        read = store.read.apps
        assert await read.find_by_key("12345678") == kept
        assert await read.find_by_name("shop") == kept
        assert await read.find_by_host("shop.example:8443") == kept
        assert await read.list_all() == [plain, kept]
        assert type(kept.hardened) is type(kept.sms_step) is bool
        assert type(kept.second_factor) is SecondFactorRule

    async def test_no_host_is_nobodys_host(self, open_store: OpenStore) -> None:
        store = await open_store()
        await add(store, app("one", "11111111"))
        await add(store, app("two", "22222222"))
        assert await store.read.apps.find_by_host("") is None
        assert await store.read.apps.find_by_host("elsewhere.example") is None
        assert await store.read.apps.find_by_key("") is None
        assert await store.read.apps.find_by_name("One") is None

    async def test_names_keys_and_hosts_are_unique_whoever_races(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        for field, made in (
            ("name", lambda n: app("same", f"1{n:07}")),
            ("appkey", lambda n: app(f"key{n}", "33333333")),
            ("host", lambda n: app(f"host{n}", f"2{n:07}", host="same.example")),
        ):
            got = await race(stores, lambda store, n, made=made: refusal_of(store, made(n)))  # type: ignore[misc]
            assert sorted(got) == ["", *[field] * (RACERS - 1)]

    async def test_an_app_changes_unless_another_has_it(self, open_store: OpenStore) -> None:
        store = await open_store()
        kept = await add(store, app("one", "11111111", host="one.example"))
        other = await add(store, app("two", "22222222"))
        assert await refusal_of(store, replace(other, name="one"), save=True) == "name"
        assert await refusal_of(store, replace(other, appkey="11111111"), save=True) == "appkey"
        assert await refusal_of(store, replace(other, host="one.example"), save=True) == "host"
        changed = replace(FULL, app_id=other.app_id)
        assert await refusal_of(store, changed, save=True) == ""
        assert await store.read.apps.list_all() == [kept, changed]
        assert await store.read.apps.find_by_name("two") is None

    async def test_an_apps_secret_is_sealed(self, open_store: OpenStore, dump: Dump) -> None:
        store = await open_store()
        kept = await add(store, FULL)
        await store.write(lambda tx: tx.apps.save(replace(kept, secret=SECRET + "-changed")))
        found = await store.read.apps.find_by_key("12345678")
        assert found is not None
        assert found.secret == SECRET + "-changed"
        held = await dump()
        assert b"WOLVES" in held
        assert SECRET.encode() not in held

    async def test_a_device_is_known_once_it_was_used(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        alice, bob = await settle(stores[0], "alice"), await settle(stores[0], "bob")
        assert not await stores[0].read.devices.known(alice.number, b"phone")
        await race(stores, lambda store, _: store.write(lambda tx: tx.devices.remember(alice.number, b"phone", NOW)))
        assert await stores[1].read.devices.known(alice.number, b"phone")
        assert not await stores[1].read.devices.known(bob.number, b"phone")
        assert not await stores[1].read.devices.known(alice.number, b"phon")

    async def test_the_least_recently_seen_devices_beyond_fifty_are_forgotten(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        await store.write(lambda tx: tx.devices.remember(bob.number, b"bob's", after(NOW, -1)))

        async def see(device: int, at: int) -> None:
            await store.write(lambda tx: tx.devices.remember(alice.number, bytes((device,)), after(NOW, at)))

        for n in range(50):
            await see(n, n)
        await see(0, 60)
        await see(50, 61)
        known = [n for n in range(51) if await store.read.devices.known(alice.number, bytes((n,)))]
        assert known == [n for n in range(51) if n != 1]
        assert await store.read.devices.known(bob.number, b"bob's")

    async def test_the_devices_of_one_account_are_listed_and_forgotten(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        for number, device, at in ((alice.number, b"a", 0), (alice.number, b"b", 1), (bob.number, b"a", 2)):
            await store.write(
                lambda tx, number=number, device=device, at=at: tx.devices.remember(number, device, after(NOW, at))  # type: ignore[misc]
            )
        await store.write(lambda tx: tx.devices.remember(alice.number, b"a", after(NOW, 5)))
        assert await store.read.devices.list_of(alice.number) == [
            SeenDevice(NOW, NOW + 5),
            SeenDevice(NOW + 1, NOW + 1),
        ]
        await store.write(lambda tx: tx.devices.forget_all(alice.number))
        assert list(await store.read.devices.list_of(alice.number)) == []
        assert not await store.read.devices.known(alice.number, b"a")
        assert await store.read.devices.known(bob.number, b"a")

    async def test_of_changes_of_an_app_at_once_none_undoes_another(self, open_store: OpenStore) -> None:
        """Keep the app disabled, although other transactions write all of its columns."""
        stores = await nodes(open_store)
        await add(stores[0], app("shop", "12345678"))

        async def change(store: Store, n: int) -> None:
            async def work(tx: WriteTx) -> None:
                held = await tx.apps.hold("shop")
                assert held is not None
                changed = replace(held, disabled=True) if n == 0 else replace(held, sms_per_day=held.sms_per_day + 1)
                await tx.apps.save(changed)

            await store.write(work)

        await race(stores, change)
        found = await stores[1].read.apps.find_by_name("shop")
        assert found is not None
        assert (found.disabled, found.sms_per_day) == (True, RACERS - 1)
        assert await stores[0].write(lambda tx: tx.apps.hold("none")) is None
