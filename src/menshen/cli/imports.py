"""Provide `menshen import`: one for each program that accounts can come from."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from menshen.app.installation.opening import Installation
from menshen.cli.opening import DEFAULT_DATA, AsJson, Config, Data, RefusedError, with_installation
from menshen.cli.showing import show_json, show_table

if TYPE_CHECKING:
    from menshen.flows.moving_in.source import Report

cli = typer.Typer(no_args_is_help=True)
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_PASSES: Final = 2


@cli.callback()
def family() -> None:
    """Import accounts from another program."""


@cli.command()
def careyshop(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A mysqldump, plain or gzipped.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would be imported. Changes nothing.")] = False,
    prefix: Annotated[str, typer.Option(help="The prefix of its table names.")] = "cs_",
    source: Annotated[str, typer.Option(help="A name for this shop; each shop needs its own.")] = "careyshop",
    trust_mobiles: Annotated[
        bool, typer.Option("--trust-mobiles", help="Take all phones as verified: the shop checked each by a code.")
    ] = False,
    examples: Annotated[int, typer.Option(min=0, max=10_000, help="Lines to report for each reason.")] = 20,
    report_file: Annotated[
        Path | None, typer.Option("--report", help="Write the full report to this file (JSON).")
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Import users, apps and live tokens of CareyShop. A second run continues where the first stopped."""
    from menshen.adapters.importing.careyshop import CareyShopDump
    from menshen.app.installation.rehearsing import scratch_store
    from menshen.flows.moving_in.source import Report, import_source
    from menshen.ports.importing import SourceBroken

    if not _LABEL.fullmatch(source):
        raise RefusedError("--source takes up to 32 lower-case letters, digits and hyphens")
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError(f"{file} must be a regular file, for it is read twice")
    if report_file is not None:
        # Names are masked, but it is still a list of people, so only the owner may read it. A file that cannot be
        # written must be refused before the import starts.
        report_file.touch(0o600)
    report = Report(examples)

    async def work(here: Installation) -> str | None:
        with _progress(found.st_size * _PASSES) as advance:
            dump = CareyShopDump(file, prefix, trust_mobiles, advance)
            try:
                if dry_run:
                    async with scratch_store(here) as scratch:
                        await import_source(
                            dump, source, "careyshop", report, store=scratch, world=here.world, beside=here.store.read
                        )
                else:
                    await import_source(dump, source, "careyshop", report, store=here.store, world=here.world)
            except SourceBroken as broken:
                return str(broken)
        return None

    stopped = with_installation(data, config, work, creates=True)
    whole: dict[str, Any] = {"file": file.name, "dry_run": dry_run, "stopped": stopped} | _as_json(report)
    if report_file is not None:
        _write(report_file, whole)
    if as_json:
        show_json(whole)
    else:
        show_table(_counts(report), as_json=False, nothing="nothing")
        if reasons := whole["reasons"]:
            print()
            show_table(reasons, as_json=False, nothing="")
    if stopped:
        state = "would be imported" if dry_run else "is imported"
        raise RefusedError(f"{file.name}: {stopped}; everything before it {state}")


def _counts(report: Report) -> list[dict[str, Any]]:
    from menshen.core.moving_in import Fate, RecordKind

    fates = (Fate.TAKEN, Fate.SEEN_BEFORE, Fate.LEFT_OUT)
    return [
        {"what": f"{kind.value}s"} | {fate.value: report.fates[kind, fate] for fate in fates} for kind in RecordKind
    ]


def _as_json(report: Report) -> dict[str, Any]:
    counts = {row.pop("what"): row for row in _counts(report)}
    reasons = [
        {"what": kind.value, "fate": fate.value, "reason": reason.value, "count": count}
        for (kind, fate, reason), count in sorted(report.reasons.items())
    ]
    lines = [
        {
            "line": line.line,
            "what": line.kind.value,
            "fate": line.fate.value,
            "reasons": [reason.value for reason in line.reasons],
            "subject": line.subject,
            "number": line.number,
        }
        for line in report.lines
    ]
    return counts | {"reasons": reasons, "lines": lines}


def _write(path: Path, whole: dict[str, Any]) -> None:
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", "utf-8")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar of the bytes read, at a terminal only. The file is read once for accounts and once for logins."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("read", total=total)

        def advance(count: int) -> None:
            bar.advance(task, count)
            state = bar.tasks[task]
            if state.total is not None and state.completed > state.total:
                # Accounts whose number is in use need a third reading.
                bar.update(task, total=state.total + total / _PASSES)

        yield advance
