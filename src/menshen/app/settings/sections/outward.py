"""Define `[outward]`: the addresses that outgoing calls may reach."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.core.networks import NetworkSet


class Outward(Struct, frozen=True, kw_only=True):
    """Bound the outgoing HTTP calls (decision 0036)."""

    networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks besides public addresses that outgoing calls may reach, such as `10.1.0.0/16`. "
            "Your own webhook needs no entry."
        ),
    ] = ()


def named_networks(outward: Outward) -> NetworkSet:
    """Return the networks as the address guard looks into them.

    Raises:
        ValueError: an entry is no network; the message names it.
    """
    return NetworkSet.of(outward.networks)
