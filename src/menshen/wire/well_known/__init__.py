"""Serve what says who else may use the passkeys of this server. Only what the settings name is served.

It holds the route table. (WebAuthn Level 3 section 5.11, docs/contracts/factors.md section 6.)
"""

from __future__ import annotations

from typing import Final

from menshen.core.factors.associations import PREFIX
from menshen.wire.dialect import Access, Endpoint

_MODULE: Final = "menshen.wire.well_known.statements"

ENDPOINTS: Final = tuple(
    Endpoint("GET", PREFIX + name, "-", Access.ANYBODY, _MODULE)
    for name in ("webauthn", "passkey-endpoints", "assetlinks.json", "apple-app-site-association")
)
