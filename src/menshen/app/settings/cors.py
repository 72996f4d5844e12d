"""Check the browser origins and request headers of the settings.

(docs/security/attacks.md CK-6, AD-2, decision 0057.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from menshen.app.settings.sections.server import Server
from menshen.core.findings import Finding, error, warning
from menshen.core.networks import is_loopback

_ORIGINS: Final = "[server] cors_origins"
_HEADERS: Final = "[server] cors_headers"
_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", re.ASCII)
_OF_A_WEB_VIEW: Final = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*://[a-z0-9._-]+(:[0-9]{1,5})?", re.ASCII)
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'+.^_`|~-]{1,64}", re.ASCII)
_BELIEVED: Final = re.compile(
    r"(?:proxy|sec)-.*|forwarded|x-forwarded-.*|x-real-ip|x-account-.*|x-roles|x-auth-level|cookie|host|origin|referer",
    re.IGNORECASE,
)


def find_cors_problems(server: Server) -> Iterator[Finding]:
    """Find origins that browsers never send or that any page can have, and headers that only machines should send."""
    for origin in server.cors_origins:
        yield from _origin(origin)
    for name in server.cors_headers:
        if not _NAME.fullmatch(name):
            yield error(_HEADERS, f"{name!r} is no name of a header, such as X-Client-Build")
        elif _BELIEVED.fullmatch(name.replace("_", "-")):
            yield error(_HEADERS, f"{name} is for browsers and proxies: services believe it")


def _origin(origin: str) -> Iterator[Finding]:
    shape = _ORIGIN.fullmatch(origin)
    if origin == "*":
        yield error(_ORIGINS, "* would let every web page read answers: name the origins")
    elif origin == "null" or origin.startswith("file:"):
        yield error(_ORIGINS, f"{origin} is the origin of local files and sandboxed frames: every web page can have it")
    elif shape is None:
        if not _OF_A_WEB_VIEW.fullmatch(origin):
            yield error(_ORIGINS, f"{origin!r} is no origin such as https://shop.example")
    elif shape[3] == _USUAL_PORTS[shape[1]]:
        yield error(_ORIGINS, f"{origin}: browsers leave out {shape[3]}, and origins are compared whole")
    elif shape[1] == "http" and not is_loopback(shape[2].strip("[]")):
        yield warning(_ORIGINS, f"{origin} is not HTTPS: whoever is on its network reads answers")
