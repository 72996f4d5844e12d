"""Serve the address to which vendors of text messages push receipts. It is served with `[sms] receipts` only.

It holds the route table, one line for the one call.
"""

from __future__ import annotations

from typing import Final

from menshen.wire.dialect import Access, Endpoint

PREFIX: Final = "/receipts/"
"""Begins the path. The name of the sender and its secret follow, with a slash between them."""

ENDPOINTS: Final = (
    Endpoint("POST", f"{PREFIX}{{sender}}/{{secret}}", "-", Access.VENDOR, "menshen.wire.receipts.pushes"),
)


def path_of(sender: str, secret: str) -> str:
    """Return the path to which the vendor of a sender pushes receipts."""
    return f"{PREFIX}{sender}/{secret}"
