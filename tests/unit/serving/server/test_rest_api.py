"""The REST coat: routes to status and JSON."""

from __future__ import annotations

import json

import pytest

from serving.server.models import Models
from serving.server.rest_api import RestApi
from tests.fakes.core import core_of
from tests.fakes.servable import FakeServable


@pytest.fixture
def api() -> RestApi:
    models = Models()
    models.load("m", 1, FakeServable)
    return RestApi(core_of(models))


DOUBLE = FakeServable().signature_defs["serving_default"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "document"),
    [
        ("POST", "/v1/models/m:predict", b'{"instances": [1, 2]}', 200, {"predictions": [2.0, 4.0]}),
        ("POST", "/v1/models/m/versions/1:predict", b'{"inputs": [3]}', 200, {"outputs": [6.0]}),
        ("POST", "/v1/models/m/versions/2:predict", b"{}", 404, {"error": "Servable not found for request: Specific(m, 2)"}),
        ("POST", "/v1/models/x:predict", b'{"instances": 7}', 404, {"error": "Servable not found for request: Latest(x)"}),
        ("POST", "/v1/models/m/labels/a:predict", b"{}", 400, {"error": "Unrecognized servable version label: a"}),
        ("POST", "/v1/models/m:predict", b"{", 400, {"error": "JSON Parse error: Missing a name for object member. at offset: 1"}),
        (
            "POST",
            "/v1/models/m:predict",
            b'{"signature_name": "s"}',
            400,
            {"error": 'Serving signature name: "s" not found in signature def'},
        ),
        (
            "POST",
            "/v1/models/m:classify",
            b'{"examples": [{}]}',
            400,
            {"error": f"No classification inputs found in SignatureDef: {DOUBLE}"},
        ),
        (
            "POST",
            "/v1/models/m:regress",
            b'{"examples": [{}]}',
            400,
            {"error": f"No regression inputs found in SignatureDef: {DOUBLE}"},
        ),
        ("GET", "/v1/models/x", b"", 404, {"error": "Could not find any versions of model x"}),
        ("PUT", "/v1/models/m", b"", 400, {"error": "Malformed request: PUT /v1/models/m"}),
    ],
)
def test_answers(api, method, path, body, status, document):
    answer = api.answer(method, path, body)
    assert (answer.status, json.loads(answer.body)) == (status, document)


def test_status_and_metadata_are_answered(api):
    assert json.loads(api.answer("GET", "/v1/models/m", b"").body)["model_version_status"][0]["state"] == "AVAILABLE"
    assert (
        "serving_default" in json.loads(api.answer("GET", "/v1/models/m/metadata", b"").body)["metadata"]["signature_def"]["signature_def"]
    )


def test_a_fault_of_ours_costs_one_request(caplog):
    models = Models()
    models.load("m", 1, lambda: FakeServable(graph=lambda _: {}))
    answer = RestApi(core_of(models)).answer("POST", "/v1/models/m:predict", b'{"instances": [1]}')
    assert answer.status == 500
    assert "KeyError" in json.loads(answer.body)["error"]
    assert "POST /v1/models/m:predict failed" in caplog.text
