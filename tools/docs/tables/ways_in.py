"""The ways in: every call that can answer with a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from menshen.core.login.outcomes import LoginOutcome
from menshen.flows.catalog import Flows
from menshen.wire.careyshop.batch import __name__ as batch
from menshen.wire.careyshop.methods import METHODS
from tools.docs.endpoints import endpoints
from tools.docs.markdown import code, codes, table


def render() -> str:
    """Give each call that can open a session, with its flow, and what a batch may hold of them."""
    granting = {*granting_flows(Flows)}
    rows = [
        (code(f"{call.verb} {call.path}"), dialect, code(call.flow))
        for dialect, call in endpoints()
        if call.flow in granting
    ]
    held = [method for method in METHODS if method.flow in granting and method.in_batch]
    rows += [
        (f"{code(f'{call.verb} {call.path}')} with {codes(method.name for method in held)}", dialect,
         codes(method.flow for method in held))
        for dialect, call in endpoints()
        if held and call.module == batch
    ]  # fmt: skip
    return table(("call", "dialect", "flow"), rows)


def granting_flows(catalogue: Any, path: str = "") -> Iterator[str]:
    """Give the names of the flows that may answer with a session, also those of the catalogues in the catalogue."""
    for name, hint in get_type_hints(catalogue).items():
        if is_dataclass(hint):
            yield from granting_flows(hint, f"{path}{name}.")
        elif (answer := get_args(hint)) and get_args(answer[-1]) == (LoginOutcome,):
            yield path + name
