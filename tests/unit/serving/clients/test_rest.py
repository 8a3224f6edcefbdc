"""What a REST client makes of odd answers. The server is a function."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from serving.clients.rest import RestClient
from serving.errors import BadRequest, PredictError, Unavailable
from serving.protocol.metadata import metadata_json
from tests.fakes.servable import FLOAT, INT64, signature_def


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
