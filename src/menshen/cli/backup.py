"""`menshen backup FILE` and `menshen restore FILE`, for SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, settings_of
from menshen.cli.showing import show_json

File = Annotated[Path, typer.Argument(metavar="FILE")]


def backup(file: File, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Copy the database to FILE while servers run. The keys are not in it: keep keys.toml in another place."""
    from menshen.app.installation.backups import take_backup

    size = take_backup(settings_of(data, config), file)
    if as_json:
        show_json({"file": str(file), "bytes": size})
    else:
        print(f"{file}: {size} bytes; keep keys.toml too, in another place")


def restore(file: File, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Put the backup FILE in the place of the database. Everybody must log in again."""
    from menshen.app.installation.backups import put_back
    from menshen.app.world import SystemWorld

    kept = put_back(settings_of(data, config), file, SystemWorld())
    if as_json:
        show_json({"restored": str(file), "kept": str(kept) if kept else None})
    else:
        print(f"restored from {file}; everybody must log in again" + (f"; what was there is {kept}" if kept else ""))
