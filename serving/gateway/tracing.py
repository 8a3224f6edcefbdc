"""One span for each request, sent to a collector when the configuration names one. Without it nothing of OpenTelemetry is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from configs.errors import UsageError
from serving.protocol.routes import CALLS

_PLACES = frozenset({"/", "/models", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})
_BELOW = {"models": "/models/{model}", "predict": "/predict/{model}/image", "page": "/page"}

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


def traced(app: ASGIApp, endpoint: str | None, exporter: SpanExporter | None = None) -> ASGIApp:
    """The application with a span around each request, or as it is.

    Args:
        endpoint: of an OTLP collector, such as ``http://collector:4318``; None: no spans.
        exporter: where spans go instead.

    Raises:
        UsageError: what sends spans is not installed.
    """
    if endpoint is None and exporter is None:
        return app
    try:
        from opentelemetry.propagate import extract
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanKind, Status, StatusCode

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(f"{str(endpoint).rstrip('/')}/v1/traces")
    except ImportError as error:
        raise UsageError(f"tracing needs {error.name}, which is not installed: pip install 'sluiceway[tracing]'") from error
    provider = TracerProvider(resource=Resource.create({"service.name": "sluiceway-gateway"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("sluiceway.gateway")

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        incoming = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with tracer.start_as_current_span(f"{scope['method']} {_shape(scope['path'])}", extract(incoming), SpanKind.SERVER) as span:

            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            try:
                await app(scope, receive, answered)
            finally:
                span.set_attributes(_attributes(scope))

    around.provider = provider  # type: ignore[attr-defined] # for whoever has to flush it
    return around


def _shape(path: str) -> str:
    """A path as spans are named: one of a few, whatever a caller asks for."""
    if path.startswith("/v1/models/"):
        verb = path.rpartition(":")[2]
        return "/v1/models/{model}" + (f":{verb}" if verb in CALLS else "/metadata" if path.endswith("/metadata") else "")
    if path in _PLACES:
        return path
    head, _, rest = path[1:].partition("/")
    return _BELOW.get(head, "/...") if rest else "/..."


def _attributes(scope: Scope) -> dict[str, Any]:
    call = scope.get("state", {}).get("call")
    if call is None:
        return {}
    found = {"request.id": call.id, "model": call.model, "model.version": call.version, "route": call.route}
    return {name: value for name, value in found.items() if value}
