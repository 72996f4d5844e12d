"""An installation is made once, however many begin at once, on either database."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from menshen.adapters.sealing import KeyringSealer
from menshen.app.installation.opening import open_installation
from menshen.app.keys_file import keyring_for, rotate
from menshen.app.settings.reader import Settings, load_settings
from menshen.app.world import SystemWorld
from menshen.core.apps import DEFAULT_APP
from menshen.core.audit.events import Tag
from menshen.flows.apps.manage import add_app, change_app, ensure_default_app

WORLD = SystemWorld()


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    environ = {}
    if request.param == "postgresql":
        environ["MENSHEN_STORAGE__URL"] = request.getfixturevalue("postgres_url")
    return load_settings(None, environ, tmp_path / "data")


@pytest.mark.attack("RACE-9")
async def test_everybody_who_begins_at_once_finds_the_same_first_app(settings: Settings) -> None:
    async def begin() -> tuple[int, str, str]:
        async with open_installation(settings, WORLD) as here:
            app = here.default_app
            return app.app_id, app.appkey, app.secret

    found = await asyncio.gather(*(begin() for _ in range(6)))
    assert len(set(found)) == 1
    async with open_installation(settings, WORLD) as here:
        assert [app.name for app in await here.store.read.apps.list_all()] == [DEFAULT_APP]
        events = await here.store.read.audit.list_events()
        assert [event.tag for event in events] == [Tag.APP_ADDED]


@pytest.mark.attack("RACE-9")
async def test_racers_in_one_process_end_with_one_app(settings: Settings) -> None:
    async with open_installation(settings, WORLD) as here:
        await change_app(DEFAULT_APP, {"disabled": True}, store=here.store, world=WORLD)
        apps = await asyncio.gather(*(ensure_default_app(store=here.store, world=WORLD) for _ in range(10)))
        assert {app.app_id for app in apps} == {here.default_app.app_id}
        # A disabled first app is not made anew.
        assert all(app.disabled for app in apps)


async def test_the_drawn_appkey_is_eight_digits_without_a_leading_zero(settings: Settings) -> None:
    class Zeros(SystemWorld):
        drawn = 0

        def digits(self, count: int) -> str:
            self.drawn += 1
            return "01234567" if self.drawn < 4 else "12345678"

    async with open_installation(settings, WORLD) as here:
        made = await add_app("shop", {}, store=here.store, world=Zeros())
        assert getattr(made, "appkey", None) == "12345678"


async def test_an_installation_keeps_the_cookie_prefix_that_it_began_with(settings: Settings) -> None:
    """Else an upgrade would log everybody out who is logged in by a cookie."""
    async with open_installation(settings, WORLD) as here:
        assert here.default_app.cookie_prefix == "menshen"
        await change_app("default", {"cookie_prefix": "weichuang"}, store=here.store, world=WORLD)
    async with open_installation(settings, WORLD) as here:
        assert here.default_app.cookie_prefix == "weichuang"


async def test_a_secret_of_an_app_lies_sealed_under_the_newest_key(settings: Settings) -> None:
    async with open_installation(settings, WORLD) as here:
        before = here.keyring
        secret = here.default_app.secret
    rotate(settings.keys_path, WORLD)
    after = keyring_for(settings, WORLD)
    assert after.keys[1:] == before.keys
    async with open_installation(settings, WORLD) as here:
        assert here.default_app.secret == secret
    assert KeyringSealer(after).open(KeyringSealer(before).seal(secret)) == secret
