"""`menshen hash calibrate`."""

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
    """The cost of password hashes."""


@cli.command()
def calibrate(
    *,
    target_ms: Annotated[
        int, typer.Option(min=1, max=10_000, help="How long one hash may take, in milliseconds.")
    ] = 50,
    most_mib: Annotated[int, typer.Option(min=19, max=256, help="Memory that one hash may take, in MiB.")] = 64,
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
    print(
        f"# {found.milliseconds:.0f} ms a hash when nothing else runs: about {rate:.0f} logins a second at most here,"
    )
    print(f"# and {chosen.memory_kib * threads // _MIB} MiB while {threads} are hashed at once.")
    if chosen == LEAST and found.milliseconds > target_ms:
        print(f"# This is the least that is safe; {target_ms} ms would ask for less.")
    print("# Each account's hash is made anew at its next right password.")
