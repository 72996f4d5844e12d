"""Make traces if OpenTelemetry's packages are installed.

An existing provider of the process is used. Without one, `OTEL_EXPORTER_OTLP_ENDPOINT` makes the standard
exporter, which reads its other variables itself. A span holds the name of a use case, and nothing about the caller.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send


class Tracer(Protocol):
    """Open spans. It hides OpenTelemetry from the rest of the program."""

    def span(self, name: str) -> AbstractContextManager[Any]:
        """Open a span around a block, as a child of the current one."""
        ...

    def continued(self, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
        """Run a block as a child of the span that the caller's headers name, if any."""
        ...


class _OpenTelemetry:
    def __init__(self, api: Any, propagate: Any, context: Any) -> None:
        self._tracer = api.get_tracer("menshen")
        self._propagate = propagate
        self._context = context

    def span(self, name: str) -> AbstractContextManager[Any]:
        # The text of an exception may quote a request.
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
    """Return a tracer, or None if the packages are missing or disabled (`OTEL_SDK_DISABLED=true`)."""
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
    """Send spans to the collector that the environment names, unless the process already has a provider."""
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
    """Return the application inside a span that continues the caller's, or unchanged without a tracer."""
    if tracer is None:
        return app

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        with tracer.continued(headers), tracer.span(f"{name} {scope['method']}"):
            await app(scope, receive, send)

    return traced
