"""Provide `menshen app`: add, list, show, set, rotate-secret, disable, enable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from menshen.app.installation.opening import Installation
from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, refuse, with_installation
from menshen.cli.showing import show_record, show_table
from menshen.core.apps import App, CaptchaRule, DeviceSign, SessionRule
from menshen.core.problems import Denied

cli = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The app's name.")]
Appkey = Annotated[str | None, typer.Option(metavar="N", help="8 digits; random by default.")]
Secret = Annotated[str | None, typer.Option(metavar="S", help="The key that signs requests; random by default.")]
CookiePrefix = Annotated[str | None, typer.Option(help="First part of the cookies' names.")]
CookieDomain = Annotated[str | None, typer.Option(help="Domain of the cookies; '' for the request's host.")]
HostOnly = Annotated[
    bool | None, typer.Option("--host-only-cookies/--no-host-only-cookies", help="Set cookies with the __Host- prefix.")
]
AppName = Annotated[str | None, typer.Option(help="The app_name in device_sign.")]
BusinessType = Annotated[str | None, typer.Option(help="The business_type in device_sign.")]
Host = Annotated[
    str | None, typer.Option(metavar="HOST[:PORT]", help="The Host header that selects this app for weidu requests.")
]
Captcha = Annotated[CaptchaRule | None, typer.Option(help="When a password login needs a captcha.")]
Hardened = Annotated[bool | None, typer.Option("--hardened/--no-hardened", help="Require the device fields.")]
DeviceSignScheme = Annotated[DeviceSign | None, typer.Option(help="The algorithm of device_sign.")]
Sessions = Annotated[
    SessionRule | None, typer.Option("--session-rule", help="How many sessions an account may have at once.")
]
AutoRegister = Annotated[
    bool | None, typer.Option("--auto-register/--no-auto-register", help="An SMS login creates the account.")
]
ExistCalls = Annotated[
    bool | None, typer.Option("--exist-calls/--no-exist-calls", help="Answer calls that ask if an identifier is taken.")
]
SignRequired = Annotated[
    bool | None, typer.Option("--sign-required/--no-sign-required", help="CareyShop: require the sign at every call.")
]
MirrorStatus = Annotated[
    bool | None,
    typer.Option("--mirror-status/--no-mirror-status", help="CareyShop: send the answer's status as HTTP status."),
]
PasswordMin = Annotated[int | None, typer.Option(min=6, max=128, help="Minimum length of new passwords.")]
SmsPerDay = Annotated[int | None, typer.Option(min=0, help="Codes this app may send a day; 0: no limit of its own.")]
Disabled = Annotated[bool | None, typer.Option("--disabled/--no-disabled", help="Refuse all requests of this app.")]


@cli.command()
def add(  # noqa: PLR0913 - one parameter an option
    name: Name,
    *,
    appkey: Appkey = None,
    secret: Secret = None,
    cookie_prefix: CookiePrefix = None,
    cookie_domain: CookieDomain = None,
    host_only_cookies: HostOnly = None,
    app_name: AppName = None,
    business_type: BusinessType = None,
    host: Host = None,
    captcha: Captcha = None,
    hardened: Hardened = None,
    device_sign: DeviceSignScheme = None,
    session_rule: Sessions = None,
    auto_register: AutoRegister = None,
    exist_calls: ExistCalls = None,
    sign_required: SignRequired = None,
    mirror_status: MirrorStatus = None,
    password_min: PasswordMin = None,
    sms_per_day: SmsPerDay = None,
    disabled: Disabled = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Add an app and show its appkey and secret."""
    from menshen.flows.apps.manage import add_app

    given = _given(locals())

    async def work(here: Installation) -> App:
        return _kept(await add_app(name, given, store=here.store, world=here.world), name)

    _show(with_installation(data, config, work, creates=True), secret=True, as_json=as_json)


@cli.command("set")
def set_(  # noqa: PLR0913 - one parameter an option
    name: Name,
    *,
    appkey: Appkey = None,
    cookie_prefix: CookiePrefix = None,
    cookie_domain: CookieDomain = None,
    host_only_cookies: HostOnly = None,
    app_name: AppName = None,
    business_type: BusinessType = None,
    host: Host = None,
    captcha: Captcha = None,
    hardened: Hardened = None,
    device_sign: DeviceSignScheme = None,
    session_rule: Sessions = None,
    auto_register: AutoRegister = None,
    exist_calls: ExistCalls = None,
    sign_required: SignRequired = None,
    mirror_status: MirrorStatus = None,
    password_min: PasswordMin = None,
    sms_per_day: SmsPerDay = None,
    disabled: Disabled = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Change the given options of an app."""
    given = _given(locals())
    if not given:
        raise RefusedError(f"app {name}: no option to set was given")
    _show(_change(name, given, data, config), as_json=as_json)


@cli.command("list")
def list_(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """List the apps."""

    async def work(here: Installation) -> list[App]:
        return list(await here.store.read.apps.list_all())

    found = with_installation(data, config, work)
    if as_json:
        show_table([_record(app) for app in found], as_json=True, nothing="")
        return
    columns = ("name", "appkey", "host", "cookie_prefix", "captcha", "hardened", "disabled")
    show_table([{name: getattr(app, name) for name in columns} for app in found], as_json=False, nothing="no apps")


@cli.command()
def show(
    name: Name,
    *,
    secret: Annotated[bool, typer.Option("--secret", help="Show the secret too.")] = False,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show an app."""

    async def work(here: Installation) -> App:
        found = await here.store.read.apps.find_by_name(name)
        if found is None:
            raise RefusedError(f"there is no app {name}")
        return found

    _show(with_installation(data, config, work), secret=secret, as_json=as_json)


@cli.command()
def rotate_secret(
    name: Name, *, secret: Secret = None, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False
) -> None:
    """Give an app a new secret and show it. The old secret stops working at once."""
    from menshen.app.world import SystemWorld
    from menshen.flows.apps.manage import draw_secret

    given = {"secret": draw_secret(SystemWorld()) if secret is None else secret}
    _show(_change(name, given, data, config), secret=True, as_json=as_json)


@cli.command()
def disable(name: Name, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Disable an app: all its requests are refused."""
    _show(_change(name, {"disabled": True}, data, config), as_json=as_json)


@cli.command()
def enable(name: Name, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Enable a disabled app again."""
    _show(_change(name, {"disabled": False}, data, config), as_json=as_json)


_FIELDS = frozenset(field.name for field in fields(App)) - {"app_id", "name"}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given options, by the field of `App` with the same name."""
    return {name: value for name, value in values.items() if name in _FIELDS and value is not None}


def _change(name: str, given: Mapping[str, Any], data: Path, config: Path | None) -> App:
    from menshen.flows.apps.manage import change_app

    async def work(here: Installation) -> App:
        return _kept(await change_app(name, given, store=here.store, world=here.world), name)

    return with_installation(data, config, work)


def _kept(outcome: App | Denied, name: str) -> App:
    if isinstance(outcome, Denied):
        refuse(outcome, f"app {name}")
    return outcome


def _record(app: App, *, secret: bool = False) -> dict[str, Any]:
    return {field.name: getattr(app, field.name) for field in fields(App) if secret or field.name != "secret"}


def _show(app: App, *, secret: bool = False, as_json: bool) -> None:
    show_record(_record(app, secret=secret), as_json=as_json)
