"""Judge the addresses in the settings that messages, codes and keys go to."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from menshen.core.findings import Finding, error
from menshen.core.networks import is_loopback


def find_endpoint_problems(key: str, url: str) -> Iterator[Finding]:
    """Find what is wrong with `url`, the value of `key`: it must be https, or http on loopback, and can be asked."""
    try:
        address = urlsplit(url)
        scheme, host, _ = address.scheme, address.hostname or "", address.port
    except ValueError:
        scheme = host = ""
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        yield error(key, "must be an https address")
    elif scheme == "http" and not is_loopback(host):
        yield error(key, f"would send codes in clear to {host}: use https")
    elif scheme not in {"http", "https"}:
        yield error(key, "must be an https address")


def find_origin_problems(key: str, url: str) -> Iterator[Finding]:
    """Find what `find_endpoint_problems` does, and anything behind the host: the path of such a vendor is fixed."""
    problem = next(find_endpoint_problems(key, url), None)
    if problem:
        yield problem
    elif "@" in url or url.partition("://")[2].rstrip("/") != urlsplit(url).netloc:
        yield error(key, "must be scheme and host alone, such as https://vendor.example")


def origin_of(url: str) -> tuple[str, str]:
    """Return scheme and host of an address without problems, as `https://vendor.example` and `vendor.example`."""
    address = urlsplit(url)
    host = address.netloc.lower()
    return f"{address.scheme}://{host}", host
