"""Every flow fits its catalogue and the ports; a binding that does not fit is refused in one sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, make_dataclass
from typing import Any, cast, get_type_hints

import pytest

from menshen.app.binding import BindingError, bind
from menshen.app.ports import Ports
from menshen.core.policy import Policy
from menshen.core.problems import Denied
from menshen.flows.catalog import Flows, use_cases
from menshen.flows.use_case import FlowKind, flows_of, served_by, use_case
from menshen.ports.store.store import Store
from tests.app.bindings import faults_of
from tests.harness import Harness

SUBJECTS = ("apps", "sessions", "login", "codes", "captcha", "account", "factors", "pages")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_flow_fits(subject: str) -> None:
    kind = get_type_hints(Flows)[subject]
    assert flows_of(kind)
    assert faults_of(kind, Ports) == []


def test_these_are_all_the_subjects() -> None:
    assert {name.partition(".")[0] for name in use_cases()} == set(SUBJECTS)
    assert len(use_cases()) == sum(len(flows_of(get_type_hints(Flows)[subject])) for subject in SUBJECTS)


async def test_what_is_bound_is_what_the_catalogue_names(harness: Harness) -> None:
    for subject in SUBJECTS:
        assert set(flows_of(type(getattr(harness.flows, subject)))) == set(getattr(harness.flows, subject).__slots__)


@dataclass(frozen=True, kw_only=True)
class Given:
    """Ports of the examples below."""

    store: Store
    policy: Policy
    number: int


@use_case(FlowKind.LOOKUP)
async def fits(ask: str, *, store: Store, number: int, most: int = 5) -> bool:
    return bool(ask) and bool(store) and number < most


@use_case(FlowKind.LOOKUP)
async def other_port(ask: str, *, store: Policy) -> bool:
    return bool(ask) and bool(store)


@use_case(FlowKind.LOOKUP)
async def missing_port(ask: str, *, clock: int) -> bool:
    return bool(ask) and bool(clock)


@use_case(FlowKind.LOOKUP)
async def other_answer(ask: str, *, store: Store) -> bool | Denied:
    return bool(ask) and bool(store)


@use_case(FlowKind.LOOKUP)
async def other_ask(ask: int, *, store: Store) -> bool:
    return bool(ask) and bool(store)


@use_case(FlowKind.LOOKUP)
async def one_ask_more(ask: str, more: str, *, store: Store) -> bool:
    return bool(ask) and bool(more) and bool(store)


@use_case(FlowKind.LOOKUP)
def at_once(ask: str, *, store: Store) -> bool:
    return bool(ask) and bool(store)


def catalogue(flow: Callable[..., Any]) -> type:
    """Return a catalogue of one flow, that takes a text and answers a bool."""
    kind = Callable[[str], Awaitable[bool]]
    return make_dataclass("Example", [("ask", kind, field(metadata=served_by(flow)))], kw_only=True)


@pytest.mark.parametrize(
    ("flow", "sentences"),
    [
        (fits, []),
        (other_port, ["ask asks for the port store: Policy, but Ports has store: Store"]),
        (missing_port, ["ask asks for the port clock: int, but Ports has none of that name"]),
        (other_answer, ["ask answers bool | menshen.core.problems.Denied, but the catalogue says bool"]),
        (other_ask, ["ask takes (int), but the catalogue says (str)"]),
        (one_ask_more, ["ask takes (str, str), but the catalogue says (str)"]),
        (at_once, ["ask must be awaited, says the catalogue"]),
    ],
)
def test_what_does_not_fit_is_named(flow: Callable[..., Any], sentences: list[str]) -> None:
    assert faults_of(catalogue(flow), Given) == sentences


@pytest.mark.parametrize(
    ("flow", "sentence"),
    [
        (other_port, "example.ask asks for the port store: Policy, but Ports has store: Store"),
        (missing_port, "example.ask asks for the port clock: int, but Ports has none of that name"),
    ],
)
def test_a_start_refuses_wrong_ports(flow: Callable[..., Any], sentence: str) -> None:
    with pytest.raises(BindingError, match=f"^{sentence}$"):
        bind("example", catalogue(flow), cast("Ports", Given(store=cast("Store", "s"), policy=Policy(), number=1)))


async def test_a_bound_flow_gets_its_ports() -> None:
    given = cast("Ports", Given(store=cast("Store", "s"), policy=Policy(), number=4))
    bound: Any = bind("example", catalogue(fits), given)
    assert await bound.ask("a") is True
    assert await bound.ask("") is False
