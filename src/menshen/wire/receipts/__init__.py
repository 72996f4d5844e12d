"""Serve the address to which vendors of text messages push receipts. It is served with `[sms] receipts` only.

It holds the route table, one line for the one call.
"""

from __future__ import annotations

from typing import Final

from menshen.core.delivery.receipts import push_path
from menshen.wire.dialect import Access, Endpoint

ENDPOINTS: Final = (
    Endpoint("POST", push_path("{sender}", "{secret}"), "-", Access.VENDOR, "menshen.wire.receipts.pushes"),
)
