"""Provide `menshen hash calibrate`: propose the cost of password hashes."""

from __future__ import annotations

import os

import click

from menshen.cli.groups import Group
from menshen.cli.opening import json_option
from menshen.cli.showing import show_json

cli = Group("hash", help="The cost of password hashes.")

_MIB = 1024


@cli.command()
@click.option(
    "--target-ms",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=50,
    help="Maximum time of one hash, in milliseconds.",
)
@click.option(
    "--most-mib", metavar="N", type=click.IntRange(19, 256), default=64, help="Maximum memory of one hash, in MiB."
)
@json_option()
def calibrate(*, target_ms: int, most_mib: int, as_json: bool) -> None:
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
