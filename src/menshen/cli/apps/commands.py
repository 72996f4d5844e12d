"""Provide `menshen app`. The command about hosted pages has a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import click

from menshen.app.installation.opening import Installation
from menshen.cli.apps.pages import pages
from menshen.cli.groups import Group
from menshen.cli.opening import C, RefusedError, common_options, refuse, with_installation
from menshen.cli.showing import show_record, show_table
from menshen.core.apps import App, CaptchaRule, DeviceSign, RegisterRule, SecondFactorRule, SessionRule
from menshen.core.factors.proofs import BESIDE_PLUGINS
from menshen.core.pages.settings import NO_PAGES
from menshen.core.problems import Denied

cli = Group("app", help="Client apps.")

_Shown = tuple[App, bool]


def _switch(name: str, help_: str) -> Callable[[C], C]:
    return click.option(f"--{name}/--no-{name}", default=None, help=help_)


def _choice(name: str, of: type[Enum], help_: str) -> Callable[[C], C]:
    def member(_context: click.Context, _option: click.Parameter, given: str | None) -> Enum | None:
        return None if given is None else of(given)

    return click.option(f"--{name}", type=click.Choice([each.value for each in of]), callback=member, help=help_)


_name_argument = click.argument("name", metavar="NAME", help="The app's name.  [required]")
_appkey_option = click.option("--appkey", metavar="N", help="8 digits; random by default.")
_secret_option = click.option("--secret", metavar="S", help="The key that signs requests; random by default.")

_SETTINGS: tuple[Callable[[Any], Any], ...] = (
    click.option("--cookie-prefix", help="First part of the cookies' names; a new app takes that of `default`."),
    click.option("--cookie-domain", help="Domain of the cookies; '' for the request's host."),
    _switch("host-only-cookies", "Set cookies with the __Host- prefix."),
    click.option("--app-name", help="The app_name in device_sign."),
    click.option("--business-type", help="The business_type in device_sign."),
    click.option("--host", metavar="HOST[:PORT]", help="The Host header that selects this app for weidu requests."),
    _choice(
        "captcha", CaptchaRule, "When a password login needs a captcha; always: registering, codes and exist calls too."
    ),
    click.option(
        "--captcha-vendor",
        metavar="NAME",
        help="The table of [[captcha.vendors]] whose test weidu clients show; '' for the built-in test.",
    ),
    _switch("hardened", "Require a signed device, in every dialect."),
    _choice("device-sign", DeviceSign, "The algorithm of device_sign."),
    _choice("session-rule", SessionRule, "How many sessions an account may have at once."),
    _choice(
        "register", RegisterRule, "What a newcomer must prove: bare: nothing; phone: the phone; off: nobody registers."
    ),
    _switch("auto-register", "An SMS login creates the account; without: sign-up only."),
    _switch("exist-calls", "Answer calls that ask if an identifier is taken."),
    _switch("sign-required", "CareyShop: require the sign at every call."),
    _switch("mirror-status", "CareyShop: send the answer's status as HTTP status."),
    click.option("--password-min", metavar="N", type=click.IntRange(6, 128), help="Minimum length of new passwords."),
    click.option(
        "--sms-per-day",
        metavar="N",
        type=click.IntRange(0),
        help="Codes this app may send a day; 0: no limit of its own.",
    ),
    _choice(
        "second-factor",
        SecondFactorRule,
        "Who logs in by two proofs: off: whose account asks already; optional: who wants; required: all.",
    ),
    click.option(
        "--required-for-roles", metavar="ROLES", help="The roles that required_for asks: 'admin editor', for example."
    ),
    click.option(
        "--factors",
        metavar="KINDS",
        help="What people may enrol: 'passkey totp recovery', for example; '' for nothing.",
    ),
    _switch("sms-step", "Take a code by SMS as second step, the weakest one."),
    click.option(
        "--trusted-days",
        metavar="N",
        type=click.IntRange(0, 365),
        help="How long a device needs no second step after a password; 0: not at all.",
    ),
    click.option(
        "--enrol-by",
        metavar="N",
        type=click.IntRange(0, 365),
        help="Days after the rule began in which people may still log in without a factor.",
    ),
    _switch("disabled", "Refuse all requests and sessions of this app."),
)


def _setting_options(command: C) -> C:
    """Add the options of `app add` and `app set` for the fields of an app."""
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@cli.command()
@_name_argument
@_appkey_option
@_secret_option
@_setting_options
@common_options
def add(
    name: str,
    *,
    data: Path,
    config: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Add an app and show its appkey and secret."""
    from menshen.flows.apps.manage import add_app

    given = _given(options)

    async def work(here: Installation) -> _Shown:
        plugins = _plugins(given)
        made = await add_app(name, given, store=here.store, world=here.world, plugins=plugins)
        return await _shown(here, _kept(made, name, plugins))

    _show(with_installation(data, config, work, creates=True), secret=True, as_json=as_json)


