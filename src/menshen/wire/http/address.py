"""Find the client's network address, the name in a Host header, and the public address of a request.

The address is that of the socket's peer. Behind N configured proxies it is the N-th from the right of
X-Forwarded-For. No other header counts.
(docs/contracts/core.md section 4.3, docs/security/attacks.md HD-1, HD-2.)
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from menshen.core.networks import UNKNOWN, Address, parse_address

HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
"""The form of a Host header: a name or an address, and a port or none."""


def client_ip(scope: Scope, headers: Headers, trusted_proxies: int) -> str:
    """Return the client's address as text. Without a valid forwarded address, return the peer's."""
    peer = _address(scope["client"][0]) if scope.get("client") else None
    if trusted_proxies > 0:
        hops = [hop for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        if len(hops) >= trusted_proxies and (forwarded := _address(hops[-trusted_proxies])):
            return str(forwarded)
    return str(peer) if peer else UNKNOWN


def is_secure(scope: Scope, headers: Headers, trusted_proxies: int) -> bool:
    """Check if the client's side of the connection is HTTPS."""
    if trusted_proxies > 0:
        protos = [p.strip() for line in headers.getlist("x-forwarded-proto") for p in line.split(",")]
        if len(protos) >= trusted_proxies:
            return protos[-trusted_proxies] == "https"
        if protos:
            return protos[0] == "https"
    return bool(scope.get("scheme") == "https")


def public_url(scope: Scope, headers: Headers, trusted_proxies: int) -> str:
    """Return the address that the client called: scheme and host as it wrote them, path and query as they came.

    Behind N configured proxies the host is the N-th from the right of X-Forwarded-Host, if that is one.
    """
    host = headers.get("host", "")
    if trusted_proxies > 0:
        hops = [hop.strip() for line in headers.getlist("x-forwarded-host") for hop in line.split(",")]
        if len(hops) >= trusted_proxies and HOST.fullmatch(hops[-trusted_proxies]):
            host = hops[-trusted_proxies]
    scheme = "https" if is_secure(scope, headers, trusted_proxies) else "http"
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return f"{scheme}://{host}{path}" + (f"?{query}" if query else "")


def host_name(host_header: str) -> str:
    """Return the host without its port: `a.example:8400` -> `a.example`, `[::1]:80` -> `::1`."""
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0]
    return host_header.partition(":")[0]


def _address(text: str) -> Address | None:
    """Parse the address of a socket or of one hop of X-Forwarded-For. It may have brackets and a port."""
    text = text.strip()
    if len(text) > 64:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return parse_address(text)
