"""Bind ports to use cases.

A start compares the names of ports and the spelling of their types, which takes less than 0.1 ms. The types themselves,
and the arguments and answers of the catalogue, are compared by a test: that would take 3 ms of each start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from menshen.app.ports import Ports
from menshen.flows.account.catalog import AccountFlows
from menshen.flows.apps.catalog import AppFlows
from menshen.flows.catalog import Flows
from menshen.flows.codes.catalog import CodeFlows
from menshen.flows.factors.catalog import FactorFlows
from menshen.flows.gates.catalog import CaptchaFlows
from menshen.flows.gates.device_rule import behind_device_rule
from menshen.flows.gates.member_quotas import behind_quota
from menshen.flows.gates.network_lists import behind_gate
from menshen.flows.login.catalog import LoginFlows
from menshen.flows.pages.catalog import PageFlows
from menshen.flows.sessions.catalog import SessionFlows
from menshen.flows.use_case import flows_of, use_case_of

S = TypeVar("S")


class BindingError(Exception):
    """Report a flow and ports that do not fit: one sentence with the flow, the port and both types."""


def bind_flows(ports: Ports) -> Flows:
    """Return the catalogue with every port in its place.

    Raises:
        BindingError: a flow asks for a port that is not there, or spells its type otherwise than `Ports`.
    """
    return Flows(
        policy=ports.policy,
        now=ports.world.now,
        csrf_fits=ports.keyring.csrf_fits,
        page_value=ports.keyring.page_value,
        page_value_fits=ports.keyring.page_value_fits,
        ready=ports.store.ready,
        clock_lead=lambda: ports.clocks.lead,
        apps=bind("apps", AppFlows, ports),
        sessions=bind("sessions", SessionFlows, ports),
        login=bind("login", LoginFlows, ports),
        codes=bind("codes", CodeFlows, ports),
        captcha=bind("captcha", CaptchaFlows, ports),
        account=bind("account", AccountFlows, ports),
        factors=bind("factors", FactorFlows, ports),
        pages=bind("pages", PageFlows, ports),
    )


def bind(name: str, subject: type[S], ports: Ports) -> S:
    """Return one subject's catalogue, filled with its flows. Raises as `bind_flows`."""
    return subject(**{flow: _bound(f"{name}.{flow}", function, ports) for flow, function in flows_of(subject).items()})


def _bound(name: str, flow: Callable[..., Any], ports: Ports) -> Callable[..., Any]:
    """Return the flow with its ports, and behind the gates that its use case names."""
    kinds, given = type(ports).__annotations__, {}
    for port in ports_named_by(flow):
        wanted, kept = flow.__annotations__[port], kinds.get(port)
        if wanted != kept:
            raise BindingError(port_fault(name, port, wanted, kept))
        given[port] = getattr(ports, port)
    described = use_case_of(flow)
    call: Callable[..., Any] = partial(flow, **given)
    if described.quota and not described.quota.after_proof:
        counters: dict[str, Any] = {each: getattr(ports, each) for each in ("store", "world", "keyring", "policy")}
        call = behind_quota(call, described.quota, **counters)
    call = behind_device_rule(call) if described.device_rule else call
    return behind_gate(call, ports.policy.networks) if described.deny_list else call


def ports_named_by(flow: Callable[..., Any]) -> Iterator[str]:
    """Yield the names of the flow's ports: its keyword-only parameters without a default."""
    code, defaults = flow.__code__, flow.__kwdefaults__ or {}
    for name in code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]:
        if name not in defaults:
            yield name


def port_fault(flow: str, port: str, wanted: str, kept: str | None) -> str:
    """Return the sentence on a port that does not fit; `kept` is the type in `Ports`, None where it is missing."""
    if kept is None:
        return f"{flow} asks for the port {port}: {wanted}, but Ports has none of that name"
    return f"{flow} asks for the port {port}: {wanted}, but Ports has {port}: {kept}"
