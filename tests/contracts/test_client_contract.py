"""Every client keeps the contract: the fake, and REST and gRPC, blocking and asyncio, against a real server."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator

import numpy as np
import pytest

from configs.errors import UsageError
from serving.clients import ASYNC_CLIENTS, CLIENTS
from serving.clients.base import PredictClient, answered_by
from serving.errors import BadRequest, ModelNotFound, PredictError, Unavailable
from serving.protocol.dtypes import BY_NAME
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.protocol.status import State
from tests.fakes.client import FakeModel
from tests.integration.serving.clients.on_loop import opened
from tests.integration.serving.contract.servers import HALF, served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out
from tests.integration.serving.server_process import ServerProcess
from tests.integration.serving.small_model import saved_model
from tests.unit.serving.clients.labelled import LabelledFake

TRANSPORTS = (*CLIENTS, *ASYNC_CLIENTS)
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


def fake_half(addend: float) -> FakeModel:
    """What the SavedModels `half_plus_two` and `half_plus_three` compute."""
    spec = SignatureSpec("serving_default", "", {"x": TensorSpec("float32")}, {"y": TensorSpec("float32")})
    return FakeModel(
        {"serving_default": spec},
        lambda _, a: {"y": a["x"] / 2 + addend},
        lambda _, examples: [[("", example["x"][0] / 2 + addend)] for example in examples],
        lambda _, examples: [example["x"][0] / 2 + addend for example in examples],
    )


def fake_echo() -> FakeModel:
    """What the SavedModel `echo` computes: y = x, a signature for each element type."""
    types = {name: TensorSpec(name) for name in BY_NAME}
    return FakeModel({name: SignatureSpec(name, "", {"x": kind}, {"y": kind}) for name, kind in types.items()}, lambda _, a: {"y": a["x"]})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    root = lay_out(tmp_path_factory.mktemp("models"), ("half", 1, "half_plus_two"), ("half", 2, "half_plus_three"), ("echo", 1, "echo"))
    shutil.copytree(saved_model("plain"), root / "m" / "1")
    with served(root, entry(root, "m"), entry(root, "echo"), entry(root, "half", HALF)) as running:
        wait_until_available(running, {"m": 1, "echo": 1, "half": 2})
        yield running


@pytest.fixture(params=["fake", *TRANSPORTS])
def client(request: pytest.FixtureRequest) -> Iterator[PredictClient]:
    if request.param == "fake":
        models = {"m": {1: fake_model()}, "half": {1: fake_half(2), 2: fake_half(3)}, "echo": {1: fake_echo()}}
        yield LabelledFake(models, {"half": {"stable": 1, "canary": 2}})
        return
    running: ServerProcess = request.getfixturevalue("server")
    with opened(request.param, running.rest_address, running.grpc_address) as client:
        yield client


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


@pytest.mark.parametrize(("label", "version", "y"), [("stable", 1, 3.0), ("canary", 2, 4.0)])
def test_a_label_chooses_the_version(client, label, version, y):
    outputs = client.predict("half", {"x": [2.0]}, label=label)
    assert outputs["y"].tolist() == [y]
    assert client.regress("half", [{"x": [2.0]}], label=label, signature="regress_x_to_y") == [y]
    assert client.classify("half", [{"x": [2.0]}], label=label, signature="classify_x_to_y") == [[("", y)]]
    assert client.metadata("half", label=label).version == version
    assert [status.version for status in client.status("half", label=label)] == [version]
    assert client.live_version("half", label=label) == version


def test_an_answer_names_its_version_where_the_wire_does(client, request):
    told = "rest" not in request.node.callspec.id
    assert answered_by(client.predict("half", {"x": [2.0]})) == (2 if told else None)
    assert answered_by(client.predict("half", {"x": [2.0]}, label="stable")) == (1 if told else None)
    assert answered_by(client.regress("half", [{"x": [2.0]}], signature="regress_x_to_y")) == (2 if told else None)
    assert answered_by(client.classify("half", [{"x": [2.0]}], version=1, signature="classify_x_to_y")) == (1 if told else None)
    assert client.metadata("half").version == 2


def test_an_unknown_label_is_a_bad_request_and_leads_to_no_version(client):
    with pytest.raises(BadRequest, match="Unrecognized servable version label: nope"):
        client.predict("half", {"x": [2.0]}, label="nope")
    assert client.live_version("half", label="nope") is None
    assert client.live_version("unknown", label="nope") is None


@pytest.mark.parametrize("method", ["predict", "classify", "regress", "status", "metadata"])
@pytest.mark.parametrize("choice", [{"version": 1, "label": "stable"}, {"version": -1}, {"version": "1"}, {"label": ""}])
def test_a_choice_that_is_none_is_a_bad_request(client, method, choice):
    given = {"predict": ({"x": [1.0]},), "classify": ([{}],), "regress": ([{}],)}.get(method, ())
    with pytest.raises(BadRequest):
        getattr(client, method)("half", *given, **choice)


def extremes(name: str) -> list[object]:
    """Values of an element type that are easily lost on the way."""
    kind = BY_NAME[name].numpy
    if kind.kind in "iu":
        return [int(np.iinfo(kind).min), int(np.iinfo(kind).max), 0, 1, 2, 3]
    if kind.kind == "b":
        return [True, False, True, True, False, False]
    if kind.kind == "O":
        return [b"\xff\x00\xfe", b"", "\u00e9".encode(), b'"\\', b"\n", b"x" * 300]
    if kind.kind == "c":
        return [0, 1 - 2j, complex(0, math.inf), complex(math.nan, 1), -1j, 0.1 + 0.1j]
    return [0.1, -0.0, math.nan, math.inf, -math.inf, 3.0]


@pytest.mark.parametrize("dtype", BY_NAME)
@pytest.mark.parametrize("shape", [(6,), (2, 3), (2, 1, 3), ()], ids=str)
def test_every_element_type_comes_back_as_it_went(client, request, dtype, shape):
    values = extremes(dtype)
    flat = np.empty(6, object)
    flat[:] = values
    sent = (flat if dtype == "string" else np.array(values, BY_NAME[dtype].numpy)).reshape(shape or (6,))
    sent = sent if shape else sent[1:2].reshape(())
    if "rest" in request.node.callspec.id and dtype in ("float16", "bfloat16", "uint16", "complex64", "complex128"):
        with pytest.raises(BadRequest, match=f"takes no {dtype}; use gRPC"):
            client.predict("echo", {"x": sent}, signature=dtype)
        return
    back = client.predict("echo", {"x": sent}, signature=dtype)["y"]
    assert (back.dtype, back.shape) == (BY_NAME[dtype].numpy, shape)
    assert back.tolist() == sent.tolist() if dtype == "string" else back.tobytes() == sent.tobytes()


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


def test_closing_twice_is_fine_and_asking_then_is_a_mistake(client, request):
    client.close()
    client.close()
    if "fake" not in request.node.callspec.id:
        with pytest.raises(UsageError, match="closed"):
            client.status("m")


@pytest.mark.parametrize("timeout", [0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_time_that_is_none_is_a_bad_request(transport, timeout):
    with opened(transport, "127.0.0.1:1", "127.0.0.1:1") as client, pytest.raises(BadRequest, match="seconds above 0"):
        client.status("m", timeout=timeout)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_server_is_unavailable(transport):
    with opened(transport, "127.0.0.1:1", "127.0.0.1:1") as client, pytest.raises(Unavailable, match=r"127\.0\.0\.1:1") as caught:
        client.status("m", timeout=5)
    assert isinstance(caught.value, PredictError)
    assert caught.value.code == "UNAVAILABLE"
