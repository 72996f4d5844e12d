"""Define `[limits]` and `[risk]`: the limits, and known networks.

What the rules make of them is `menshen.core.gates`. (docs/contracts/core.md section 4.1.)
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, defstruct
from msgspec.structs import asdict

from menshen.core.gates.limits import LimitRule, Limits, limit_rules
from menshen.core.networks import NetworkLists, NetworkSet
from menshen.core.time import SECOND


def _unit(rule: LimitRule) -> int:
    """Return how much of the core's unit one of the settings is: seconds against milliseconds, or one."""
    return SECOND if rule.is_time else 1


def _key(rule: LimitRule) -> object:
    unit = _unit(rule)
    return Annotated[int, Meta(ge=rule.least // unit, le=rule.most // unit, description=rule.description)]


_RULES: Final = limit_rules()

LimitSettings: Final = defstruct(
    "LimitSettings",
    [(name, _key(rule), default // _unit(rule)) for name, (default, rule) in _RULES.items()],
    frozen=True,
    kw_only=True,
)
"""`core.gates.limits.Limits` as it is written in the settings, made from it: its times are in seconds."""


def limits_from(given: Struct) -> Limits:
    """Return the limits that a `LimitSettings` means."""
    return Limits(**{name: value * _unit(_RULES[name][1]) for name, value in asdict(given).items()})


class Risk(Struct, frozen=True, kw_only=True):
    """Name networks such as `203.0.113.0/24` that the settings know something about (decision 0015)."""

    deny: Annotated[
        tuple[str, ...], Meta(description="Refused networks: every request without a session is refused.")
    ] = ()
    allow: Annotated[tuple[str, ...], Meta(description="Trusted networks: they need a captcha later than others.")] = ()
    datacentre: Annotated[tuple[str, ...], Meta(description="Networks of programs: they need a captcha sooner.")] = ()


def network_lists(risk: Risk) -> NetworkLists:
    """Return the lists as the core looks into them.

    Raises:
        ValueError: an entry is no network; the message names it.
    """
    return NetworkLists(NetworkSet.of(risk.deny), NetworkSet.of(risk.allow), NetworkSet.of(risk.datacentre))
