"""Provide `menshen import`: one for each program that accounts can come from."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from menshen.app.installation.opening import Installation
from menshen.cli.groups import Group
from menshen.cli.opening import A_PATH, RefusedError, common_options, file_argument, with_installation
from menshen.cli.showing import as_shown_json, show_json, show_table

if TYPE_CHECKING:
    from menshen.flows.moving_in.source import Report

cli = Group("import", help="Import accounts from another program.")
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_PASSES: Final = 2


@cli.command()
@file_argument("A mysqldump, plain or gzipped.")
@click.option("--dry-run", is_flag=True, help="Report what would be imported. Changes nothing.")
@click.option("--prefix", default="cs_", help="The prefix of its table names.")
@click.option("--source", default="careyshop", help="A name for this shop; each shop needs its own.")
@click.option("--trust-mobiles", is_flag=True, help="Take all phones as verified: the shop checked each by a code.")
@click.option(
    "--examples", metavar="N", type=click.IntRange(0, 10_000), default=20, help="Lines to report for each reason."
)
@click.option("--report", "report_file", type=A_PATH, help="Write the full report to this file (JSON).")
@common_options
def careyshop(
    file: Path,
    *,
    dry_run: bool,
    prefix: str,
    source: str,
    trust_mobiles: bool,
    examples: int,
    report_file: Path | None,
    data: Path,
    config: Path | None,
    as_json: bool,
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
        if report_file.exists() and report_file.samefile(file):
            raise RefusedError(f"{report_file} is the dump itself: give the report another name")
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
    path.write_text(as_shown_json(whole, indent=1) + "\n", "utf-8")


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
