"""The client's network address, and the network that limits count by.

The address is the socket's peer, or the N-th from the right of X-Forwarded-For behind N configured
proxies; never otherwise. (contracts/core.md section 4, design/security.md HD-1, HD-2.)
"""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import Scope

UNKNOWN = "0.0.0.0"  # noqa: S104 - stands for "no address", as on a Unix socket; nothing binds to it


def client_ip(scope: Scope, headers: Headers, trusted_proxies: int) -> str:
    """The client's address as text; the peer's when a forwarded one is missing or no address."""
    peer = _address(scope["client"][0]) if scope.get("client") else None
    if trusted_proxies > 0:
        hops = [hop for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        if len(hops) >= trusted_proxies and (forwarded := _address(hops[-trusted_proxies])):
            return str(forwarded)
    return str(peer) if peer else UNKNOWN


def is_secure(scope: Scope, headers: Headers, trusted_proxies: int) -> bool:
    """Whether the client's side of the connection is HTTPS."""
    if trusted_proxies > 0:
        protos = [p.strip() for line in headers.getlist("x-forwarded-proto") for p in line.split(",")]
        if len(protos) >= trusted_proxies:
            return protos[-trusted_proxies] == "https"
        if protos:
            return protos[0] == "https"
    return bool(scope.get("scheme") == "https")


def network_of(ip: str) -> str:
    """The /24 of an IPv4 address (also when mapped into IPv6), the /64 of an IPv6 one."""
    address = _address(ip)
    if address is None:
        return UNKNOWN
    prefix = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def host_name(host_header: str) -> str:
    """The host without its port: `a.example:8400` -> `a.example`, `[::1]:80` -> `::1`."""
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0]
    return host_header.partition(":")[0]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    text = text.strip()
    if len(text) > 64:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
