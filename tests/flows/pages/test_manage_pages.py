"""What operators say about pages is stored whole or not at all, audited, and read by pages without a statement."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from itertools import chain
from typing import Any

import pytest
from PIL import Image

from menshen.adapters.logos import PillowLogoMaker
from menshen.core.audit.events import ADMIN, Tag
from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import NO_PAGES, PageSettings, Theme, Way
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.flows.apps import manage as apps
from menshen.flows.pages.manage import change_pages, set_logo
from tests.flows.site import Site
from tests.substitutes import Substitute, store_with

NOT_FOUND = Denied(ProblemCode.NOT_FOUND)


def picture(colour: str = "red") -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


def ports(site: Site) -> dict[str, Any]:
    return {"store": site.store, "world": site.harness.assembled.world}


async def change(site: Site, name: str = "default", **given: Any) -> PageSettings | Denied:
    return await change_pages(name, given, **ports(site))


async def put(site: Site, theme: Theme, given: bytes, name: str = "default") -> PageSettings:
    made = await set_logo(name, theme, given, logos=PillowLogoMaker(), **ports(site))
    assert isinstance(made, PageSettings)
    return made


async def shown(site: Site) -> PageSettings:
    return await site.flows.pages.of_app(site.harness.app.app_id)


def raw_settings(site: Site) -> str:
    with closing(sqlite3.connect(site.harness.data_dir / "menshen.db")) as file:
        text: str
        ((text,),) = file.execute("SELECT settings FROM app_pages").fetchall()
        return text


def write_raw(site: Site, text: str) -> None:
    with closing(sqlite3.connect(site.harness.data_dir / "menshen.db")) as file, file:
        file.execute("UPDATE app_pages SET settings = ?", (text,))


async def told(site: Site) -> list[str]:
    return [event.reason for event in await site.events(tag=Tag.APP_CHANGED)]


async def test_a_new_installation_begins_with_pages_and_a_new_app_without(site: Site) -> None:
    assert await shown(site) == PageSettings(on=True)
    other = await apps.add_app("shop", {}, **ports(site))
    assert not isinstance(other, Denied)
    assert await site.flows.pages.of_app(other.app_id) is NO_PAGES
    assert await site.flows.pages.of_app(99) is NO_PAGES


async def test_the_first_app_and_its_pages_are_made_together_or_not_at_all(site: Site) -> None:
    inner = site.store.inner
    await inner.write(lambda tx: tx.apps.save(replace(site.harness.app, name="renamed", appkey="99999999")))

    async def fails(*_: Any) -> None:
        raise Problem(ProblemCode.UNAVAILABLE)

    with pytest.raises(Problem):
        await apps.ensure_default_app(store=store_with(inner, app_pages={"save": fails}), world=site.clock)
    assert [app.name for app in await inner.read.apps.list_all()] == ["renamed"]
    made = await apps.ensure_default_app(store=inner, world=site.clock)
    assert (await inner.read.app_pages.list_all())[made.app_id].on


async def test_an_installation_of_before_stays_without_pages(site: Site) -> None:
    inner = site.store.inner
    before = site.harness.app
    await inner.write(lambda tx: tx.apps.save(replace(before, disabled=True)))
    rows = dict(await inner.read.app_pages.list_all())
    assert (await apps.ensure_default_app(store=inner, world=site.clock)).app_id == before.app_id
    assert await inner.read.app_pages.list_all() == rows


async def test_a_change_is_seen_at_once_and_names_what_changed(site: Site) -> None:
    made = await change(site, display_name_zh="微店", ways=(Way.PASSWORD,), on=True, brand="#2C4A9E")
    assert made == PageSettings(on=True, display_name_zh="微店", ways=(Way.PASSWORD,))
    assert await shown(site) == made
    assert await told(site) == ["pages.display_name_zh,pages.ways"]
    (event,) = await site.events(tag=Tag.APP_CHANGED)
    assert (event.app_id, event.subject, event.source) == (site.harness.app.app_id, "default", ADMIN)
    # The same again is no change.
    assert await change(site, display_name_zh="微店") == made
    assert len(await told(site)) == 1


@pytest.mark.parametrize(
    "given", [{"brand": "red"}, {"ways": ()}, {"default_language": "fr"}, {"logo_light": "0" * 64}]
)
async def test_a_refused_change_changes_nothing(site: Site, given: dict[str, Any]) -> None:
    (field,) = given
    assert await change(site, on=False, **given) == Denied(ProblemCode.INVALID_REQUEST, field=field)
    assert await shown(site) == PageSettings(on=True)
    assert await told(site) == []


async def test_an_app_that_is_not_there_is_refused(site: Site) -> None:
    assert await change(site, "nobody", on=True) == NOT_FOUND
    made = await set_logo("nobody", Theme.LIGHT, picture(), logos=PillowLogoMaker(), **ports(site))
    assert made == NOT_FOUND
    # Nothing is left of the picture.
    assert await site.store.read.app_pages.find_logo(Logo("image/png", picture()).digest(0)) is None


async def test_a_logo_is_served_as_long_as_it_is_shown(site: Site) -> None:
    first = await put(site, Theme.LIGHT, picture("red"))
    assert await told(site) == ["pages.logo_light"]
    logo = await site.flows.pages.logo(first.logo_light)
    assert isinstance(logo, Logo)
    assert logo.kind == "image/png"
    assert logo.digest(site.harness.app.app_id) == first.logo_light
    both = await put(site, Theme.DARK, picture("red"))
    assert both.logo_dark == both.logo_light == first.logo_light
    # The one on the other ground stays, though it is the same.
    changed = await put(site, Theme.LIGHT, picture("blue"))
    assert isinstance(await site.flows.pages.logo(changed.logo_dark), Logo)
    bare = await put(site, Theme.DARK, b"")
    assert (bare.logo_light, bare.logo_dark) == (changed.logo_light, "")
    assert await site.flows.pages.logo(first.logo_light) == NOT_FOUND
    assert await site.store.inner.read.app_pages.find_logo(first.logo_light) is None
    assert isinstance(await site.flows.pages.logo(bare.logo_light), Logo)


async def test_a_logo_of_one_app_stays_when_another_removes_the_same_picture(site: Site) -> None:
    await apps.add_app("shop", {}, **ports(site))
    ours, theirs = await put(site, Theme.LIGHT, picture()), await put(site, Theme.LIGHT, picture(), "shop")
    assert ours.logo_light != theirs.logo_light
    await put(site, Theme.LIGHT, b"", "shop")
    assert isinstance(await site.flows.pages.logo(ours.logo_light), Logo)


async def test_what_is_no_picture_is_refused_before_anything_is_written(site: Site) -> None:
    async def write(_: Any) -> None:
        raise AssertionError("a transaction for what is no picture")

    store = Substitute(site.store, write=write)
    for theme, field in ((Theme.LIGHT, "logo_light"), (Theme.DARK, "logo_dark"), (Theme.AUTO, "theme")):
        made = await set_logo("default", theme, b"<svg/>", store=store, world=site.clock, logos=PillowLogoMaker())
        assert made == Denied(ProblemCode.INVALID_REQUEST, field=field)


async def test_what_a_newer_release_wrote_is_no_pages_and_is_not_lost(site: Site) -> None:
    assert isinstance(await change(site, ways=(Way.PASSWORD,)), PageSettings)
    written = raw_settings(site).replace('"ways":["password"]', '"ways":["telepathy"]')
    assert "telepathy" in written
    write_raw(site, written)
    site.store.app_pages.forget()
    assert await shown(site) == NO_PAGES
    with pytest.raises(Problem, match="newer release"):
        await change(site, on=False)
    assert raw_settings(site) == written
    # A field that is not known is left out, so that the release before goes on beside a new one.
    write_raw(site, raw_settings(site).replace('"telepathy"', '"sms"').replace("{", '{"later":1,', 1))
    site.store.app_pages.forget()
    assert await shown(site) == PageSettings(on=True, ways=(Way.SMS,))


async def test_pages_are_read_without_a_statement(site: Site) -> None:
    app_id = site.harness.app.app_id
    logo = (await put(site, Theme.LIGHT, picture())).logo_light
    await site.flows.pages.logo(logo)
    site.store.app_pages.believe(math.inf)
    reads: list[str] = []
    site.store.inner._reader.set_trace_callback(reads.append)
    first = await site.flows.pages.of_app(app_id)
    for _ in range(20):
        assert await site.flows.pages.of_app(app_id) is first
        assert isinstance(await site.flows.pages.logo(logo), Logo)
        assert await site.flows.pages.logo("0" * 64) == NOT_FOUND
    assert reads == []
    site.store.app_pages.forget()
    await site.flows.pages.of_app(app_id)
    assert len(reads) == 1


async def test_of_changes_at_once_none_undoes_another(each_site: Site) -> None:
    given: list[dict[str, Any]] = [
        {"icp": "a"},
        {"police": "b"},
        {"footer_en": "c"},
        {"closing_days": 7},
        {"terms_version": "e"},
    ]
    made = await asyncio.gather(*(change(each_site, **each) for each in given), put(each_site, Theme.DARK, picture()))
    assert not any(isinstance(each, Denied) for each in made)
    found = await shown(each_site)
    assert (found.icp, found.police, found.footer_en, found.closing_days, found.terms_version) == (
        "a",
        "b",
        "c",
        7,
        "e",
    )
    assert found.logo_dark
    assert sorted(await told(each_site)) == sorted(f"pages.{name}" for name in [*chain(*given), "logo_dark"])
