"""The metrics at /metrics."""

from __future__ import annotations

from typing import Final

from prometheus_client import REGISTRY

from menshen.app import telemetry
from tools.docs.markdown import code, codes, table
from tools.docs.sources import modules

_PREFIX: Final = "menshen_"


def render() -> str:
    """Give each metric with its kind, its labels and its description."""
    # The collectors register themselves at import.
    [*modules(telemetry.__name__)]
    rows = []
    # The library shows a collector's labels in no public way before it has counted.
    for collector in REGISTRY._collector_to_names:  # noqa: SLF001
        for family in getattr(collector, "describe", list)():
            if family.name.startswith(_PREFIX):
                name = f"{family.name}_total" if family.type == "counter" else family.name
                rows.append(
                    (code(name), family.type, codes(getattr(collector, "_labelnames", ())), family.documentation)
                )
    return table(("metric", "kind", "labels", "what it measures"), sorted(rows))
