"""Count, time and trace use cases. Flows are wrapped here, so they know nothing of it.

What a flow's `UseCase` says decides how it is measured. (docs/contracts/core.md section 5.5.)
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from itertools import product
from typing import Any, Final

from menshen.app.telemetry.metrics import (
    CODES_SENT,
    CODES_VERIFIED,
    FLOW_SECONDS,
    LOGINS,
    TOKEN_CHECK_SECONDS,
    TokenChecks,
)
from menshen.app.telemetry.tracing import Tracer
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Bearer
from menshen.flows.catalog import Flows
from menshen.flows.use_case import FlowKind, UseCase, flows_of, use_case_of

_SAMPLED: Final = 16
"""One token check in so many is timed: it takes microseconds, and reading the clock does too."""

_COUNTERS: Final = {FlowKind.CODE_SENT: CODES_SENT, FlowKind.CODE_VERIFIED: CODES_VERIFIED}
_FIRST: Final = ("granted", "fault", ProblemCode.WRONG_CREDENTIALS.value, ProblemCode.OVERLOADED.value)
"""Outcomes of logins that alerts ask for. Their series begin at 0: the first of a kind is seen only as a change."""

_UNTIMED: Final = frozenset({FlowKind.ROUTING, FlowKind.TOKEN_CHECK})


def instrument(flows: Flows, checks: TokenChecks, tracer: Tracer | None = None, dialects: Iterable[str] = ()) -> Flows:
    """Return the same flows, counted and timed, and traced by `tracer`. Token checks are counted in `checks`.

    `dialects` are the names of those that are served. Their logins are counted from 0 on.
    """
    methods = {use_case_of(flow).method for flow in flows_of(type(flows.login)).values()} - {""}
    for dialect, method, outcome in product(dialects, sorted(methods), _FIRST):
        LOGINS.labels(dialect, method, outcome)
    watched = {
        field.name: _watched_subject(field.name, subject, tracer)
        for field in fields(flows)
        if is_dataclass(subject := getattr(flows, field.name))
    }
    measured = replace(flows, **watched)
    sessions = replace(
        measured.sessions,
        check=_checked(flows.sessions.check, checks),
        recall=_recalled(flows.sessions.recall, checks),
    )
    login = replace(measured.login, crowded=_shed(flows.login.crowded))
    return replace(measured, sessions=sessions, login=login)


def _watched_subject(subject: str, flows: Any, tracer: Tracer | None) -> Any:
    watched = {
        name: _watched(f"{subject}.{name}", getattr(flows, name), described, tracer)
        for name, flow in flows_of(type(flows)).items()
        if (described := use_case_of(flow)).kind not in _UNTIMED
    }
    return replace(flows, **watched)


def _watched(
    name: str, flow: Callable[..., Awaitable[Any]], described: UseCase, tracer: Tracer | None
) -> Callable[..., Awaitable[Any]]:
    seconds = FLOW_SECONDS.labels(name)
    method = described.method
    counter = _COUNTERS.get(described.kind)

    def count(args: tuple[Any, ...], outcome: str) -> None:
        if not method and counter is None:
            return
        dialect = next((a.rules.dialect for a in args if isinstance(a, Origin)), "")
        if method:
            LOGINS.labels(dialect, method, outcome).inc()
        elif counter is not None:
            counter.labels(dialect, outcome).inc()

    async def watched(*args: Any) -> Any:
        began = time.perf_counter()
        outcome = "fault"
        try:
            result = await flow(*args)
            outcome = result.code.value if isinstance(result, Denied) else "granted"
            return result
        except Problem as problem:
            outcome = problem.denied.code.value
            raise
        finally:
            seconds.observe(time.perf_counter() - began)
            count(args, outcome)

    if tracer is None:
        return watched

    async def traced(*args: Any) -> Any:
        with tracer.span(f"menshen.{name}"):
            return await watched(*args)

    return traced


def _shed(crowded: Callable[[str], bool]) -> Callable[[str], bool]:
    def shed(dialect: str) -> bool:
        full = crowded(dialect)
        if full:
            LOGINS.labels(dialect, "password", ProblemCode.OVERLOADED.value).inc()
        return full

    return shed


def _checked(
    check: Callable[[str], Awaitable[Bearer | None]], checks: TokenChecks
) -> Callable[[str], Awaitable[Bearer | None]]:
    observe = TOKEN_CHECK_SECONDS.observe
    clock = time.perf_counter
    turn = 0

    async def checked(token: str) -> Bearer | None:
        nonlocal turn
        turn = (turn + 1) % _SAMPLED
        began = clock() if not turn else 0.0
        try:
            bearer = await check(token)
        except Problem:
            checks.unavailable += 1
            raise
        if began:
            observe(clock() - began)
        if bearer is None:
            checks.refused += 1
        else:
            checks.good += 1
        return bearer

    return checked


def _recalled(recall: Callable[[str], Bearer | None], checks: TokenChecks) -> Callable[[str], Bearer | None]:
    def recalled(token: str) -> Bearer | None:
        bearer = recall(token)
        if bearer is not None:
            checks.good += 1
        return bearer

    return recalled
