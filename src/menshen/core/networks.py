"""Compute networks, by which limits count, and look them up in the lists of the settings.

This module only calculates with addresses. `menshen.wire.http.address` finds the address of a client.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN: Final = "0.0.0.0"  # noqa: S104 - means "no address", as on a Unix socket; no socket binds to it

ADDRESSES_REMEMBERED: Final = 4096
"""Addresses in the cache. One login needs the client's address and network eight times, and clients come again."""


class Listing(StrEnum):
    """Name the lists of the settings that a network can be on."""

    NONE = "none"
    ALLOW = "allow"
    DENY = "deny"
    DATACENTRE = "datacentre"


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def parse_address(text: str) -> Address | None:
    """Return the address in `text`, or None. An IPv4 address that is mapped into IPv6 becomes an IPv4 address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


class Scale(NamedTuple):
    """Hold one of the networks that an address lies in. It may do `factor` times as much as the narrowest one."""

    network: str
    factor: int


_IPV4: Final = ((24, 1),)
IPV6_LENGTHS: Final = (64, 56, 48)
"""Prefix lengths of the networks that may be one customer: a line has a /64, a home a /56, a tunnel or a firm a /48."""
_IPV6: Final = tuple(zip(IPV6_LENGTHS, (1, 2, 4), strict=True))


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def scales_of(ip: str) -> tuple[Scale, ...]:
    """Return the networks that limits count an address by, the narrowest first. (docs/security/attacks.md HD-2, OT-20.)

    IPv4 has the /24, also if it is mapped into IPv6. IPv6 has the /64, the /56 and the /48.
    """
    address = parse_address(ip)
    if address is None:
        return (Scale(UNKNOWN, 1),)
    scales = _IPV4 if address.version == 4 else _IPV6
    return tuple(
        Scale(str(ipaddress.ip_network(f"{address}/{length}", strict=False)), factor) for length, factor in scales
    )


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def subscriber_of(ip: str) -> str:
    """Return the network of one line or phone: the IPv4 address itself, or the /64 of an IPv6 address."""
    address = parse_address(ip)
    return f"{address}/32" if address is not None and address.version == 4 else scales_of(ip)[0].network


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def site_of(ip: str) -> str:
    """Return the network of one home or office: the /24 of an IPv4 address, or the /56 of an IPv6 address."""
    return scales_of(ip)[:2][-1].network


def shortened(ip: str) -> str:
    """Return an address without the part that is its owner's: `203.0.113.*`, or `2001:db8:7:*`, the first 48 bits.

    "" for a text that is no address.
    """
    address = parse_address(ip)
    if address is None:
        return ""
    if address.version == 4:
        return f"{str(address).rpartition('.')[0]}.*"
    return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":")[:3]) + ":*"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`, a name or an address (also in brackets). (RFC 6761.)"""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = parse_address(host.strip("[]"))
    return address is not None and address.is_loopback


@dataclass(frozen=True, slots=True)
class NetworkSet:
    """Hold networks by IP version and prefix length. A look-up takes one step per length, not one per network."""

    _by_length: dict[tuple[int, int], frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[str]) -> NetworkSet:
        """Make the set of networks such as `10.0.0.0/8` or `2001:db8::/32`. A single address is a network of one.

        Raises:
            ValueError: one of the texts is not a network.
        """
        collected: dict[tuple[int, int], set[int]] = {}
        for text in texts:
            network = ipaddress.ip_network(text)
            head = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            collected.setdefault((network.version, network.prefixlen), set()).add(head)
        return cls({key: frozenset(heads) for key, heads in collected.items()})

    def __contains__(self, address: Address) -> bool:
        """Return whether one of the networks contains the address."""
        number, width = int(address), address.max_prefixlen
        return any(
            version == address.version and number >> (width - length) in heads
            for (version, length), heads in self._by_length.items()
        )


@dataclass(frozen=True, slots=True)
class NetworkLists:
    """Hold the lists of the settings. The first list with the address decides, in the order deny, allow, datacentre."""

    deny: NetworkSet = field(default_factory=NetworkSet)
    allow: NetworkSet = field(default_factory=NetworkSet)
    datacentre: NetworkSet = field(default_factory=NetworkSet)

    def listing(self, ip: str) -> Listing:
        """Return which list of the settings contains `ip`, or NONE."""
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
