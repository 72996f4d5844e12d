"""Networks: what limits count by, and the lists of them that settings keep.

Pure arithmetic over addresses. Where an address came from is the wire's business (`menshen.wire.http.address`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN: Final = "0.0.0.0"  # noqa: S104 - stands for "no address", as on a Unix socket; nothing binds to it

ADDRESSES_REMEMBERED: Final = 4096
"""One login asks for its client's address and network eight times over, and the next comes from there too."""


class Listing(StrEnum):
    """What the settings say of a network."""

    NONE = "none"
    ALLOW = "allow"
    DENY = "deny"
    DATACENTRE = "datacentre"


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def parse_address(text: str) -> Address | None:
    """The address in `text`, an IPv4 one also when it is mapped into IPv6; None when it holds none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def network_of(ip: str) -> str:
    """The /24 of an IPv4 address (also mapped into IPv6), the /64 of an IPv6 one. (docs/security/attacks.md HD-2.)"""
    address = parse_address(ip)
    if address is None:
        return UNKNOWN
    prefix = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address (also in brackets), is reached from this machine only. (RFC 6761.)"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = parse_address(host.strip("[]"))
    return address is not None and address.is_loopback


@dataclass(frozen=True, slots=True)
class NetworkSet:
    """Networks by version and length of their prefix, so that a look-up costs one step a length, not one a network."""

    _by_length: dict[tuple[int, int], frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[str]) -> NetworkSet:
        """The set of networks such as `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one.

        Raises:
            ValueError: one of them is no network.
        """
        collected: dict[tuple[int, int], set[int]] = {}
        for text in texts:
            network = ipaddress.ip_network(text)
            head = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            collected.setdefault((network.version, network.prefixlen), set()).add(head)
        return cls({key: frozenset(heads) for key, heads in collected.items()})

    def __contains__(self, address: Address) -> bool:
        """Whether one of the networks holds it."""
        number, width = int(address), address.max_prefixlen
        return any(
            version == address.version and number >> (width - length) in heads
            for (version, length), heads in self._by_length.items()
        )


@dataclass(frozen=True, slots=True)
class NetworkLists:
    """The settings' lists; the first that holds an address counts, in the order deny, allow, datacentre."""

    deny: NetworkSet = field(default_factory=NetworkSet)
    allow: NetworkSet = field(default_factory=NetworkSet)
    datacentre: NetworkSet = field(default_factory=NetworkSet)

    def listing(self, ip: str) -> Listing:
        """What the settings say of the network that `ip` lies in."""
        address = parse_address(ip)
        if address is None:
            return Listing.NONE
        for kind, networks in (
            (Listing.DENY, self.deny),
            (Listing.ALLOW, self.allow),
            (Listing.DATACENTRE, self.datacentre),
        ):
            if address in networks:
                return kind
        return Listing.NONE
