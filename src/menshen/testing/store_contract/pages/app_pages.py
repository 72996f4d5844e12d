"""Test the settings of hosted pages, and their logos."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.apps import App
from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import (
    NO_PAGES,
    Corner,
    FurtherConsent,
    Layout,
    PageSettings,
    PagesSession,
    SignupPassword,
    Theme,
    Way,
)
from menshen.core.time import after
from menshen.ports.store.store import Store, WriteTx
from menshen.testing.store_contract.racing import OpenStore, nodes, race
from menshen.testing.store_contract.records import NOW, left_at_default

CONSENT = FurtherConsent(
    "minors", "2024.1", "我已取得监护人同意", "My parent agrees", "https://shop.example/minors", True
)
FULL = PageSettings(
    on=True, session=PagesSession.COOKIES, page_origins=("https://shop.example", "https://m.shop.example:8443"),
    ways=(Way.PASSWORD, Way.SMS), display_name_zh="微店🦊", display_name_en="Wee\\Shop's \"best\"", slogan_zh="好",
    slogan_en="Good", terms_url="https://shop.example/t?a=b&c=%20", privacy_url="https://shop.example/p",
    help_url="https://shop.example/h", terms_version="7", consents=(CONSENT,), signup_password=SignupPassword.NONE,
    signup_fields=("nickname", "city"), brand="#07c160", corner=Corner.ROUND, layout=Layout.CARD,
    icp="沪ICP备12345678号-1", icp_url="https://beian.miit.gov.cn/", police="沪公网安备 31010102000001号",
    police_url="https://beian.mps.gov.cn/", footer_zh="©2024 微店", footer_en="©2024 Shop", default_language="en",
    default_theme=Theme.DARK, closing_days=15, logo_light="1" * 64, logo_dark="2" * 64,
)  # fmt: skip
PNG = Logo("image/png", b"\x89PNG\x00\xff")
WEBP = Logo("image/webp", b"RIFF\x00\xff")


async def save(store: Store, app_id: int, settings: PageSettings) -> None:
    await store.write(lambda tx: tx.app_pages.save(app_id, settings, NOW))


async def add_logo(store: Store, app_id: int, logo: Logo) -> str:
    return await store.write(lambda tx: tx.app_pages.add_logo(app_id, logo))


class AppPagesContract:
    """Test `menshen.ports.store.pages.app_pages`."""

    async def test_settings_of_pages_come_back_as_they_went_in(self, open_store: OpenStore) -> None:
        store = await open_store()
        assert left_at_default(FULL) == []
        assert await store.read.app_pages.list_all() == {}
        await save(store, 2, FULL)
        await save(store, 1, NO_PAGES)
        found = await store.read.app_pages.list_all()
        assert found == {1: NO_PAGES, 2: FULL}
        assert [type(each) for each in found[2].ways] == [Way, Way]
        assert type(found[2].default_theme) is Theme
        changed = replace(FULL, on=False, consents=())
        await save(store, 2, changed)
        assert await store.read.app_pages.list_all() == {1: NO_PAGES, 2: changed}
        assert await store.write(lambda tx: tx.app_pages.find(2)) == changed
        assert await store.write(lambda tx: tx.app_pages.find(3)) == NO_PAGES

    async def test_a_logo_is_found_by_its_name_alone(self, open_store: OpenStore) -> None:
        store = await open_store()
        light, dark = await add_logo(store, 1, PNG), await add_logo(store, 1, WEBP)
        assert (light, dark) == (PNG.digest(1), WEBP.digest(1))
        read = store.read.app_pages
        assert [await read.find_logo(light), await read.find_logo(dark)] == [PNG, WEBP]
        assert await read.find_logo(light.upper()) is None
        assert await read.find_logo("") is None
        assert await read.find_logo(PNG.digest(2)) is None

    async def test_an_app_removes_its_own_logos_only(self, open_store: OpenStore) -> None:
        store = await open_store()
        first, second = await add_logo(store, 1, PNG), await add_logo(store, 1, WEBP)
        others = await add_logo(store, 2, PNG)
        assert await store.write(lambda tx: tx.app_pages.keep_logos(1, (first, second))) == 0
        assert await store.write(lambda tx: tx.app_pages.keep_logos(1, ("", second))) == 1
        assert await store.read.app_pages.find_logo(first) is None
        assert await store.read.app_pages.find_logo(second) == WEBP
        assert await store.write(lambda tx: tx.app_pages.keep_logos(1, ())) == 1
        assert await store.read.app_pages.find_logo(second) is None
        assert await store.read.app_pages.find_logo(others) == PNG

    async def test_of_racers_with_one_logo_each_stores_it(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        names = await race(stores, lambda store, _: add_logo(store, 1, PNG))
        assert set(names) == {PNG.digest(1)}
        assert await stores[1].read.app_pages.find_logo(names[0]) == PNG

    async def test_of_changes_of_pages_at_once_none_undoes_another(self, open_store: OpenStore) -> None:
        stores = await nodes(open_store)
        made = await stores[0].write(lambda tx: tx.apps.add(App(0, "shop", "11111111", "s" * 32)))

        async def add_origin(store: Store, number: int) -> None:
            async def work(tx: WriteTx) -> None:
                await tx.apps.hold("shop")
                known = await tx.app_pages.find(made.app_id)
                origins = (*known.page_origins, f"https://{number}.example")
                await tx.app_pages.save(made.app_id, replace(known, page_origins=origins), after(NOW, number))

            await store.write(work)

        await race(stores, add_origin, racers=12)
        found = (await stores[1].read.app_pages.list_all())[made.app_id]
        assert set(found.page_origins) == {f"https://{number}.example" for number in range(12)}
