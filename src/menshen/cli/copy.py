"""`menshen copy --from sqlite:///… --to postgresql://…`: move an installation to PostgreSQL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, settings_of
from menshen.cli.showing import show_json, show_table


def copy(
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="sqlite:///… (the installation's own when left out).")
    ] = "",
    target: Annotated[str, typer.Option("--to", metavar="URL", help="postgresql://…, an empty database.")] = "",
    target_file: Annotated[
        Path | None, typer.Option("--to-file", metavar="FILE", help="A file that holds the target's address.")
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Copy everything to PostgreSQL; once more with the servers stopped, to finish. Nobody is logged out."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from menshen.app.installation.moving import copy_to_postgres

    if target_file is not None:
        target = target_file.read_text("utf-8").strip()
    if not target:
        raise RefusedError("say where to: --to postgresql://… or --to-file FILE")
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
        print("Copied as of now, while servers go on. Stop them and run it again: only what changed is moved then.")
