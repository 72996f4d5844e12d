"""Check which page a browser's request comes from, and make the CORS headers of the answer.

A write by cookie must come from one of our pages, and so must a login, because it sets cookies. The page is known from
Sec-Fetch-Site, or else from Origin, which is compared whole. Programs send neither.
(docs/security/attacks.md CK-2, CK-4, CK-6.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

from menshen.wire.weidu.envelope import Header

_SAME: Final = frozenset({"same-origin", "none"})
_ASKED_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Browser:
    """Hold the result: `may_write` means no foreign page; `listed` is the Origin if the settings list it, else ""."""

    may_write: bool
    listed: str


def judge_browser(headers: Headers, host: str, listed_origins: frozenset[str], *, secure: bool) -> Browser:
    """Read Sec-Fetch-Site and Origin. `host` is the Host header in lower case."""
    origins = headers.getlist("origin")
    origin = origins[0] if len(origins) == 1 else ""
    listed = origin if origin in listed_origins else ""
    sites = headers.getlist("sec-fetch-site")
    if listed:
        return Browser(may_write=True, listed=listed)
    if sites:
        return Browser(may_write=len(sites) == 1 and sites[0] in _SAME, listed="")
    own = f"{'https' if secure else 'http'}://{host}"
    return Browser(may_write=not origins or origin.lower() == own, listed="")


def sharing(browser: Browser, listed_origins: frozenset[str]) -> tuple[Header, ...]:
    """Return the CORS headers. Only a listed origin may read; without listed origins there are no headers."""
    if not listed_origins:
        return ()
    if not browser.listed:
        return (("vary", "Origin"),)
    return (
        ("vary", "Origin"),
        ("access-control-allow-origin", browser.listed),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "Token, X-Request-Id, Retry-After"),
    )


def preflight(headers: Headers, browser: Browser, verbs: tuple[str, ...]) -> tuple[Header, ...] | None:
    """Return the headers for a preflight request of a listed page, or None for any other request."""
    asked = headers.get("access-control-request-method", "")
    if not browser.listed or asked not in _ASKED_METHODS:
        return None
    return (
        ("access-control-allow-methods", ", ".join(verbs)),
        ("access-control-allow-headers", "Authorization, Content-Type, Token, X-CSRF-Token"),
        ("access-control-max-age", "600"),
    )
