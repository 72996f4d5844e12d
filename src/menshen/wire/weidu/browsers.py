"""Check which page a browser's request comes from, and make the CORS headers of the answer.

A write by cookie must come from one of our pages, and so must a login, because it sets cookies. The page is known from
Sec-Fetch-Site, or else from Origin, which is compared whole. Most programs send neither. Programs that are built on a
browser send Sec-Fetch-Site without Origin: `is_program` knows them.
(docs/contracts/weidu.md section 5.10, decision 0057, docs/security/attacks.md CK-2, CK-4, CK-6.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

from menshen.wire.http.cors import allowed_headers
from menshen.wire.weidu.envelope import Header

_SAME: Final = frozenset({"same-origin", "none"})
_NEAR: Final = _SAME | {"same-site"}
_OWN_HEADERS: Final = ("Authorization", "Content-Type", "Token", "X-CSRF-Token")
_ASKED_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Browser:
    """Hold the result.

    `may_write` means no foreign page. `program` means none either: it may log in, and gets no cookies. `listed` is the
    Origin if the settings list it, else "".

    `page` means a page whose cookies of SameSite=Lax come back with its requests, so that a cookie can bind a pending
    login to the browser. A listed page on another site gets none back, so its requests are judged as those of programs.
    """

    may_write: bool
    listed: str
    program: bool = False
    page: bool = False


_NO_PAGE: Final = Browser(may_write=True, listed="")


def judge_browser(headers: Headers, host: str, listed_origins: frozenset[str], *, secure: bool) -> Browser:
    """Read Sec-Fetch-Site and Origin. `host` is the Host header in lower case."""
    origins = headers.getlist("origin")
    origin = origins[0] if len(origins) == 1 else ""
    listed = origin if origin in listed_origins else ""
    sites = headers.getlist("sec-fetch-site")
    if listed:
        return Browser(may_write=True, listed=listed, page=len(sites) == 1 and sites[0] in _NEAR)
    if sites:
        may_write = len(sites) == 1 and sites[0] in _SAME
        return Browser(may_write=may_write, listed="", program=not may_write and is_program(headers), page=may_write)
    if not origins:
        return _NO_PAGE
    own = origin.lower() == own_origin(host, secure=secure)
    return Browser(may_write=own, listed="", page=own)


def own_origin(host: str, *, secure: bool) -> str:
    """Return the origin by which a request names this server. `host` is the Host header in lower case."""
    return f"{'https' if secure else 'http'}://{host}"


def is_program(headers: Headers) -> bool:
    """Check if a request that says `Sec-Fetch-Site: cross-site` comes from no web page.

    Mini programs in WeChat for Windows and in its developer tools send such ones. A page can neither set nor remove
    Origin, Cookie and the Sec-Fetch headers (Fetch Standard, section Forbidden request-headers), and:

    - A browser sends Origin with each POST of a page.
    - Only a script makes requests of the mode cors. It needs a preflight for JSON and for a header such as xweb_xhr,
      and `preflight` answers listed origins alone.
    """
    return (
        headers.getlist("sec-fetch-site") == ["cross-site"]
        and "origin" not in headers
        and "cookie" not in headers
        and headers.getlist("sec-fetch-mode") in ([], ["cors"])
        and headers.getlist("sec-fetch-dest") in ([], ["empty"])
        and ("xweb_xhr" in headers or content_type(headers) == "application/json")
    )


def content_type(headers: Headers) -> str:
    """Return the media type of the body in lower case, without parameters; "" for none. Two are no known type."""
    return ",".join(headers.getlist("content-type")).partition(";")[0].strip().lower()


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


def preflight(
    headers: Headers, browser: Browser, verbs: tuple[str, ...], more_headers: tuple[str, ...]
) -> tuple[Header, ...] | None:
    """Return the headers for a preflight request of a listed page, or None for any other request.

    `more_headers` are names of the settings that pages may send.
    """
    asked = headers.get("access-control-request-method", "")
    if not browser.listed or asked not in _ASKED_METHODS:
        return None
    return (
        ("access-control-allow-methods", ", ".join(verbs)),
        ("access-control-allow-headers", allowed_headers(_OWN_HEADERS, more_headers)),
        ("access-control-max-age", "600"),
    )
