"""List the request headers that pages of listed origins may send. (Fetch Standard, section CORS protocol.)

Must not know which origins are listed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

HARMLESS: Final = (
    "Accept", "Accept-Language", "Cache-Control", "If-Modified-Since", "If-None-Match", "Pragma",
    "X-Requested-With", "X-XSRF-Token", "X-Request-Id", "X-Correlation-Id", "X-Client-Version",
    "traceparent", "tracestate", "baggage", "b3", "X-B3-TraceId", "X-B3-SpanId", "X-B3-ParentSpanId", "X-B3-Sampled",
    "X-B3-Flags", "sentry-trace", "uber-trace-id", "X-Datadog-Trace-Id", "X-Datadog-Parent-Id", "X-Datadog-Origin",
    "X-Datadog-Sampling-Priority", "newrelic", "sw8", "elastic-apm-traceparent",
)  # fmt: skip
"""Headers that client libraries and tracing add by themselves. No call judges anything by them."""


@lru_cache(maxsize=8)
def allowed_headers(own: tuple[str, ...], more: tuple[str, ...]) -> str:
    """Return `Access-Control-Allow-Headers`: those of a dialect, the harmless ones, and those of the settings."""
    return ", ".join(dict.fromkeys((*own, *HARMLESS, *more)))
