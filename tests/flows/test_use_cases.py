"""Each use case declares all of its refusals, and none that its code cannot give.

Every flow of a harness is held to what it declares as well (`tests/canary_listening.py`), in all tests that use one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, get_type_hints

import pytest

from menshen.core.problems import Denied, ProblemCode
from menshen.flows.catalog import Flows, use_cases
from menshen.flows.use_case import FlowKind, UseCase, flows_of, use_case, use_case_of
from tests.canary_listening import demand_declared

FLOWS = {
    f"{subject}.{name}": flow
    for subject, kind in get_type_hints(Flows).items()
    if isinstance(kind, type) and kind.__module__.startswith("menshen.flows")
    for name, flow in flows_of(kind).items()
}
OF_PORTS = frozenset({ProblemCode.UNAVAILABLE, ProblemCode.OVERLOADED})
"""What stores and hashers raise: no flow has to name it."""


OURS = ("menshen.", "tests.")


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that a function uses, those of its inner functions too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def reached(flow: Callable[..., Any], found: set[Any]) -> set[Any]:
    """Add the function and those of our own packages that it calls, and so on, to `found`."""
    if isinstance(flow, FunctionType) and flow.__module__.startswith(OURS) and flow not in found:
        found.add(flow)
        for name in names_in(flow.__code__):
            reached(flow.__globals__.get(name), found)  # type: ignore[arg-type]
    return found


def named_by(function: Any) -> set[ProblemCode]:
    """Return the codes that stand in a function's text."""
    return {ProblemCode[name] for name in names_in(function.__code__) if name in ProblemCode.__members__}


def codes_of(flow: Callable[..., Any], *, module: str = "") -> set[ProblemCode]:
    """Return the codes that `flow` and what it calls name, of one `module` alone where it is given."""
    return {c for f in reached(flow, set()) if module in {"", f.__module__} for c in named_by(f)}


@pytest.mark.parametrize("name", FLOWS)
def test_it_declares_what_its_own_module_refuses(name: str) -> None:
    flow = FLOWS[name]
    assert codes_of(flow, module=flow.__module__) <= use_case_of(flow).refusals


@pytest.mark.parametrize("name", FLOWS)
def test_it_declares_nothing_that_cannot_happen(name: str) -> None:
    flow, described = FLOWS[name], use_case_of(FLOWS[name])
    listed = {ProblemCode.FORBIDDEN} if described.deny_list else set()
    listed |= {ProblemCode.DEVICE_REQUIRED} if described.device_rule else set()
    listed |= {ProblemCode.TOO_MANY_REQUESTS} if described.quota else set()
    assert described.refusals <= codes_of(flow) | OF_PORTS | listed


def test_the_list_is_whole() -> None:
    assert set(use_cases()) == set(FLOWS)
    assert len(FLOWS) > 30
    assert {name for name, described in use_cases().items() if described.kind is FlowKind.LOGIN} == {
        name for name, described in use_cases().items() if described.method
    }


# --- the checks are seen failing --------------------------------------------------------------------------------------


def refuses() -> Denied:
    return Denied(ProblemCode.WRONG_CODE)


@use_case(FlowKind.LOOKUP, {ProblemCode.NOT_FOUND})
async def careless() -> Denied:
    async def inner() -> Denied:
        return refuses()

    return await inner()


def test_an_undeclared_code_is_seen_in_the_text() -> None:
    assert codes_of(careless) == codes_of(careless, module=__name__) == {ProblemCode.WRONG_CODE}
    assert use_case_of(careless).refusals == {ProblemCode.NOT_FOUND, ProblemCode.UNAVAILABLE}


def test_an_undeclared_refusal_fails_the_test_that_met_it() -> None:
    described = UseCase(FlowKind.LOOKUP, frozenset({ProblemCode.NOT_FOUND}))
    demand_declared("account.find", described, Denied(ProblemCode.NOT_FOUND))
    demand_declared("account.find", described, None)
    with pytest.raises(AssertionError, match=r"account\.find refused with wrong_code"):
        demand_declared("account.find", described, Denied(ProblemCode.WRONG_CODE))


def test_the_gates_and_a_store_away_are_declared_for_all() -> None:
    @use_case(FlowKind.CHANGE, deny_list=True)
    async def open_to_all() -> None: ...

    @use_case(FlowKind.CHANGE, device_rule=True)
    async def for_devices() -> None: ...

    assert use_case_of(open_to_all).refusals == {ProblemCode.UNAVAILABLE, ProblemCode.FORBIDDEN}
    assert use_case_of(for_devices).refusals == {ProblemCode.UNAVAILABLE, ProblemCode.DEVICE_REQUIRED}
