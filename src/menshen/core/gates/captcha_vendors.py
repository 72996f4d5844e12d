"""Define what the settings say of a captcha vendor, how asking one ends, and what a challenge beside one stands on.

At an app with a vendor, a solved built-in test earns a pass only where this server asked for it. The challenge says so
under its signature, as its basis. (docs/contracts/vendors.md section 4, decision 0068.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from menshen.core.apps import DEFAULT_APP, App
from menshen.core.time import MINUTE

TOKEN_MEMORY: Final = 10 * MINUTE
"""How long the token of a vendor stays spent (ms). Vendors take none that is older than five minutes."""

MOST_UNDER_WAY: Final = 64
"""Questions to all vendors that one process has under way. Further ones are not asked."""

_INSTEAD: Final = "vendor:"
_OVER: Final = "pass:"


class Fallback(StrEnum):
    """Say what an app does while its vendor gives no verdict."""

    PROOF_OF_WORK = "proof_of_work"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class VendorTerms:
    """Hold the keys that all vendors share. `type` names the vendor's file.

    `hosts` are the names of pages that may have shown the test; empty: those of the app. `action` is what it was shown
    for, "" where that is not asked. `per_day` limits the questions of a day (UTC) on all nodes; 0 is no limit.
    `seconds` is when a question is given up that the vendor's own time limit did not end.
    """

    name: str
    type: str
    hosts: frozenset[str] = frozenset()
    action: str = ""
    per_day: int = 0
    fallback: Fallback = Fallback.PROOF_OF_WORK
    send_ip: bool = True
    seconds: float = 60.0


class Asked(StrEnum):
    """Name how the question about a token ended. Only PASSED is a pass, and only FAILED is the client's fault."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    UNKNOWN = "unknown"
    BREAKER_OPEN = "breaker_open"
    FULL = "full"
    SPENT = "spent"

    @property
    def is_verdict(self) -> bool:
        """Tell whether the vendor judged the token."""
        return self in {Asked.PASSED, Asked.FAILED}


def hosts_of(app: App, terms: VendorTerms, server_hosts: Iterable[str], origins: Iterable[str]) -> frozenset[str]:
    """Return the names of pages that may have shown the app's test, without ports.

    The settings may name them for the vendor. Else they are the app's host and the hosts of the browser origins that
    may read answers. The default app also has the host names of the server.
    """
    if terms.hosts:
        return terms.hosts
    names = [app.host, *(server_hosts if app.name == DEFAULT_APP else ())]
    hosts = [urlsplit(f"//{name}").hostname for name in names if name not in {"", "*"}]
    hosts += [urlsplit(origin).hostname for origin in origins if origin.startswith(("https://", "http://"))]
    return frozenset(host for host in hosts if host)


def nonce_of(vendor: str, token: str) -> str:
    """Return the value under which the token of a vendor is spent. It reveals nothing of the token."""
    return hashlib.sha256(f"captcha|{vendor}|{token}".encode("utf-8", "surrogatepass")).hexdigest()


def instead_of(vendor: str) -> str:
    """Return the basis of a challenge that is given because the vendor gives no verdict."""
    return _INSTEAD + vendor


def over(pass_digest: bytes) -> str:
    """Return the basis of a challenge that earns a harder pass on top of the pass with this digest."""
    return _OVER + pass_digest.hex()


def stands_instead(basis: str, vendor: str) -> bool:
    """Tell whether a challenge was given in place of this vendor."""
    return basis == _INSTEAD + vendor


def pass_under(basis: str) -> bytes | None:
    """Return the digest of the pass that a challenge is on top of, or None."""
    return bytes.fromhex(basis.removeprefix(_OVER)) if basis.startswith(_OVER) else None
