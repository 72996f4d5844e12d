"""Provide the commands on the whole database: `menshen migrate`, `backup`, `restore`, `copy` and `epoch raise`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from menshen.app.installation.opening import Installation
from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, settings_of, with_installation
from menshen.cli.showing import show_json, show_table
from menshen.ports.store.store import WriteTx

epoch = typer.Typer(no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup file.")]


def migrate(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Create or upgrade the database. Atomic: a killed migration changes nothing. `menshen serve` does it too."""
    from menshen.adapters.storage.sql.schema.migrate import HEAD, migrate_postgres, migrate_sqlite
    from menshen.app.installation.opening import in_use, prepare_folder, read_keys
    from menshen.app.world import SystemWorld

    settings = settings_of(data, config)
    prepare_folder(settings)
    # The keys come before the database: one without the other is refused.
    read_keys(settings, SystemWorld())
    with in_use(settings):
        path = settings.sqlite_path
        done = (
            migrate_sqlite(path, settings.patience)
            if path is not None
            else asyncio.run(migrate_postgres(settings.storage.url, settings.patience))
        )
    if as_json:
        show_json({"changed": done, "schema": HEAD})
    else:
        print(f"the database is at schema {HEAD} now" if done else f"the database was at schema {HEAD} already")


def backup(file: File, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Copy the SQLite database to FILE while servers run. It does not hold the keys: store keys.toml elsewhere."""
    from menshen.app.installation.backups import take_backup

    size = take_backup(settings_of(data, config), file)
    if as_json:
        show_json({"file": str(file), "bytes": size})
    else:
        print(f"{file}: {size} bytes; keep keys.toml too, in another place")


def restore(file: File, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Replace the SQLite database by the backup FILE. All users must log in again."""
    from menshen.app.installation.backups import put_back
    from menshen.app.world import SystemWorld

    kept = put_back(settings_of(data, config), file, SystemWorld())
    if as_json:
        show_json({"restored": str(file), "kept": str(kept) if kept else None})
    else:
        moved = f"; the database before it is kept as {kept}" if kept else ""
        print(f"restored from {file}; all users must log in again{moved}")


def copy(
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="sqlite:///…; without it, the installation's own database.")
    ] = "",
    target: Annotated[str, typer.Option("--to", metavar="URL", help="postgresql://…, an empty database.")] = "",
    target_file: Annotated[
        Path | None, typer.Option("--to-file", metavar="FILE", help="A file that holds the target's URL.")
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Copy the SQLite database to PostgreSQL. To finish, stop the servers and run it again. All sessions stay."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from menshen.app.installation.moving import copy_to_postgres

    if target_file is not None:
        target = target_file.read_text("utf-8").strip()
    if not target:
        raise RefusedError("no target was given: add --to postgresql://… or --to-file FILE")
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), disable=not sys.stderr.isatty()) as bar:
        tasks: dict[tuple[str, str], Any] = {}

        def show(table: str, stage: str, done: int, total: int) -> None:
            if (table, stage) not in tasks:
                tasks[table, stage] = bar.add_task(f"{stage} {table}", total=total)
            bar.update(tasks[table, stage], completed=done)

        moved = copy_to_postgres(settings_of(data, config), source, target, show)
    rows = [{"table": t.table, "rows": t.rows, "moved": t.moved, "sha256": t.digest} for t in moved.tables]
    if as_json:
        show_json({"final": moved.final, "tables": rows})
        return
    show_table(rows, as_json=False, nothing="nothing to copy")
    if moved.final:
        print("Both are alike. Now set [storage] url to the new database, keep keys.toml, and start the servers.")
    else:
        print("Copied while the servers run. Stop them and run this command again: it moves only what has changed.")


@epoch.callback()
def family() -> None:
    """End all sessions, codes and captchas."""


@epoch.command("raise")
def raise_epoch(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """End all sessions, codes and captchas issued so far, at once. Run it after restoring a PostgreSQL dump."""

    async def work(here: Installation) -> int:
        async def higher(tx: WriteTx) -> int:
            return await tx.upkeep.raise_epoch()

        return await here.store.write(higher)

    number = with_installation(data, config, work)
    if as_json:
        show_json({"epoch": number})
    else:
        print(f"epoch {number}: all users must log in again")
