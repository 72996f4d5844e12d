"""Give every endpoint that the server answers, with the name of its dialect."""

from __future__ import annotations

from collections.abc import Iterator

from menshen.app.discovery import find_dialects
from menshen.wire import probes, receipts, well_known
from menshen.wire.dialect import Endpoint
from menshen.wire.pages.routing import routes


def endpoints() -> Iterator[tuple[str, Endpoint]]:
    """Give (dialect, endpoint) in the order of the route tables; "-" for what belongs to no dialect."""
    for dialect in find_dialects():
        for endpoint in dialect.endpoints:
            yield dialect.name, endpoint
    for route in routes():
        yield "pages", route.endpoint
    for endpoint in probes.ENDPOINTS + receipts.ENDPOINTS + well_known.ENDPOINTS:
        yield "-", endpoint
