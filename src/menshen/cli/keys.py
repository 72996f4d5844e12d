"""Provide `menshen keys rotate`."""

from __future__ import annotations

import typer

from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, settings_of
from menshen.cli.showing import show_json

cli = typer.Typer(no_args_is_help=True)


@cli.callback()
def family() -> None:
    """Manage the installation's secrets."""


@cli.command()
def rotate(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Add a key for new values, from the next start on. The old keys still verify old values."""
    from menshen.app import keys_file
    from menshen.app.world import SystemWorld

    settings = settings_of(data, config)
    if settings.keys.content:
        raise RefusedError("the keys come from [keys] content: add the new key there, before the others")
    if not settings.keys_path.exists():
        raise RefusedError(f"there is no installation: {settings.keys_path} is missing")
    made = keys_file.rotate(settings.keys_path, SystemWorld())
    if as_json:
        show_json({"id": made, "file": str(settings.keys_path)})
    else:
        print(f"key {made} makes new values after a restart of each server with {settings.keys_path}")
