"""Refuse requests without a session from networks on the deny list. (core.networks, decision 0015.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from menshen.core.networks import Listing, NetworkLists
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin

T = TypeVar("T")


def behind_gate(flow: Callable[..., Awaitable[T]], networks: NetworkLists) -> Callable[..., Awaitable[T | Denied]]:
    """Wrap `flow`, whose last argument is the Origin. Networks on the deny list get Denied(FORBIDDEN).

    Their answer does not depend on the account that the request names.
    """

    async def gated(*asks: Any) -> T | Denied:
        origin: Origin = asks[-1]
        if networks.listing(origin.ip) is Listing.DENY:
            return Denied(ProblemCode.FORBIDDEN)
        return await flow(*asks)

    return gated
