"""Provide `menshen app pages`: show and change what an app says about its hosted pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from menshen.app.installation.opening import Installation
from menshen.cli.opening import C, RefusedError, common_options, refuse, with_installation
from menshen.cli.showing import show_json, show_record
from menshen.core.pages.colours import palette_of
from menshen.core.pages.logos import MOST_BYTES
from menshen.core.pages.rules import MOST_CLOSING_DAYS, MOST_ORIGINS, SIGNUP_FIELDS, TEXTS
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
from menshen.core.problems import Denied, ProblemCode

_WAYS: Final = " ".join(Way)
_ADDRESS: Final = "must be an https address in ASCII, such as https://shop.example/terms, of at most 512 characters"
_HINTS: Final[Mapping[str, str]] = {
    **{field: f"must be one line of at most {rule.most} characters" for field, rule in TEXTS.items()},
    "page_origins": f"must be at most {MOST_ORIGINS} origins such as https://shop.example, without a path or the usual "
    "port; http is for this machine only",
    "ways": f"must be words of these, and not the passkey alone: {_WAYS}",
    "signup_fields": f"must be words of these: {' '.join(SIGNUP_FIELDS)}",
    "terms_version": "must be at most 32 letters, digits, dots, - or _",
    "consents": "must be a JSON list of objects with id, version, text_zh or text_en, and url, required if you like",
    "brand": "must be a colour such as #2c4a9e",
    "default_language": "must be zh-CN or en, or '' for none",
    "logo_light": f"must be a PNG, JPEG or WebP of at most {MOST_BYTES // 1024} KB and 4 million pixels",
}
_LOGOS: Final = {"logo_light": Theme.LIGHT, "logo_dark": Theme.DARK}


def _member(of: type[StrEnum]) -> Callable[[click.Context, click.Parameter, str | None], StrEnum | None]:
    return lambda _context, _option, given: None if given is None else of(given)


def _choice(name: str, of: type[StrEnum], help_: str) -> Callable[[C], C]:
    return click.option(f"--{name}", type=click.Choice([each.value for each in of]), callback=_member(of), help=help_)


def _both(name: str, help_: str) -> tuple[Callable[[Any], Any], ...]:
    """Return the options of a text in both languages."""
    return tuple(
        click.option(f"--{name}-{end}", metavar="TEXT", help=f"{help_} in {language}.")
        for end, language in (("zh", "Chinese"), ("en", "English"))
    )


def _address(name: str, help_: str) -> Callable[[C], C]:
    return click.option(f"--{name}", metavar="URL", help=help_)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--on/--off", "on", default=None, help="Serve the pages, or answer 404."),
    _choice("session", PagesSession, "What a login there gives: own: a session of the pages; cookies: the app's too."),
    click.option(
        "--origin",
        "page_origins",
        multiple=True,
        metavar="ORIGIN",
        help="An origin to return to, such as https://shop.example; repeat it for several, '' for none.",
    ),
    click.option(
        "--ways", metavar="WAYS", help=f"How people log in, the first one shown first: '{_WAYS}', for example."
    ),
    *_both("display-name", "The app's name"),
    *_both("slogan", "The line under the name"),
    _address("terms-url", "The terms that people agree to; '' for none."),
    _address("privacy-url", "The privacy notice."),
    _address("help-url", "Where people find help."),
    click.option("--terms-version", metavar="V", help="The state of the terms; a new one is asked once."),
    click.option("--consents", metavar="JSON", help="Further consents with a box each, as a JSON list; '' for none."),
    _choice("signup-password", SignupPassword, "Whether people choose a password when they sign up."),
    click.option(
        "--signup-fields", metavar="FIELDS", help=f"What a sign-up asks for, words of: {' '.join(SIGNUP_FIELDS)}."
    ),
    click.option("--brand", metavar="COLOUR", help="The colour of buttons and links, such as #2c4a9e."),
    _choice("corner", Corner, "How round corners are."),
    _choice("layout", Layout, "On wide screens: one card, or the name beside the form."),
    click.option("--icp", metavar="TEXT", help="The ICP line at the foot."),
    _address("icp-url", "Where it links to."),
    click.option("--police", metavar="TEXT", help="The number of the public security registration at the foot."),
    _address("police-url", "Where it links to."),
    *_both("footer", "The text at the foot"),
    click.option("--default-language", metavar="LANGUAGE", help="zh-CN or en, for browsers that ask for neither."),
    _choice("default-theme", Theme, "The theme of who has chosen none; auto: the browser's."),
    click.option(
        "--closing-days",
        metavar="N",
        type=click.IntRange(0, MOST_CLOSING_DAYS),
        help="Days until a closed account is deleted; 0: at once.",
    ),
    click.option("--logo-light", metavar="FILE", help="A PNG, JPEG or WebP of at most 64 KB; '' for none."),
    click.option("--logo-dark", metavar="FILE", help="Another one for the dark theme; '' for none."),
)


def _page_options(command: C) -> C:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("name", metavar="NAME", help="The app's name.  [required]")
@_page_options
@common_options
def pages(name: str, *, data: Path, config: Path | None, as_json: bool, **options: Any) -> None:
    """Show the hosted pages of an app, or change the given options of them."""
    given = {field: value for field, value in options.items() if value not in (None, ())}
    pictures = {field: _read(field, given.pop(field)) for field in _LOGOS if field in given}
    changes = {field: _READERS[field](value) if field in _READERS else value for field, value in given.items()}

    async def work(here: Installation) -> PageSettings:
        app = await here.store.read.apps.find_by_name(name)
        if app is None:
            raise RefusedError(f"there is no app {name}")
        found = (await here.store.read.app_pages.list_all()).get(app.app_id, NO_PAGES)
        return await _changed(here, name, changes, pictures) or found

    found = with_installation(data, config, work)
    if "brand" in changes and not as_json:
        _tell_changed(found.brand)
    _show(name, found, as_json=as_json)


async def _changed(
    here: Installation, name: str, changes: Mapping[str, Any], pictures: Mapping[str, bytes]
) -> PageSettings | None:
    """Change what was given, and return all settings. None: nothing was given."""
    from menshen.adapters.logos import PillowLogoMaker
    from menshen.flows.pages.manage import change_pages, set_logo

    maker, outcome = PillowLogoMaker(), None
    for field, picture in pictures.items():
        # Before anything is changed: one command changes all that it was given, or nothing.
        if picture and maker.make(picture) is None:
            _refuse(Denied(ProblemCode.INVALID_REQUEST, field=field), name)
    if changes:
        outcome = _kept(await change_pages(name, changes, store=here.store, world=here.world), name)
    for field, picture in pictures.items():
        made = await set_logo(name, _LOGOS[field], picture, store=here.store, world=here.world, logos=maker)
        outcome = _kept(made, name)
    return outcome


def _kept(outcome: PageSettings | Denied, name: str) -> PageSettings:
    if isinstance(outcome, Denied):
        _refuse(outcome, name)
    return outcome


def _refuse(denied: Denied, name: str) -> NoReturn:
    field = denied.field or ""
    if denied.code is ProblemCode.INVALID_REQUEST and field:
        option = "origin" if field == "page_origins" else field.replace("_", "-")
        raise RefusedError(f"app {name}: {option} {_HINTS.get('logo_light' if field in _LOGOS else field, _ADDRESS)}")
    refuse(denied, f"app {name}")


def _read(field: str, name: str) -> bytes:
    """Read a picture, and a byte more than one may have. "" is none."""
    if not name:
        return b""
    try:
        with Path(name).open("rb") as file:
            found = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RefusedError(f"cannot read {name}: {error.strerror}") from None
    if not found:
        raise RefusedError(f"{name} is empty: {field.replace('_', '-')} '' takes a logo away")
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _ways(text: str) -> tuple[Way, ...]:
    words = _words(text)
    if not set(words) <= set(Way):
        raise RefusedError(f"ways {_HINTS['ways']}")
    return tuple(map(Way, words))


def _consents(text: str) -> tuple[FurtherConsent, ...]:
    import msgspec

    if not text.strip():
        return ()
    known = FurtherConsent.__slots__
    try:
        raw = msgspec.json.decode(text, type=list[dict[str, Any]])
        if any(not set(each) <= set(known) for each in raw):
            raise RefusedError(f"consents {_HINTS['consents']}")
        return msgspec.convert(raw, tuple[FurtherConsent, ...])
    except msgspec.MsgspecError:
        raise RefusedError(f"consents {_HINTS['consents']}") from None


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "page_origins": lambda given: tuple(origin for origin in given if origin),
    "ways": _ways,
    "signup_fields": _words,
    "consents": _consents,
}


def _tell_changed(brand: str) -> None:
    """Say which shades the pages show of a colour, where they are not the colour itself."""
    palette = palette_of(brand)
    for ground, shades in (("light", palette.light), ("dark", palette.dark)):
        if shades.changed:
            print(f"{brand} is hard to read on a {ground} ground: the pages show {shades.brand} there", file=sys.stderr)


def _show(name: str, found: PageSettings, *, as_json: bool) -> None:
    import msgspec

    palette = palette_of(found.brand)
    shown = {"app": name, **msgspec.to_builtins(found)}
    shown |= {"brand_on_light": palette.light.brand, "brand_on_dark": palette.dark.brand}
    if as_json:
        show_json(shown)
        return
    for field, value in shown.items():
        if isinstance(value, tuple):
            shown[field] = json.dumps(value, ensure_ascii=False) if field == "consents" and value else " ".join(value)
    show_record(shown, as_json=False)
