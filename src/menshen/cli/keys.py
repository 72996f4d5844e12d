"""Provide `menshen keys rotate`."""

from __future__ import annotations

from pathlib import Path

from menshen.cli.groups import Group
from menshen.cli.opening import RefusedError, common_options, settings_of
from menshen.cli.showing import show_json

cli = Group("keys", help="The installation's secrets.")


@cli.command()
@common_options
def rotate(*, data: Path, config: Path | None, as_json: bool) -> None:
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
