"""Resolve a host name and refuse addresses that outgoing calls must not reach.

The client connects to the addresses that come out of here and never resolves a name itself, so a name that answers
differently the second time gains nothing. (Decision 0036.)
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from menshen.core.networks import Address, NetworkSet, parse_address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, in the order to try them. Raises OSError when there are none."""

_PRIVATE: Final = NetworkSet.of(
    [
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    ]
)
"""Networks of an operator's own, loopback included: reached only by a request to the operator's own host."""

_METADATA: Final = NetworkSet.of(
    [
        "100.100.100.200",
        "168.63.129.16",
        "169.254.0.0/16",
        "192.0.0.192",
        "fd00:42::42",
        "fd00:ec2::254",
        "fd20:ce::254",
    ]
)
"""Where clouds hand out the keys of a machine. `169.254.0.0/16` is all of link-local."""

# The registries of special-purpose addresses (RFC 6890 and its successors).
_SPECIAL: Final = NetworkSet.of(
    [
        "0.0.0.0/8",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    ]
)
_GLOBAL_IPV6: Final = NetworkSet.of(["2000::/3"])
_TRANSLATED: Final = NetworkSet.of(["64:ff9b::/96"])


class AddressRefusedError(Exception):
    """Refuse a host that has an address which must not be reached. Names neither host nor address."""


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Resolve by the machine's own resolver, on a thread. Raises OSError when the name has no address."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def allowed_addresses(
    host: str, port: int, *, named: NetworkSet, own_host: bool, resolve: Resolve
) -> Sequence[str]:
    """Resolve `host` and return its addresses, all of which may be reached.

    `named` are the networks that the settings allow besides public ones. One refused address refuses the host: a
    name that mixes inner and outer addresses is either an attack or a network for the settings to name.

    Raises:
        OSError: the name has no address.
        AddressRefusedError: one of the addresses must not be reached.
    """
    addresses = await resolve(host, port)
    if not addresses or not all(is_allowed(address, named=named, own_host=own_host) for address in addresses):
        raise AddressRefusedError
    return addresses


def is_allowed(text: str, *, named: NetworkSet, own_host: bool) -> bool:
    """Tell whether the address in `text` may be reached; a text that is no address may not."""
    address = parse_address(text)
    if address is None:
        return False
    if address in named:
        return True
    if own_host and address in _PRIVATE:
        return address not in _METADATA
    return _is_public(address)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _TRANSLATED:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.sixtofour is not None and not _is_public(address.sixtofour):
            return False
        if address not in _GLOBAL_IPV6:
            return False
    return address not in _PRIVATE and address not in _METADATA and address not in _SPECIAL
