"""Settings of pages and logos in memory: a page costs no statement, and a change is known in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from menshen.adapters.storage.cached_apps import BELIEVED_SECONDS
from menshen.adapters.storage.cached_pages import MOST_LOGOS, CachedPages
from menshen.core.pages.logos import Logo
from menshen.core.pages.settings import NO_PAGES, PageSettings

ON = PageSettings(on=True)


class Rows:
    """What the database holds, and how often it was asked."""

    def __init__(self) -> None:
        self.settings: dict[int, PageSettings] = {}
        self.logos: dict[str, Logo] = {}
        self.reads: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    async def list_all(self) -> Mapping[int, PageSettings]:
        self.reads.append("all")
        found = dict(self.settings)
        self.meanwhile()
        return found

    async def find_logo(self, digest: str) -> Logo | None:
        self.reads.append(digest)
        return self.logos.get(digest)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def cached() -> tuple[CachedPages, Rows, Clock]:
    rows, clock = Rows(), Clock()
    return CachedPages(rows, clock), rows, clock


async def test_settings_are_read_once_in_a_moment() -> None:
    pages, rows, clock = cached()
    rows.settings = {1: ON}
    first = await pages.list_all()
    assert first == {1: ON}
    clock.now += BELIEVED_SECONDS / 2
    assert await pages.list_all() is first
    assert rows.reads == ["all"]


async def test_a_change_by_another_process_is_known_as_soon_as_one_of_apps() -> None:
    pages, rows, clock = cached()
    assert await pages.list_all() == {}
    rows.settings = {1: ON}
    clock.now += BELIEVED_SECONDS
    assert await pages.list_all() == {1: ON}


async def test_a_change_by_this_process_is_known_at_once() -> None:
    pages, rows, _ = cached()
    assert await pages.list_all() == {}
    rows.settings = {1: ON}
    pages.forget()
    assert await pages.list_all() == {1: ON}


async def test_what_was_read_before_a_change_is_not_remembered() -> None:
    pages, rows, _ = cached()

    def change() -> None:
        rows.meanwhile = lambda: None
        rows.settings = {1: ON}
        pages.forget()

    rows.meanwhile = change
    assert await pages.list_all() == {}
    assert await pages.list_all() == {1: ON}


async def test_a_logo_is_read_once_for_as_long_as_it_is_shown() -> None:
    pages, rows, clock = cached()
    logo = Logo("image/png", b"x")
    rows.settings, rows.logos = {1: PageSettings(logo_light="light")}, {"light": logo, "old": logo}
    assert [await pages.find_logo("light") for _ in range(3)] == [logo] * 3
    clock.now += BELIEVED_SECONDS
    assert await pages.find_logo("light") == logo
    assert rows.reads == ["all", "light", "all"]
    rows.settings = {1: NO_PAGES}
    clock.now += BELIEVED_SECONDS
    assert await pages.find_logo("light") is None
    rows.settings = {2: PageSettings(logo_dark="light")}
    pages.forget()
    assert await pages.find_logo("light") == logo
    assert rows.reads[3:] == ["all", "all", "light"]


async def test_guesses_of_names_read_nothing() -> None:
    pages, rows, _ = cached()
    rows.settings = {1: ON}
    for number in range(100):
        assert await pages.find_logo(f"{number:064x}") is None
    assert await pages.find_logo("") is None
    assert rows.reads == ["all"]


async def test_the_memory_of_logos_has_a_bound() -> None:
    pages, rows, _ = cached()
    names = [f"{number}" for number in range(MOST_LOGOS + 5)]
    rows.settings = {number: PageSettings(logo_light=name) for number, name in enumerate(names, 1)}
    rows.logos = {name: Logo("image/png", name.encode()) for name in names}
    for _ in range(2):
        for name in names:
            assert await pages.find_logo(name) == rows.logos[name]
    assert len(rows.reads) == 1 + MOST_LOGOS + 2 * 5
