"""What a REST client makes of odd answers. The server is a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import httpx
import pytest

from serving.clients import rest
from serving.clients.rest import RestClient
from serving.clients.retry import ConnectionLost
from serving.errors import BadRequest, PredictError, Unavailable
from serving.protocol.metadata import metadata_json
from tests.fakes.servable import FLOAT, INT64, signature_def
from tests.unit.serving.clients.scripted import Clock


def client_of(answer: Callable[[httpx.Request], httpx.Response]) -> RestClient:
    client = RestClient("127.0.0.1:1")
    client._http.close()
    client._http = httpx.Client(base_url=client.address, transport=httpx.MockTransport(answer))
    return client


@pytest.mark.parametrize(
    ("response", "kind", "message"),
    [
        (httpx.Response(200, text="<html>"), PredictError, "something other than JSON"),
        (httpx.Response(502, text="<html>"), PredictError, "answered HTTP 502"),
        (httpx.Response(503, json={"error": "busy"}), Unavailable, "busy"),
        (httpx.Response(400, content=b""), BadRequest, "answered HTTP 400"),
        (httpx.Response(200, json={"other": 1}), PredictError, "not a model status"),
    ],
)
def test_odd_answers_are_one_clear_error(response, kind, message):
    with client_of(lambda _: response) as client, pytest.raises(kind, match=message):
        client.status("m")


def test_a_time_out_is_unavailable():
    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow", request=request)

    with client_of(slow) as client, pytest.raises(Unavailable, match="did not answer in time") as caught:
        client.status("m")
    assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(("header", "version"), [({}, None), ({"x-model-version": "12"}, 12), ({"x-model-version": "v1"}, None)])
def test_a_gateway_names_the_version(header, version):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, text=metadata_json("m", 1, {"serving_default": signature_def({"x": FLOAT}, {"y": FLOAT})}))
        return httpx.Response(200, text=json.dumps({"outputs": [1.5]}), headers=header)

    with client_of(answer) as client:
        assert client.predict("m", {"x": [1.0]}).version == version


@pytest.mark.parametrize(
    ("method", "body"), [("classify", {}), ("classify", {"results": [1]}), ("regress", []), ("regress", {"results": None})]
)
def test_examples_answered_with_something_else_are_one_clear_error(method, body):
    with client_of(lambda _: httpx.Response(200, json=body)) as client, pytest.raises(PredictError, match=f"not an answer of {method}"):
        getattr(client, method)("m", [{"x": 1.0}])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ReadError("reset"), ConnectionLost),
        (httpx.RemoteProtocolError("bye"), ConnectionLost),
    ],
)
def test_only_a_server_that_was_never_reached_counts_as_not_asked(error, kind):
    def broken(_: httpx.Request) -> httpx.Response:
        raise error

    with client_of(broken) as client, pytest.raises(Unavailable, match="cannot be reached") as caught:
        client.status("m")
    assert (type(caught.value), caught.value.code) == (kind, "UNAVAILABLE")


def test_each_part_of_a_call_gets_what_the_parts_before_it_left(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(rest, "time", SimpleNamespace(monotonic=clock))
    waits = []

    def answer(request: httpx.Request) -> httpx.Response:
        for now in (0.0, 6.0, 11.0):
            clock.now = now
            request.extensions["trace"]("connection.some_part.started", {})
            waits.append(dict(request.extensions["timeout"]))
        clock.now = 0.0
        return httpx.Response(200, json={"model_version_status": []})

    with client_of(answer) as client:
        client._talk._clock = clock
        client.status("m", timeout=10.0)
    parts = ("connect", "read", "write", "pool")
    assert waits == [dict.fromkeys(parts, 10.0), dict.fromkeys(parts, 4.0), dict.fromkeys(parts, 0.001)]


def test_an_answer_of_a_version_just_swapped_in_is_read_by_its_own_signature():
    old, new = signature_def({"x": FLOAT}, {"y": INT64}), signature_def({"x": FLOAT}, {"y": FLOAT})
    told = [old]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, text=metadata_json("m", 1, {"serving_default": told[-1]}))
        told.append(new)
        return httpx.Response(200, text=json.dumps({"outputs": [1.5]}))

    with client_of(answer) as client:
        assert client.predict("m", {"x": [1.0]})["y"].tolist() == [1.5]
