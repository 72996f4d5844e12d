"""Provide `menshen hash calibrate`: propose the cost of password hashes."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from menshen.cli.opening import AsJson
from menshen.cli.showing import show_json

cli = typer.Typer(no_args_is_help=True)

_MIB = 1024


@cli.callback()
def family() -> None:
    """Choose the cost of password hashes."""


@cli.command()
def calibrate(
    *,
    target_ms: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum time of one hash, in milliseconds.")] = 50,
    most_mib: Annotated[int, typer.Option(min=19, max=256, help="Maximum memory of one hash, in MiB.")] = 64,
    as_json: AsJson = False,
) -> None:
    """Propose argon2id parameters for this machine, never below OWASP's minimum. Changes nothing."""
    from menshen.adapters.hashing.calibrate import LEAST, measure_here, propose

    threads = len(os.sched_getaffinity(0))
    found = propose(target_ms, most_mib * _MIB, measure_here)
    chosen = found.parameters
    if as_json:
        show_json(
            {
                "memory_kib": chosen.memory_kib,
                "passes": chosen.passes,
                "milliseconds": round(found.milliseconds, 1),
                "least_milliseconds": round(found.least_milliseconds, 1),
                "threads": threads,
            }
        )
        return
    rate = 1000 / found.milliseconds * threads
    print("[hash]")
    print(f"memory_kib = {chosen.memory_kib}")
    print(f"passes = {chosen.passes}")
    print(f"# {found.milliseconds:.0f} ms a hash on an idle machine: at most about {rate:.0f} logins a second here,")
    print(f"# and {chosen.memory_kib * threads // _MIB} MiB while {threads} hashes run at once.")
    if chosen == LEAST and found.milliseconds > target_ms:
        print(f"# This is the safe minimum; {target_ms} ms would need less.")
    print("# Each account gets a new hash at its next right password.")
