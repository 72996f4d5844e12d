"""The quotas of calls that people with a session make."""

from __future__ import annotations

from menshen.core.gates.limits import limit_rules
from menshen.flows.catalog import use_cases
from tools.docs.endpoints import endpoints
from tools.docs.markdown import code, codes, table


def render() -> str:
    """Give each quota with its calls, its setting, its default and what it counts by."""
    found = {name: described.quota for name, described in use_cases().items() if described.quota}
    calls = [(call.flow, call.path.rpartition("/method/")[2] or call.path, call.verb) for _, call in endpoints()]
    rows = []
    for quota in dict.fromkeys(found.values()):
        flows = {name for name, each in found.items() if each == quota}
        shown = [path if "/" not in path else f"{verb} {path}" for flow, path, verb in calls if flow in flows]
        counted = f"{quota.by.value}{', after the proof' if quota.after_proof else ''}"
        hours = quota.window // 3_600_000
        default = f"{limit_rules()[quota.limit][0]} in {'an hour' if hours == 1 else f'{hours} hours'}"
        rows.append((codes(shown), code(f"limits.{quota.limit}"), default, counted))
    return table(("calls", "setting", "default", "counted by"), rows)