@cli.command("set")
@_name_argument
@_appkey_option
@_setting_options
@common_options
def set_(
    name: str,
    *,
    data: Path,
    config: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Change the given options of an app."""
    given = _given(options)
    if not given:
        raise RefusedError(f"app {name}: no option to set was given")
    _show(_change(name, given, data, config), as_json=as_json)


@cli.command("list")
@common_options
def list_(*, data: Path, config: Path | None, as_json: bool) -> None:
    """List the apps."""

    async def work(here: Installation) -> list[_Shown]:
        of = await here.store.read.app_pages.list_all()
        return [(app, of.get(app.app_id, NO_PAGES).on) for app in await here.store.read.apps.list_all()]

    records = [_record(*found) for found in with_installation(data, config, work)]
    if as_json:
        show_table(records, as_json=True, nothing="")
        return
    columns = ("name", "appkey", "host", "cookie_prefix", "captcha", "hardened", "pages", "disabled")
    show_table([{name: record[name] for name in columns} for record in records], as_json=False, nothing="no apps")


@cli.command()
@_name_argument
@click.option("--secret", is_flag=True, help="Show the secret too.")
@common_options
def show(
    name: str,
    *,
    secret: bool,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Show an app."""

    async def work(here: Installation) -> _Shown:
        found = await here.store.read.apps.find_by_name(name)
        if found is None:
            raise RefusedError(f"there is no app {name}")
        return await _shown(here, found)

    _show(with_installation(data, config, work), secret=secret, as_json=as_json)


@cli.command()
@_name_argument
@_secret_option
@common_options
def rotate_secret(name: str, *, secret: str | None, data: Path, config: Path | None, as_json: bool) -> None:
    """Give an app a new secret and show it. The old secret stops working at once."""
    from menshen.app.world import SystemWorld
    from menshen.flows.apps.manage import draw_secret

    given = {"secret": draw_secret(SystemWorld()) if secret is None else secret}
    _show(_change(name, given, data, config), secret=True, as_json=as_json)


@cli.command()
@_name_argument
@common_options
def disable(name: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Disable an app: all its requests and its sessions are refused until it is enabled."""
    _show(_change(name, {"disabled": True}, data, config), as_json=as_json)


@cli.command()
@_name_argument
@common_options
def enable(name: str, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Enable a disabled app again."""
    _show(_change(name, {"disabled": False}, data, config), as_json=as_json)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given. Each has the name of a field of `App`."""
    return {name: value for name, value in options.items() if value is not None}


def _change(name: str, given: Mapping[str, Any], data: Path, config: Path | None) -> _Shown:
    from menshen.flows.apps.manage import change_app

    async def work(here: Installation) -> _Shown:
        plugins = _plugins(given)
        changed = await change_app(name, given, store=here.store, world=here.world, plugins=plugins)
        return await _shown(here, _kept(changed, name, plugins))

    return with_installation(data, config, work)


def _plugins(given: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the plug-ins of factors, if they are needed to judge `given`."""
    from menshen.app.parts.factors import factor_kinds

    return factor_kinds().names if "factors" in given else frozenset()


def _kept(outcome: App | Denied, name: str, plugins: Collection[str]) -> App:
    if isinstance(outcome, Denied):
        if outcome.field == "factors":
            kinds = ", ".join(sorted(BESIDE_PLUGINS.union(plugins)))
            raise RefusedError(f"app {name}: factors are words of these, with spaces between them: {kinds}")
        refuse(outcome, f"app {name}")
    return outcome


async def _shown(here: Installation, app: App) -> _Shown:
    """Return the app with whether it has hosted pages."""
    return app, (await here.store.read.app_pages.list_all()).get(app.app_id, NO_PAGES).on


def _record(app: App, has_pages: bool, *, secret: bool = False) -> dict[str, Any]:  # noqa: FBT001 - half of `_Shown`
    known = {field.name: getattr(app, field.name) for field in fields(App) if secret or field.name != "secret"}
    return known | {"pages": has_pages}


def _show(shown: _Shown, *, secret: bool = False, as_json: bool) -> None:
    show_record(_record(*shown, secret=secret), as_json=as_json)


cli.add_command(pages)
