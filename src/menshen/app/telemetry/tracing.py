"""Traces, where OpenTelemetry's packages are installed; otherwise nothing at all.

A provider that the process already has is used. Without one, `OTEL_EXPORTER_OTLP_ENDPOINT` makes the usual
exporter, with everything else as its own environment says. Spans carry the name of a use case, and
nothing of who asks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send


class Tracer(Protocol):
    """What the rest sees of it."""

    def span(self, name: str) -> AbstractContextManager[Any]:
        """A span around a block, below the one that is open."""
        ...

    def continued(self, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
        """A block below the span that a caller's headers name, if they do."""
        ...


class _OpenTelemetry:
    def __init__(self, api: Any, propagate: Any, context: Any) -> None:
        self._tracer = api.get_tracer("menshen")
        self._propagate = propagate
        self._context = context

    def span(self, name: str) -> AbstractContextManager[Any]:
        # The text of an exception may quote what somebody sent.
        span: AbstractContextManager[Any] = self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        )
        return span

    @contextmanager
    def continued(self, headers: Mapping[str, str]) -> Any:
        mark = self._context.attach(self._propagate.extract(dict(headers)))
        try:
            yield
        finally:
            self._context.detach(mark)


def find_tracer(environ: Mapping[str, str] = os.environ) -> Tracer | None:
    """A tracer, or None where the packages are missing or told to be silent (`OTEL_SDK_DISABLED=true`)."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry import context, propagate, trace
    except ImportError:
        return None
    if environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _export(trace)
    return _OpenTelemetry(trace, propagate, context)


def _export(trace: Any) -> None:
    """Send spans to the collector of the environment, unless somebody has set that up before."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "menshen"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def traced_app(app: ASGIApp, tracer: Tracer | None, name: str) -> ASGIApp:
    """The application under a span that continues its caller's; itself where there is no tracer."""
    if tracer is None:
        return app

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        with tracer.continued(headers), tracer.span(f"{name} {scope['method']}"):
            await app(scope, receive, send)

    return traced
