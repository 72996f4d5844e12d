"""`[limits]` and `[risk]`: how much is too much, and networks that the settings know something about.

What the rules make of them is `menshen.core.gates.risk`. (docs/contracts/core.md section 4.1.)
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from menshen.core.networks import NetworkLists, NetworkSet

Positive = Annotated[int, Meta(ge=1, le=10**9)]
Natural = Annotated[int, Meta(ge=0, le=10**9)]
Seconds = Annotated[int, Meta(ge=1, le=10 * 365 * 86400)]


class LimitSettings(Struct, frozen=True, kw_only=True):
    """`core.gates.limits.Limits`, with its windows in seconds."""

    captcha_from: Positive = 4
    pause_after: Positive = 10
    pause: Seconds = 15 * 60
    network_captcha_from: Positive = 20
    network_window: Seconds = 15 * 60
    suspend_after: Positive = 100
    suspend_memory: Seconds = 365 * 86400
    code_tries_per_number: Positive = 20
    code_tries_window: Seconds = 3600
    send_per_minute: Natural = 1
    send_per_hour: Natural = 5
    send_per_day: Natural = 10
    send_per_network: Natural = 10
    send_budget_per_day: Natural = 1000
    exist_per_network: Natural = 60
    exist_free: Natural = 5
    register_per_network: Natural = 20
    captcha_per_network: Natural = 120
    solve_per_network: Natural = 600
    verify_per_network: Natural = 120
    send_budget_per_country: Natural = 1000
    prefix_watch_from: Positive = 30
    prefix_ratio: Annotated[int, Meta(ge=0, le=100)] = 20
    dormant: Seconds = 180 * 86400


WINDOWS: Final = frozenset({"pause", "network_window", "suspend_memory", "code_tries_window", "dormant"})
"""The limits that are spans of time: seconds in the settings, milliseconds in the core."""


class Risk(Struct, frozen=True, kw_only=True):
    """Networks such as `10.0.0.0/8`: those that nobody may log in from, those to trust, those where programs live."""

    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    datacentre: tuple[str, ...] = ()


def network_lists(risk: Risk) -> NetworkLists:
    """The lists as the core looks into them.

    Raises:
        ValueError: an entry is no network; the message names it.
    """
    return NetworkLists(NetworkSet.of(risk.deny), NetworkSet.of(risk.allow), NetworkSet.of(risk.datacentre))
