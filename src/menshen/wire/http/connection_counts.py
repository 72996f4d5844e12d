"""Count the open connections of one worker, in all and for each network that they come from."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from menshen.core.networks import ADDRESSES_REMEMBERED, IPV6_LENGTHS, parse_address

_SCALES: Final = {4: ((32, 1),), 6: tuple(zip(IPV6_LENGTHS, (1, 4, 16), strict=True))}
"""Lengths of prefixes, and how many times the limit of one address such a network gets: phones of many share one."""


@dataclass(slots=True)
class ConnectionCounts:
    """Count connections. Each `admits` needs one `leave`, also when it refused."""

    total: int = 0
    by_address: Counter[str] = field(default_factory=Counter)

    def admits(self, address: str, most: int, most_per_address: int) -> bool:
        """Count a new connection, and check that it is within the limits. `most_per_address` 0 sets no limit."""
        self.total += 1
        crowded = False
        for network, factor in _networks_of(address):
            self.by_address[network] += 1
            crowded = crowded or self.by_address[network] > most_per_address * factor
        return self.total <= most and not (crowded and most_per_address)

    def leave(self, address: str) -> None:
        self.total -= 1
        for network, _ in _networks_of(address):
            self.by_address[network] -= 1
            if not self.by_address[network]:
                del self.by_address[network]


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _networks_of(ip: str) -> tuple[tuple[str, int], ...]:
    """Return the networks that connections of an address are counted under. Loopback has no limit, so it has none."""
    address = parse_address(ip)
    if address is None or address.is_loopback:
        return ()
    return tuple(
        (str(ipaddress.ip_network(f"{address}/{prefix}", strict=False)), factor)
        for prefix, factor in _SCALES[address.version]
    )
