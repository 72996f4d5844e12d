"""Provide the commands on the whole database: migrate, backup, restore, copy, epoch raise, clock confirm."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from menshen.app.installation.opening import Installation
from menshen.cli.groups import Group
from menshen.cli.opening import (
    A_PATH,
    RefusedError,
    common_options,
    file_argument,
    settings_of,
    with_installation,
)
from menshen.cli.showing import show_json, show_table

clock = Group("clock", help="Say that this machine's clock is right.")
epoch = Group("epoch", help="End all sessions, codes and captchas.")


@click.command()
@common_options
def migrate(*, data: Path, config: Path | None, as_json: bool) -> None:
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
            else asyncio.run(migrate_postgres(settings.storage.direct_url or settings.storage.url, settings.patience))
        )
    if as_json:
        show_json({"changed": done, "schema": HEAD})
    else:
        print(f"the database is at schema {HEAD} now" if done else f"the database was at schema {HEAD} already")


@click.command()
@file_argument("The backup file.")
@common_options
def backup(file: Path, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Copy the SQLite database to FILE while servers run. It does not hold the keys: store keys.toml elsewhere."""
    from menshen.app.installation.backups import take_backup

    size = take_backup(settings_of(data, config), file)
    if as_json:
        show_json({"file": str(file), "bytes": size})
    else:
        print(f"{file}: {size} bytes; keep keys.toml too, in another place")


@click.command()
@file_argument("The backup file.")
@common_options
def restore(file: Path, *, data: Path, config: Path | None, as_json: bool) -> None:
    """Replace the SQLite database by the backup FILE. All users must log in again."""
    from menshen.app.installation.backups import put_back
    from menshen.app.world import SystemWorld

    kept = put_back(settings_of(data, config), file, SystemWorld())
    if as_json:
        show_json({"restored": str(file), "kept": str(kept) if kept else None})
    else:
        moved = f"; the database before it is kept as {kept}" if kept else ""
        print(f"restored from {file}; all users must log in again{moved}")


@click.command()
@click.option(
    "--from",
    "source",
    metavar="URL",
    default="",
    show_default=False,
    help="sqlite:///…; without it, the installation's own database.",
)
@click.option(
    "--to", "target", metavar="URL", default="", show_default=False, help="postgresql://…, an empty database."
)
@click.option("--to-file", "target_file", metavar="FILE", type=A_PATH, help="A file that holds the target's URL.")
@click.option(
    "--take-back", "back", is_flag=True, help="Use the moved SQLite database again. All users must log in again."
)
@common_options
def copy(
    *,
    source: str,
    target: str,
    target_file: Path | None,
    back: bool,
    data: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Copy the SQLite database to PostgreSQL. To finish, stop the servers and run it again. All sessions stay."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from menshen.app.installation.moving import copy_to_postgres, take_back
    from menshen.app.world import SystemWorld

    if back:
        if target or target_file is not None:
            raise RefusedError("--take-back has no target: it changes the SQLite database only")
        was = take_back(settings_of(data, config), source, SystemWorld())
        if as_json:
            show_json({"taken_back_from": was})
        else:
            print(f"the SQLite database is used again; what was written to {was} since the move is not in it")
        return
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

        moved = copy_to_postgres(settings_of(data, config), source, target, show, SystemWorld())
    rows = [{"table": t.table, "rows": t.rows, "moved": t.moved, "sha256": t.digest} for t in moved.tables]
    if as_json:
        show_json({"final": moved.final, "tables": rows})
        return
    show_table(rows, as_json=False, nothing="nothing to copy")
    if moved.final:
        print(
            "Both are alike, and the SQLite database is marked as moved. "
            "Now set [storage] url to the new database, keep keys.toml, and start the servers."
        )
    else:
        print("Copied while the servers run. Stop them and run this command again: it moves only what has changed.")


@epoch.command("raise")
@common_options
def raise_epoch(*, data: Path, config: Path | None, as_json: bool) -> None:
    """End all sessions, codes and captchas issued so far, at once. Run it after restoring a PostgreSQL dump.

    Their rows are deleted afterwards. Ctrl-C is safe: everything is refused already, and servers delete the rest.
    """
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from menshen.flows.admin.epoch import clear_all_epochs, raise_epoch

    async def work(here: Installation) -> int:
        number = await raise_epoch(store=here.store, world=here.world)
        if as_json:
            show_json({"epoch": number})
        else:
            print(f"epoch {number}: all users must log in again", flush=True)
        columns = (TextColumn("{task.description} {task.completed:,.0f} old rows"), TimeElapsedColumn())
        with Progress(*columns, console=Console(file=sys.stderr), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("deleted", total=None)
            return await clear_all_epochs(store=here.store, on_progress=lambda gone: bar.update(task, completed=gone))

    gone = with_installation(data, config, work)
    if gone and not as_json:
        print(f"{gone:,} old rows deleted", file=sys.stderr)


@clock.command("confirm")
@common_options
def confirm(*, data: Path, config: Path | None, as_json: bool) -> None:
    """Say that this machine's clock is right, after a warning of `menshen check` or `clock.doubted` in the log.

    Servers sweep again within a minute, also if they went by a later time before. Without it they catch up by
    themselves after a time in which none ran.
    """
    from menshen.core.time import CLOCK_BOUND
    from menshen.flows.background.clock import confirm_clock

    async def work(here: Installation) -> int:
        _, database = await here.store.write(lambda tx: tx.upkeep.clock())
        if database and abs(here.world.now() - database) > CLOCK_BOUND:
            raise RefusedError("this machine's clock differs from the database's: mend the one that is wrong")
        return await confirm_clock(store=here.store, world=here.world)

    at = with_installation(data, config, work)
    shown = f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if as_json:
        show_json({"now": at})
    else:
        print(f"it is {shown}: servers go by this within a minute")
