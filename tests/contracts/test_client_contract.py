"""Every client keeps the contract: the fake, REST and gRPC, the last two against a real server."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from serving.clients import CLIENTS, load
from serving.clients.base import PredictClient
from serving.errors import BadRequest, ModelNotFound, PredictError, Unavailable
from serving.launchers.embedded import EmbeddedLauncher, EmbeddedServer
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.protocol.status import State
from tests.fakes.client import FakeClient, FakeModel
from tests.integration.serving.small_model import saved_model

COLUMNS = {"x": [1.0, 2.0], "n": [1, 2], "k": ["a", "b"]}


def fake_model() -> FakeModel:
    """What the SavedModel `plain` computes."""
    examples = {"inputs": TensorSpec("string", (None,))}
    signatures = {
        "serving_default": SignatureSpec(
            "serving_default",
            "tensorflow/serving/predict",
            {"k": TensorSpec("string", (None,)), "n": TensorSpec("int64", (None,)), "x": TensorSpec("float32", (None,))},
            {"count": TensorSpec("int64", (None,)), "k": TensorSpec("string", (None,)), "y": TensorSpec("float32", (None,))},
        ),
        "classify": SignatureSpec(
            "classify",
            "tensorflow/serving/predict",
            examples,
            {"classes": TensorSpec("string", (None, 2)), "scores": TensorSpec("float32", (None, 2))},
        ),
        "regress": SignatureSpec("regress", "tensorflow/serving/predict", examples, {"outputs": TensorSpec("float32", (None,))}),
    }

    def regress(signature, examples):
        if signature != "regress":
            raise BadRequest(f"No regression inputs found in SignatureDef: {signature}", code="INVALID_ARGUMENT")
        if not all("x" in example for example in examples):
            raise BadRequest("Feature: x (data type: float) is required but could not be found.", code="INVALID_ARGUMENT")
        return [2 * example["x"] for example in examples]

    def classify(_, examples):
        high = [1 / (1 + math.exp(-example["x"])) for example in examples]
        return [[("low", 1 - value), ("high", value)] for value in high]

    return FakeModel(signatures, lambda _, a: {"y": 2 * a["x"] + a["n"], "k": a["k"], "count": a["n"]}, classify, regress)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedLauncher() as launcher, launcher.launch(saved_model("plain"), model_name="m") as running:
        running.wait_until_available(120)
        yield running


@pytest.fixture(params=["fake", *CLIENTS])
def client(request: pytest.FixtureRequest) -> Iterator[PredictClient]:
    if request.param == "fake":
        yield FakeClient({"m": {1: fake_model()}})
        return
    running: EmbeddedServer = request.getfixturevalue("server")
    with load(request.param)(running.rest_address if request.param == "rest" else running.grpc_address) as opened:
        yield opened


def test_named_arrays_come_back_in_the_types_of_the_signature(client):
    outputs = client.predict("m", COLUMNS)
    assert {name: (array.dtype, array.tolist()) for name, array in outputs.items()} == {
        "y": (np.float32, [3.0, 6.0]),
        "k": (object, [b"a", b"b"]),
        "count": (np.int64, [1, 2]),
    }


@pytest.mark.parametrize("version", [None, 1])
@pytest.mark.parametrize("signature", [None, "serving_default"])
def test_version_and_signature_may_be_named(client, version, signature):
    assert client.predict("m", COLUMNS, version=version, signature=signature)["y"].tolist() == [3.0, 6.0]


def test_values_keep_their_bits(client):
    x = np.float32([0.1, 1 / 3, 1e-30, 3e38 / 4, -0.0])
    n, k = [0] * 5, [b"\xff\x00", b"", "é".encode(), b'"', b"\n"]
    outputs = client.predict("m", {"x": x, "n": n, "k": k})
    np.testing.assert_array_equal(outputs["y"], x * 2)
    assert outputs["k"].tolist() == k


def test_not_a_number_and_infinity_pass(client):
    outputs = client.predict("m", {"x": [math.nan, math.inf, -math.inf], "n": [0, 0, 0], "k": ["", "", ""]})
    np.testing.assert_array_equal(outputs["y"], [math.nan, math.inf, -math.inf])


def test_large_integers_keep_every_digit(client):
    assert client.predict("m", {"x": [0.0], "n": [2**62 + 1], "k": ["a"]})["count"].tolist() == [2**62 + 1]


@pytest.mark.parametrize(
    "inputs",
    [{}, {"x": [1.0]}, COLUMNS | {"extra": [1]}, COLUMNS | {"n": [1.5, 2]}, COLUMNS | {"x": ["1", "2"]}, COLUMNS | {"k": [1, 2]}],
    ids=["none", "too few", "too many", "float for integer", "text for float", "number for text"],
)
def test_inputs_that_do_not_fit_are_a_bad_request(client, inputs):
    with pytest.raises(BadRequest) as caught:
        client.predict("m", inputs)
    assert caught.value.code == "INVALID_ARGUMENT"


def test_an_unknown_signature_is_a_bad_request(client):
    with pytest.raises(BadRequest, match="nope"):
        client.predict("m", COLUMNS, signature="nope")


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.predict("unknown", COLUMNS),
        lambda c: c.predict("m", COLUMNS, version=9),
        lambda c: c.classify("unknown", [{"x": 1.0}]),
        lambda c: c.regress("m", [{"x": 1.0}], version=9),
        lambda c: c.status("unknown"),
        lambda c: c.status("m", 9),
        lambda c: c.metadata("unknown"),
        lambda c: c.metadata("m", 9),
    ],
)
def test_what_is_not_served_is_not_found(client, call):
    with pytest.raises(ModelNotFound) as caught:
        call(client)
    assert caught.value.code == "NOT_FOUND"


def test_classes_come_with_scores(client):
    ((low, high),) = client.classify("m", [{"x": 1.0}], signature="classify")
    assert (low[0], high[0]) == ("low", "high")
    assert high[1] == pytest.approx(1 / (1 + math.exp(-1)))


def test_each_example_has_its_value(client):
    assert client.regress("m", [{"x": 1.0}, {"x": 2.5}], signature="regress") == [2.0, 5.0]


def test_a_signature_that_does_not_regress_is_a_bad_request(client):
    with pytest.raises(BadRequest):
        client.regress("m", [{"x": 1.0}], signature="serving_default")


def test_an_example_that_the_model_cannot_parse_is_a_bad_request(client):
    with pytest.raises(BadRequest, match="x"):
        client.regress("m", [{"wrong": 1.0}], signature="regress")


def test_the_status_lists_versions(client):
    assert [(status.version, status.state) for status in client.status("m")] == [(1, State.AVAILABLE)]


def test_the_metadata_lists_signatures(client):
    expected = fake_model().signatures
    found = client.metadata("m")
    assert found.keys() == expected.keys()
    for name, spec in found.items():
        for side in ("inputs", "outputs"):
            theirs, ours = getattr(spec, side), getattr(expected[name], side)
            assert {alias: tensor.dtype for alias, tensor in theirs.items()} == {alias: tensor.dtype for alias, tensor in ours.items()}


def test_the_live_version_is_known(client):
    assert client.live_version("m") == 1
    assert client.live_version("unknown") is None


def test_closing_twice_is_fine(client):
    client.close()
    client.close()


@pytest.mark.parametrize("transport", CLIENTS)
def test_no_server_is_unavailable(transport):
    with load(transport)("127.0.0.1:1") as client, pytest.raises(Unavailable, match=r"127\.0\.0\.1:1") as caught:
        client.status("m", timeout=5)
    assert isinstance(caught.value, PredictError)
    assert caught.value.code == "UNAVAILABLE"
