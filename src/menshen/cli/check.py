"""Provide `menshen check`: list errors that prevent a start, and warnings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from menshen.cli.opening import RefusedError, common_options, settings_of
from menshen.cli.showing import show_json
from menshen.core.findings import Severity


@click.command()
@common_options
def check(*, data: Path, config: Path | None, as_json: bool) -> None:
    """Check settings, keys and database. Changes nothing."""
    from menshen.app.installation.inspection import inspect
    from menshen.app.world import SystemWorld

    found = asyncio.run(inspect(settings_of(data, config), SystemWorld()))
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if as_json:
        show_json([{"severity": f.severity.value, "key": f.key, "text": f.text} for f in found])
    else:
        for finding in found:
            if finding.severity is Severity.WARNING:
                print(f"warning: {finding}")
        if not found:
            print("no errors and no warnings")
    if errors:
        raise RefusedError("; ".join(map(str, errors)))
