"""Compare the types of flows with those of the catalogue and of the ports, in full."""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, get_args, get_origin, get_type_hints

from menshen.app.binding import port_fault, ports_named_by
from menshen.flows.use_case import flows_of


def faults_of(subject: type, ports: type) -> list[str]:
    """Return a sentence for each place where a flow of `subject` does not fit its catalogue or `ports`."""
    kept, declared, faults = get_type_hints(ports), get_type_hints(subject), []
    for name, flow in flows_of(subject).items():
        hints = get_type_hints(flow)
        faults += [
            port_fault(name, port, shown(hints[port]), shown(kept[port]) if port in kept else None)
            for port in ports_named_by(flow)
            if hints[port] != kept.get(port)
        ]
        wanted, promised = get_args(declared[name])
        awaited = get_origin(promised) is Awaitable
        if awaited != iscoroutinefunction(flow):
            faults.append(f"{name} must {'' if awaited else 'not '}be awaited, says the catalogue")
        answer = get_args(promised)[0] if awaited else promised
        parameters = signature(flow).parameters.values()
        taken = [hints[p.name] for p in parameters if p.kind is not Parameter.KEYWORD_ONLY]
        for what, flows_own, catalogues in (("takes", taken, wanted), ("answers", hints["return"], answer)):
            if flows_own != catalogues:
                faults.append(f"{name} {what} {shown(flows_own)}, but the catalogue says {shown(catalogues)}")
    return faults


def shown(kind: Any) -> str:
    """Return a type, or a list of them, as a reader knows it."""
    if isinstance(kind, list):
        return f"({', '.join(map(shown, kind))})"
    return kind.__qualname__ if isinstance(kind, type) and not get_args(kind) else str(kind)
