"""Describe use cases as data: what each one does, and which refusals it may answer with.

Metrics, the interface documents and the tests read this. It must not know any use case.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from menshen.core.gates.members import MemberQuota
from menshen.core.problems import ProblemCode

F = TypeVar("F", bound=Callable[..., Any])
_FLOW: Final = "flow"


class FlowKind(StrEnum):
    """Classify what a use case does. Metrics are counted by kind.

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
    With `deny_list` it refuses networks on the deny list of the settings. With `device_rule` it refuses devices without
    a sign if the app is hardened. `quota` limits how often a person with a session may call it.
    """

    kind: FlowKind
    refusals: frozenset[ProblemCode]
    method: str = ""
    deny_list: bool = False
    device_rule: bool = False
    quota: MemberQuota | None = None


def use_case(
    kind: FlowKind,
    refusals: Collection[ProblemCode] = (),
    *,
    method: str = "",
    deny_list: bool = False,
    device_rule: bool = False,
    quota: MemberQuota | None = None,
) -> Callable[[F], F]:
    """Attach a `UseCase` to a flow. The function itself is not changed.

    `refusals` names what the flow and its helpers refuse. UNAVAILABLE is added to all of them, because any store can
    raise it, FORBIDDEN where `deny_list` applies, DEVICE_REQUIRED where `device_rule` does, and TOO_MANY_REQUESTS with
    a `quota`.
    """
    added = {ProblemCode.UNAVAILABLE}
    added |= {ProblemCode.FORBIDDEN} if deny_list else set()
    added |= {ProblemCode.DEVICE_REQUIRED} if device_rule else set()
    added |= {ProblemCode.TOO_MANY_REQUESTS} if quota else set()
    described = UseCase(kind, frozenset(refusals) | added, method, deny_list, device_rule, quota)

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
