"""Status and metadata, over both protocols."""

from __future__ import annotations

import json

import pytest

VERSION = {"state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}


def rows(rest, path: str) -> list[dict]:
    answer = rest.get(path)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.body)["model_version_status"]


@pytest.mark.parametrize("path", ["", "/labels/stable", "/labels/nope"])
def test_all_versions_are_listed_highest_first_whatever_the_label(rest, path):
    assert rows(rest, f"/v1/models/half{path}") == [{"version": "2", **VERSION}, {"version": "1", **VERSION}]


def test_one_version_can_be_asked_for(rest):
    assert rows(rest, "/v1/models/half/versions/1") == [{"version": "1", **VERSION}]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/models/nope", "Could not find any versions of model nope"),
        ("/v1/models/half/versions/7", "Could not find version 7 of model half"),
        ("/v1/models/nope/versions/1", "Could not find version 1 of model nope"),
    ],
)
def test_what_is_not_there_is_named(rest, path, message):
    answer = rest.get(path)
    assert (answer.status, answer.error) == (404, message)


def status_request(client, model: str | None = "half", version: int | None = None, label: str | None = None):
    request = client.stock.GetModelStatusRequest()
    if model is not None:
        request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    return request


@pytest.mark.parametrize(("asked", "versions"), [({}, [2, 1]), ({"label": "nope"}, [2, 1]), ({"version": 1}, [1])])
def test_the_stock_client_reads_the_status(client, asked, versions):
    listed = client.call("GetModelStatus", status_request(client, **asked)).model_version_status
    assert [row.version for row in listed] == versions
    assert {(row.state, row.status.error_code, row.status.error_message) for row in listed} == {(30, 0, "")}


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"model": None}, ("INVALID_ARGUMENT", "Missing ModelSpec")),
        ({"model": "nope"}, ("NOT_FOUND", "Could not find any versions of model nope")),
        ({"version": 7}, ("NOT_FOUND", "Could not find version 7 of model half")),
    ],
)
def test_the_stock_client_reads_why_there_is_no_status(client, asked, refusal):
    assert client.refused("GetModelStatus", status_request(client, **asked)) == refusal


@pytest.mark.parametrize(("path", "version"), [("", "2"), ("/versions/1", "1"), ("/labels/stable", "1")])
def test_metadata_is_protobufs_json(rest, path, version):
    answer = rest.get(f"/v1/models/half{path}/metadata")
    assert answer.status == 200
    document = json.loads(answer.body)
    assert document["model_spec"] == {"name": "half", "signature_name": "", "version": version}
    signatures = document["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "regress_x_to_y", "regress_x_to_y2", "classify_x_to_y", "regress_x2_to_y3"}
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"
    unknown = {"dim": [], "unknown_rank": True}
    assert signatures["serving_default"]["inputs"] == {"x": {"dtype": "DT_FLOAT", "tensor_shape": unknown, "name": "x:0"}}


def test_shapes_are_texts_of_int64(rest):
    signatures = json.loads(rest.get("/v1/models/columns/metadata").body)["metadata"]["signature_def"]["signature_def"]
    assert signatures["column"]["inputs"]["x"]["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}],
        "unknown_rank": False,
    }


@pytest.mark.parametrize("model", ["half", "columns", "echo", "keras"])
def test_metadata_is_the_same_over_both_protocols(client, rest, model):
    from google.protobuf import json_format

    answer = client.call("GetModelMetadata", metadata_request(client, model))
    assert (answer.model_spec.name, answer.model_spec.signature_name) == (model, "")
    signatures = client.stock.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    options = {"preserving_proto_field_name": True}
    try:
        expected = json_format.MessageToDict(signatures, always_print_fields_with_no_presence=True, **options)
    except TypeError:  # its name before protobuf 5
        expected = json_format.MessageToDict(signatures, including_default_value_fields=True, **options)
    assert json.loads(rest.get(f"/v1/models/{model}/metadata").body)["metadata"]["signature_def"] == expected


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/v1/models/nope/metadata", 404, "Servable not found for request: Latest(nope)"),
        ("/v1/models/half/versions/7/metadata", 404, "Servable not found for request: Specific(half, 7)"),
        ("/v1/models/half/labels/nope/metadata", 400, "Unrecognized servable version label: nope"),
    ],
)
def test_metadata_needs_a_loaded_model(rest, path, status, message):
    answer = rest.get(path)
    assert (answer.status, answer.error) == (status, message)


def metadata_request(client, model: str | None = "half", fields: tuple[str, ...] = ("signature_def",)):
    request = client.stock.GetModelMetadataRequest(metadata_field=fields)
    if model is not None:
        request.model_spec.name = model
    return request


def test_the_stock_client_reads_why_there_is_no_metadata(client):
    refusals = {
        "GetModelMetadataRequest must specify at least one metadata_field": metadata_request(client, fields=()),
        "Metadata field graph is not supported": metadata_request(client, fields=("signature_def", "graph")),
        "Missing ModelSpec": metadata_request(client, None),
    }
    assert [client.refused("GetModelMetadata", request) for request in refusals.values()] == [
        ("INVALID_ARGUMENT", text) for text in refusals
    ]


def test_a_warmed_up_model_is_available(rest):
    assert rows(rest, "/v1/models/warm") == [{"version": "1", **VERSION}]
