"""Save the results of a run: a table, JSON, and after a whole run the figures of docs/measured/performance.md."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import plots
from bench.servers import ROOT
from bench.stats import Row

RESULTS = ROOT / "bench" / "results"
DOCS = ROOT / "docs" / "measured"
FIGURES = DOCS / "performance"
DOCUMENT = DOCS / "performance.md"


def table(rows: Sequence[Row]) -> str:
    """Return the table in Markdown, which a terminal can show, too."""
    lines = [
        "| row | against | ratio (least – most) | absolute | wanted → got | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        wanted = "; ".join(
            f"{'' if v.reached else '**'}{v.wanted} → {v.got}{'' if v.reached else '**'}" for v in row.verdicts
        )
        lines.append(
            f"| {row.name} | {row.against} | {row.ratio:.2f} ({row.spread[0]:.2f} – {row.spread[1]:.2f}) "
            f"| {row.figure} | {wanted} | {'reached' if row.reached else 'missed'} |"
        )
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Describe the machine, as far as figures depend on it."""
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": model[0].partition(": ")[2] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": [round(x, 2) for x in os.getloadavg()],
        "python": platform.python_version(),
        "kernel": platform.release(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def save(rows: Sequence[Row], about: dict[str, Any], name: str) -> Path:
    """Write the JSON of this run."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(
        json.dumps({"about": about, "rows": [asdict(row) for row in rows]}, indent=1, ensure_ascii=False) + "\n"
    )
    return path


def publish(rows: Sequence[Row], about: dict[str, Any], kept: Path) -> None:
    """Put the figures of a whole run into docs/measured/performance.md, its plots and a copy of its JSON beside it."""
    FIGURES.mkdir(exist_ok=True)
    part = "long" if any("accounts" in row.name for row in rows) else "short"
    names = {"short": ("latency-reads", "latency-writes", "scaling"), "long": ("scale",)}[part]
    pictures = [picture for picture in names if _draw(picture, rows)]
    (FIGURES / f"last-{part}.json").write_text(kept.read_text())
    told = (
        f"Measured {about['at'][:10]} at commit {about['commit']} on {about['cores']} cores ({about['cpu']}), Python "
        f"{about['python']}, load average before {about['load_before'][0]}.\n\n"
    )
    drawn = "".join(f"\n\n![{picture}](performance/{picture}.svg)" for picture in pictures)
    put(f"figures {part}", f"{told}{table(rows)}{drawn}")


def put(section: str, text: str) -> None:
    """Replace the text between the marks of `section` in docs/measured/performance.md."""
    begin, end = (f"<!-- {section}: {mark} -->" for mark in ("begin", "end"))
    before, _, rest = DOCUMENT.read_text().partition(begin)
    _, _, after = rest.partition(end)
    DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def _draw(picture: str, rows: Sequence[Row]) -> bool:
    reads = {row.name: row for row in rows if row.name.startswith("token check")}
    writes = {row.name: row for row in rows if "latency" in row.detail and row.name not in reads}
    fleets = {row.name.rpartition(", ")[2]: row.detail["workers"] for row in rows if "workers" in row.detail}
    scaled = {row.name.rpartition(",")[0] and row.name.split(" accounts")[0].rpartition(", ")[0]: row
              for row in rows if "many" in row.detail}  # fmt: skip
    text = ""
    if picture == "latency-reads" and reads:
        curves = {"bare ASGI": next(iter(reads.values())).detail["bare_latency"]}
        curves |= {_short(name): row.detail["latency"] for name, row in reads.items()}
        text = plots.latency("Token checks: latency", curves)
    elif picture == "latency-writes" and writes:
        text = plots.latency(
            "Logins and refreshes: latency", {_short(n): r.detail["latency"] for n, r in writes.items()}
        )
    elif picture == "scaling" and fleets:
        groups = {store: {f"{n} workers": rate for n, rate in rates.items()} for store, rates in fleets.items()}
        text = plots.bars("Token checks by workers", groups, "checks a second")
    elif picture == "scale" and scaled:
        groups = {
            name: {"few": _mid(row.detail["few"]), "many": _mid(row.detail["many"])} for name, row in scaled.items()
        }
        text = plots.bars("A thousand times the data", groups, "a second")
    if text:
        (FIGURES / f"{picture}.svg").write_text(text)
    return bool(text)


def _mid(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _short(name: str) -> str:
    for long, short in ((", one worker", ""), ("token check, ", ""), ("password login, ", "password, "),
                        ("10 times the logins there is room for", "checks in overload")):  # fmt: skip
        name = name.replace(long, short)
    return name
