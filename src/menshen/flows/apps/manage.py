"""Manage client apps, and create the first app of an installation. Each change is audited.

Knows apps. Must not know the command line.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from menshen.core.apps import DEFAULT_APP, App, SecondFactorRule
from menshen.core.audit.events import Tag
from menshen.core.factors.proofs import BESIDE_PLUGINS
from menshen.core.pages.settings import PageSettings
from menshen.core.plain_text import PLAIN_LINE
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import Instant
from menshen.flows.audit.recording import admin_event
from menshen.ports.store.apps import AppTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_SECRET_BYTES: Final = 16
_TRIES: Final = 5

_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "name": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII),
    "appkey": re.compile(r"[0-9]{8}", re.ASCII),
    "secret": re.compile(r"[\x21-\x7e]{16,128}", re.ASCII),
    # `__Host-` is for the option of that name. Browsers read it in any case of letters.
    "cookie_prefix": re.compile(r"(?!__[Hh][Oo][Ss][Tt]-)[A-Za-z0-9_-]{1,40}", re.ASCII),
    "cookie_domain": re.compile(r"|\.?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII),
    "host": re.compile(r"|(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII),
    "app_name": re.compile(rf"(?=.{{1,64}}\Z){PLAIN_LINE}"),
    # As names of tables in the settings are.
    "captcha_vendor": re.compile(r"|[a-z0-9-]{1,32}", re.ASCII),
    "business_type": re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII),
    # Each as a proxy may require it.
    "required_for_roles": re.compile(r"|(?=.{1,255}\Z)[A-Za-z0-9_.-]{1,64}(?: [A-Za-z0-9_.-]{1,64})*", re.ASCII),
}
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "password_min": (6, 128),
    "sms_per_day": (1, 10**9),
    "trusted_days": (1, 365),
    "enrol_by": (1, 365),
}
_WORDS: Final = ("required_for_roles", "factors")
"""Fields of words. Blanks around and between them, and words that come again, are left out."""
FIRST_PAGES: Final = PageSettings(on=True)
"""The pages of the app that a new installation begins with."""

_ASKING: Final = (SecondFactorRule.REQUIRED, SecondFactorRule.REQUIRED_FOR)


async def ensure_default_app(*, store: Store, world: World) -> App:
    """Return the app `default`. If there is none, create it with a random appkey and secret, and with hosted pages.

    Only one is created, even if several processes call this at once.
    """
    for _ in range(_TRIES):
        if known := await store.read.apps.find_by_name(DEFAULT_APP):
            return known
        made = await _add(DEFAULT_APP, {}, FIRST_PAGES, store=store, world=world, plugins=())
        if isinstance(made, App):
            return made
    raise RuntimeError("the app `default` can neither be found nor made")


async def add_app(
    name: str, given: Mapping[str, Any], *, store: Store, world: World, plugins: Collection[str] = ()
) -> App | Denied:
    """Create an app with the `App` fields in `given`. Appkey and secret are random if not given.

    Without a cookie prefix it gets that of the app `default`, so that an installation keeps the one that it began with.
    `plugins` are the names of the plug-ins that `factors` may name beside "passkey" and "recovery".

    It has no hosted pages yet: `flows.pages.manage` changes that.
    Denied: INVALID_REQUEST with `field`; ALREADY_TAKEN with `field` name, appkey or host.
    """
    return await _add(name, given, None, store=store, world=world, plugins=plugins)


async def _add(
    name: str,
    given: Mapping[str, Any],
    pages: PageSettings | None,
    *,
    store: Store,
    world: World,
    plugins: Collection[str],
) -> App | Denied:
    """Create an app as `add_app` does, in one transaction with its pages."""
    if "cookie_prefix" not in given and (first := await store.read.apps.find_by_name(DEFAULT_APP)):
        given = {"cookie_prefix": first.cookie_prefix, **given}
    now = world.now()
    app = _with(App(0, name, _draw_appkey(world), draw_secret(world)), given, plugins, now)
    if isinstance(app, Denied):
        return app

    async def work(tx: WriteTx) -> App | Denied:
        kept = await tx.apps.add(app)
        if pages is not None:
            await tx.app_pages.save(kept.app_id, pages, now)
        await tx.audit.append(admin_event(Tag.APP_ADDED, now, app_id=kept.app_id, shown=kept.name, reason="added"))
        return kept

    return await _told(store, work)


async def change_app(
    name: str, given: Mapping[str, Any], *, store: Store, world: World, plugins: Collection[str] = ()
) -> App | Denied:
    """Set fields of the app with that name. `plugins` as in `add_app`.

    Denied: NOT_FOUND, INVALID_REQUEST or ALREADY_TAKEN with `field`.
    """
    now = world.now()

    async def work(tx: WriteTx) -> App | Denied:
        known = await tx.apps.hold(name)
        if known is None:
            return Denied(ProblemCode.NOT_FOUND)
        app = _with(known, given, plugins, now)
        if isinstance(app, Denied):
            return app
        if app != known:
            await tx.apps.save(app)
            # Only the names of the fields are recorded, because one of them is a secret.
            changed = sorted(key for key in given if getattr(app, key) != getattr(known, key))
            await tx.audit.append(
                admin_event(Tag.APP_CHANGED, now, app_id=app.app_id, shown=app.name, reason=",".join(changed))
            )
        return app

    return await _told(store, work)


def draw_secret(world: World) -> str:
    """Draw a random app secret: 32 hex digits."""
    return world.token_bytes(_SECRET_BYTES).hex()


def _draw_appkey(world: World) -> str:
    """Draw 8 digits without a leading 0. Clients that send the appkey as a number would lose it."""
    while (digits := world.digits(8)).startswith("0"):
        continue
    return digits


async def _told(store: Store, work: Callable[[WriteTx], Awaitable[App | Denied]]) -> App | Denied:
    try:
        return await store.write(work)
    except AppTaken as taken:
        return Denied(ProblemCode.ALREADY_TAKEN, field=taken.field)


def _with(app: App, given: Mapping[str, Any], plugins: Collection[str], now: Instant) -> App | Denied:
    """Return the app with the new fields, or a refusal that names the invalid one.

    From another rule to one that asks for a second factor, the time to enrol begins now.
    """
    changed = replace(app, **{key: _tidy(key, value) for key, value in given.items()})
    if changed.second_factor in _ASKING and changed.second_factor is not app.second_factor:
        changed = replace(changed, second_factor_since=now)
    if "factors" in given and not BESIDE_PLUGINS.union(plugins).issuperset(changed.factors.split()):
        return Denied(ProblemCode.INVALID_REQUEST, field="factors")
    for field, shape in _SHAPES.items():
        # A text that an older release stored must not prevent the disabling of its app.
        if (field in given or not app.app_id) and not shape.fullmatch(getattr(changed, field)):
            return Denied(ProblemCode.INVALID_REQUEST, field=field)
    for field, (least, most) in _RANGES.items():
        # 0 means the dialect's minimum for `password_min`, no limit for `sms_per_day`, and else none.
        if getattr(changed, field) and not least <= getattr(changed, field) <= most:
            return Denied(ProblemCode.INVALID_REQUEST, field=field)
    if changed.host_only_cookies and changed.cookie_domain:
        return Denied(ProblemCode.INVALID_REQUEST, field="host_only_cookies")
    return changed


def _tidy(field: str, value: Any) -> Any:
    if field == "host":
        return value.lower()
    return " ".join(dict.fromkeys(value.split())) if field in _WORDS else value
