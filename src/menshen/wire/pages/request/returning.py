"""Decide where a page may send a browser afterwards: a path of ours, or a page of the app's own origins.

(docs/contracts/pages.md section 2, docs/security/attacks.md RD-1.)
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from menshen.wire.pages import owns

_LONGEST: Final = 1000
# No backslash, control character or blank: browsers read some of them as a slash, and drop others.
_SAFE: Final = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+", re.ASCII)


def safe_next(text: str, origins: Collection[str]) -> str:
    """Return `text` if a browser may be sent there, else "".

    It is a path of the pages, or a URL whose origin stands in `origins` ("https://shop.example").
    """
    if not text or len(text) > _LONGEST or not _SAFE.fullmatch(text):
        return ""
    if text.startswith("/"):
        path = text.partition("?")[0].partition("#")[0]
        return text if not path.startswith("//") and ".." not in path and owns(path) else ""
    return text if origin_of(text) in origins and origin_of(text) else ""


def origin_of(address: str) -> str:
    """Return the origin of a URL as browsers write it, "" for a path and for what has none, or names a user."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"https", "http"} or not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")
