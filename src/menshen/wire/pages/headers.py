"""Make the headers of pages: the content security policy, and what keeps other sites out.

(docs/contracts/pages.md section 2, docs/security/attacks.md PG-1.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from menshen.wire.pages.answers import Header

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types menshen; form-action 'self'"
)

PAGE: Final[tuple[Header, ...]] = (
    # Under no-referrer, Chromium posts forms with `Origin: null`.
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)"),
    ("cache-control", "no-store"),
)
"""The headers of each page and redirect."""

ASSET: Final[tuple[Header, ...]] = (
    ("cache-control", "public, max-age=31536000, immutable"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
)
"""The headers of what has a digest in its path."""


def policy(leads_to: Sequence[str] = ()) -> Header:
    """Return the policy of an HTML page.

    `leads_to` are origins to which a form's answer may redirect: Chromium holds redirects to `form-action`, too.
    """
    return ("content-security-policy", " ".join((_POLICY, *leads_to)))


def encode(headers: Iterable[Header]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI takes them."""
    return [(name.encode(), value.encode("latin-1")) for name, value in headers]
