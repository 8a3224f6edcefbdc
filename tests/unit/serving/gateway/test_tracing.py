"""One span for each request, by a name of a few, below the caller's own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

import pytest

from configs.errors import UsageError
from serving.gateway.guard import Call
from serving.gateway.tracing import traced

TRACE = "0af7651916cd43dd8448eb211c80319c"


def spans_of(path: str = "/v1/models/m:predict", status: int = 200, error: Exception | None = None, **headers: str) -> Any:
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter = memory.InMemorySpanExporter()
    call = Call("abc", model="m", version=3, route="arm")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        if error is not None:
            raise error
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def send(message: Any) -> None:
        del message

    around = traced(app, None, exporter)
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "headers": listed, "state": {"call": call}}
    with contextlib.suppress(ZeroDivisionError):
        asyncio.run(around(scope, None, send))  # type: ignore[arg-type]
    around.provider.force_flush()  # type: ignore[attr-defined]
    around.provider.shutdown()  # type: ignore[attr-defined]
    (span,) = exporter.get_finished_spans()
    return span


def test_a_span_tells_what_the_log_tells():
    span = spans_of(traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    assert span.name == "POST /v1/models/{model}:predict"
    assert dict(span.attributes) == {
        "request.id": "abc",
        "model": "m",
        "model.version": 3,
        "route": "arm",
        "http.response.status_code": 200,
    }
    assert f"{span.context.trace_id:032x}" == TRACE


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/models/m/versions/2:classify", "/v1/models/{model}:classify"),
        ("/v1/models/m:anything-a-stranger-thinks-of", "/v1/models/{model}"),
        ("/v1/models/m/metadata", "/v1/models/{model}/metadata"),
        ("/predict/leaves/image", "/predict/{model}/image"),
        ("/models/m/history", "/models/{model}"),
        ("/healthz", "/healthz"),
        ("/page/main.js", "/page"),
        ("/whatever/else", "/..."),
        ("/whatever", "/..."),
    ],
)
def test_names_of_spans_are_few(path, name):
    assert spans_of(path).name == f"POST {name}"


def test_what_fails_is_told():
    assert spans_of(status=503).status.is_ok is False
    assert spans_of(error=ZeroDivisionError()).status.is_ok is False
    assert spans_of(status=422).status.is_ok is True


def test_without_a_collector_nothing_stands_around():
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    assert traced(app, None) is app


def test_what_sends_spans_must_be_installed(monkeypatch):
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(UsageError, match=r"pip install 'sluiceway\[tracing\]'"):
        traced(app, "http://collector:4318")
