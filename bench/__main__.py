"""Run the rows, print the table and save the figures: `python -m bench`. `--help` lists the options."""

import argparse
import os
import sys
import time
from collections.abc import Callable

from bench import report, rows_checks, rows_logins, rows_process
from bench.installation import DEAR
from bench.stage import STORES, Stage, open_stage
from bench.stats import Row

FEW, MANY = 1000, 1_000_000


def rows_of(stage: Stage) -> dict[str, Callable[[], Row]]:
    """Return all rows of a run by their short names."""
    if stage.many:
        whats = ("token check", "SMS login", "password login")
        return {
            f"scale-{what.split()[0].lower()}-{store}": lambda what=what, store=store: rows_process.scale(
                stage, store, what
            )
            for store in STORES
            for what in whats
        } | {"memory": lambda: rows_process.memory(stage)}
    rows: dict[str, Callable[[], Row]] = {}
    for store in STORES:
        for carrier in ("bearer", "cookie"):
            rows[f"check-{carrier}-{store}"] = lambda c=carrier, s=store: rows_checks.token_check(stage, s, c)
    for dialect, store in (
        ("weidu", "sqlite"),
        ("careyshop", "sqlite"),
        ("weidu", "postgres"),
        ("careyshop", "postgres"),
    ):
        rows[f"password-{dialect}-{store}"] = lambda d=dialect, s=store: rows_logins.password_login(stage, d, s)
    rows["password-dear"] = lambda: rows_logins.password_login(stage, "weidu", "sqlite", DEAR)
    rows["overload"] = lambda: rows_logins.overload(stage)
    for store in STORES:
        rows[f"sms-{store}"] = lambda s=store: rows_logins.sms_login(stage, s)
        rows[f"refresh-{store}"] = lambda s=store: rows_logins.refresh(stage, s)
        rows[f"workers-{store}"] = lambda s=store: rows_checks.workers(stage, s)
    rows["start"] = lambda: rows_process.start(stage)
    rows["memory"] = lambda: rows_process.memory(stage)
    return rows


def main() -> int:
    """Return 0 if all rows were measured. Missed targets do not count, because machines differ."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{MANY:,} accounts and 5 sessions each, 100,000 logins")
    parser.add_argument(
        "--smoke", action="store_true", help="a few seconds a row: does it run? The figures mean little"
    )
    parser.add_argument("--rows", nargs="+", default=[], metavar="NAME", help="only rows whose name begins so")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of both sides, 5 by default")
    parser.add_argument("--seconds", type=float, default=0.0, help="one side of one round, 2 by default")
    parser.add_argument("--many", type=int, default=MANY, help="accounts of the large data")
    asked = parser.parse_args()
    rounds = asked.rounds or (2 if asked.smoke else 5)
    seconds = asked.seconds or (0.7 if asked.smoke else 2.0)
    logins = 100_000 if asked.long else 2_000 if asked.smoke else 20_000
    about = report.machine() | {"rounds": rounds, "seconds": seconds}
    if about["load_before"][0] > 0.5 * (os.cpu_count() or 1):
        print(
            f"The machine is busy (load average {about['load_before'][0]}): figures will be worse than it can.",
            file=sys.stderr,
        )
    rows, failed = [], 0
    with open_stage(
        rounds=rounds, seconds=seconds, accounts=FEW, many=asked.many if asked.long else 0, logins=logins
    ) as stage:
        wanted = {
            name: row for name, row in rows_of(stage).items() if not asked.rows or name.startswith(tuple(asked.rows))
        }
        for number, (name, measure) in enumerate(wanted.items(), 1):
            print(f"[{number}/{len(wanted)}] {name} ", end="", file=sys.stderr, flush=True)
            begin = time.monotonic()
            try:
                row = measure()
            except (RuntimeError, OSError) as error:
                failed += 1
                print(f"failed: {error}", file=sys.stderr)
                continue
            rows.append(row)
            verdict = "reached" if row.reached else "MISSED"
            print(
                f"{row.ratio:.2f}  {row.figure}  {verdict}  ({time.monotonic() - begin:.0f} s)",
                file=sys.stderr,
                flush=True,
            )
    print(report.table(rows))
    name = "smoke" if asked.smoke else "long" if asked.long else "short"
    kept = report.save(rows, about, name)
    print(f"\nfigures: {kept.relative_to(report.ROOT)}")
    if not (asked.smoke or asked.rows or failed):
        report.publish(rows, about, kept)
        print("docs/measured/performance.md has them too")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
