"""Describe use cases as data: what each one does, and which refusals it may answer with.

Metrics, the interface documents and the tests read this. It must not know any use case.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from menshen.core.problems import ProblemCode

F = TypeVar("F", bound=Callable[..., Any])
_FLOW: Final = "flow"


class FlowKind(StrEnum):
    """Tell what a use case does. Metrics count by it.

    ROUTING and TOKEN_CHECK run with nearly every request: they are neither timed nor traced.
    """

    LOGIN = "login"
    CODE_SENT = "code_sent"
    CODE_VERIFIED = "code_verified"
    CHANGE = "change"
    LOOKUP = "lookup"
    ROUTING = "routing"
    TOKEN_CHECK = "token_check"


@dataclass(frozen=True, slots=True)
class UseCase:
    """Describe one use case.

    `refusals` holds every code that it may return or raise. `method` names the way to log in, "" for other kinds.
    With `deny_list` it refuses networks that the settings deny.
    """

    kind: FlowKind
    refusals: frozenset[ProblemCode]
    method: str = ""
    deny_list: bool = False


def use_case(
    kind: FlowKind, refusals: Collection[ProblemCode] = (), *, method: str = "", deny_list: bool = False
) -> Callable[[F], F]:
    """Attach a `UseCase` to a flow. The function itself stays as it is.

    Name in `refusals` what the flow and its parts refuse. UNAVAILABLE is added to all of them, because any store can
    raise it, and FORBIDDEN where `deny_list` applies.
    """
    added = {ProblemCode.UNAVAILABLE} | ({ProblemCode.FORBIDDEN} if deny_list else set())
    described = UseCase(kind, frozenset(refusals) | added, method, deny_list)

    def attach(flow: F) -> F:
        cast("Any", flow).use_case = described
        return flow

    return attach


def use_case_of(flow: Callable[..., Any]) -> UseCase:
    """Return what `use_case` attached to `flow`.

    Raises:
        AttributeError: `flow` has no description.
    """
    described: UseCase = cast("Any", flow).use_case
    return described


def served_by(flow: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the metadata of a catalogue's field: the flow that fills it."""
    return {_FLOW: flow}


def flows_of(subject: type) -> Mapping[str, Callable[..., Any]]:
    """Return the flows that fill the fields of a subject's catalogue, by the fields' names."""
    return {field.name: field.metadata[_FLOW] for field in fields(subject) if _FLOW in field.metadata}
