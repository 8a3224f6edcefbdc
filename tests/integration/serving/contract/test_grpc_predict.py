"""Predict by the stock client: what it may ask, what it gets, how it is refused."""

from __future__ import annotations

import time

import grpc
import numpy as np
import psutil
import pytest

from tests.integration.serving.contract.clients import Grpc
from tests.integration.serving.contract.zoo import DTYPES

SIZE = "input size does not match signature: "
HALVES = {"x": np.float32([[1], [2]])}


def array(client, message) -> np.ndarray:
    return client.stock.tf.make_ndarray(message)


def spec(answer) -> tuple[str, int, str]:
    return answer.model_spec.name, answer.model_spec.version.value, answer.model_spec.signature_name


def test_the_latest_version_answers_with_its_full_name(client):
    answer = client.call("Predict", client.predict_request(**HALVES))
    assert list(answer.outputs["y"].float_val) == [3.5, 4.0]
    assert [dim.size for dim in answer.outputs["y"].tensor_shape.dim] == [2, 1]
    assert spec(answer) == ("half", 2, "serving_default")


def test_a_version_and_a_label_choose(client):
    request = client.predict_request(**HALVES)
    request.model_spec.version.value = 1
    assert list(client.call("Predict", request).outputs["y"].float_val) == [2.5, 3.0]
    for label, version, first in (("stable", 1, 2.5), ("canary", 2, 3.5)):
        request.model_spec.version_label = label
        answer = client.call("Predict", request)
        assert spec(answer) == ("half", version, "serving_default")
        assert answer.outputs["y"].float_val[0] == first


def test_a_shape_other_than_the_placeholders_is_fed(client):
    """The signature says (None, 1); the runtime does not mind, and real clients rely on it."""
    for value in (np.float32([1]), np.float32(1), np.float32([[1, 1], [1, 1]])):
        answer = client.call("Predict", client.predict_request("columns", "column", x=value))
        assert array(client, answer.outputs["y"]).tolist() == (value / 2).tolist()


def test_a_regress_signature_can_be_predicted(client):
    example = client.stock.tf.train.Example()
    example.features.feature["x"].float_list.value.append(1.0)
    answer = client.call("Predict", client.predict_request(signature="regress_x_to_y", inputs=[example.SerializeToString()]))
    assert list(answer.outputs["outputs"].float_val) == [3.5]
    assert spec(answer) == ("half", 2, "regress_x_to_y")


def test_keras_models_answer(client):
    answer = client.call("Predict", client.predict_request("keras", a=np.float32([[1]]), b=np.float32([[10]])))
    assert [list(output.float_val) for output in answer.outputs.values()] == [[21.0]]


FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int_val"),
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "string": "string_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_comes_back_in_its_own_field(client, dtype):
    kind = client.stock.tf.dtypes.as_dtype(dtype)
    values = [[b"a", b"\xff\0"], [b"", b"c"]] if dtype == "string" else np.array([[0, 1], [1, 1]]).astype(kind.as_numpy_dtype)
    for as_field in (False, True):
        request = client.predict_request("echo", dtype)
        sent = request.inputs["x"]
        sent.CopyFrom(client.stock.tf.make_tensor_proto(values, kind))
        if as_field and dtype != "string":
            field = getattr(sent, FIELDS[dtype])
            flat = values.ravel()
            if "half" in FIELDS[dtype]:
                flat = flat.view(np.uint16).astype(np.int32)
            elif dtype.startswith("complex"):
                flat = flat.view(flat.real.dtype)
            field.extend(flat.tolist())
            sent.tensor_content = b""
        answer = client.call("Predict", request).outputs["y"]
        assert answer.dtype == kind.as_datatype_enum
        assert not answer.tensor_content
        assert len(getattr(answer, FIELDS[dtype])) == (8 if dtype.startswith("complex") else 4)
        np.testing.assert_array_equal(array(client, answer), np.array(values, object) if dtype == "string" else values)


@pytest.mark.parametrize("value", [np.float32(1.5), np.zeros((0, 3), np.float32), np.zeros((1, 1, 1, 1, 1), np.float32)])
def test_any_shape_comes_back(client, value):
    answer = client.call("Predict", client.predict_request("echo", "float32", x=value)).outputs["y"]
    assert answer.HasField("tensor_shape")
    assert array(client, answer).shape == value.shape


def test_one_value_stands_for_a_whole_tensor(client):
    request = client.predict_request("echo", "float32")
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add().size = 3
    request.inputs["x"].float_val.append(7)
    assert list(client.call("Predict", request).outputs["y"].float_val) == [7, 7, 7]


def test_a_filter_limits_the_outputs(client):
    inputs = {"x": np.float32([1]), "n": np.int64([2])}
    assert set(client.call("Predict", client.predict_request("columns", **inputs)).outputs) == {"sum", "count"}
    assert set(client.call("Predict", client.predict_request("columns", output_filter=("count",), **inputs)).outputs) == {"count"}
    both = client.predict_request("columns", output_filter=("sum", "count"), **inputs)
    assert set(client.call("Predict", both).outputs) == {"sum", "count"}


def test_a_signature_may_take_nothing(client):
    assert list(client.call("Predict", client.predict_request("columns", "constant")).outputs["c"].float_val) == [1]


def test_messages_may_be_larger_than_grpcs_own_limit(client, server):
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(server.grpc_address, options) as channel:
        value = np.ones(2_000_000, np.float32)
        answer = Grpc(client.stock, channel).call("Predict", client.predict_request("echo", "float32", x=value))
    assert len(answer.outputs["y"].float_val) == value.size


@pytest.mark.parametrize(
    "path", ["/tensorflow.serving.SessionService/SessionRun", "/tensorflow.serving.PredictionService/PredictStreamed", "/no.Such/Method"]
)
def test_there_is_no_other_service(client, path):
    with pytest.raises(grpc.RpcError) as caught:
        client.channel.unary_unary(path)(b"", timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_missing_input_takes_the_models_default(client):
    x = np.float32([1])
    assert list(client.call("Predict", client.predict_request("defaults", x=x)).outputs["y"].float_val) == [6]
    assert list(client.call("Predict", client.predict_request("defaults", x=x, n=x)).outputs["y"].float_val) == [2]


def refused_predictions(client):
    """Each row: a request and its refusal."""
    x, request = np.float32([[1]]), client.predict_request
    alias = "Signature input alias: x(feed name: {}) not found in request and no default value provided. "
    asked = "Inputs expected to be in the request {{{}}}, or default input alias set: {}"
    invalid = "INVALID_ARGUMENT"
    yield client.stock.PredictRequest(), invalid, "Missing ModelSpec"
    yield request(""), invalid, "ModelSpec has no name specified."
    yield request("nope"), "NOT_FOUND", "Servable not found for request: Latest(nope)"
    yield versioned(request(), 7), "NOT_FOUND", "Servable not found for request: Specific(half, 7)"
    yield labelled(request(), "nope"), invalid, "Unrecognized servable version label: nope"
    yield labelled(request("nope"), "stable"), invalid, "Unrecognized servable version label: stable"
    yield request(signature="nope"), "FAILED_PRECONDITION", 'Serving signature key "nope" not found.'
    yield request(), invalid, SIZE + "0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}."
    yield request(x=x, z=x), invalid, SIZE + "2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}."
    yield request(z=x), invalid, alias.format("x:0") + asked.format("z", "")
    yield request("defaults", x=x, z=x), invalid, "Inputs contains invalid name. Used request inputs: x, request input: x,z"
    yield request("defaults", n=x), invalid, alias.format("serving_default_x:0") + asked.format("n", "n")
    yield broken(request(x=x)), invalid, "tensor parsing error: x"
    filtered = "output tensor alias not found in signature: z Outputs expected to be in the set {y}."
    yield request(output_filter=("z",), x=x), invalid, filtered
    yield request(output_filter=("y", "y"), x=x), invalid, "duplicate output tensor alias: y"


def versioned(request, version):
    request.model_spec.version.value = version
    return request


def labelled(request, label):
    request.model_spec.version_label = label
    return request


def broken(request):
    request.inputs["x"].tensor_content = b"abc"
    request.inputs["x"].ClearField("float_val")
    return request


def test_wrong_requests_get_upstreams_code_and_message(client):
    rows = list(refused_predictions(client))
    assert [client.refused("Predict", request) for request, _, _ in rows] == [(code, text) for _, code, text in rows]


def test_a_wrong_type_is_the_runtimes_refusal(client):
    code, text = client.refused("Predict", client.predict_request(x=np.int32([[1]])))
    assert code == "INVALID_ARGUMENT"
    assert "float" in text
    assert "int32" in text


def test_a_wrong_shape_is_the_runtimes_refusal(client):
    code, text = client.refused("Predict", client.predict_request("columns", "product", a=np.float32([[1, 2]]), b=np.float32([[1, 2]])))
    assert code == "INVALID_ARGUMENT"
    assert "Matrix size-incompatible" in text


def test_a_long_text_is_cut(client):
    code, text = client.refused("Predict", client.predict_request(signature="x" * 2000))
    assert code == "FAILED_PRECONDITION"
    assert text == f'Serving signature key "{"x" * 2000}'[:1024] + "...TRUNCATED"


def test_the_clients_deadline_stops_the_model(client, server):
    code, _ = client.refused("Predict", client.predict_request("slow", x=np.float32([30])), timeout=0.3)
    assert code == "DEADLINE_EXCEEDED"
    process = psutil.Process(server.process.pid)
    time.sleep(0.5)
    before = sum(process.cpu_times()[:2])
    time.sleep(0.5)
    assert sum(process.cpu_times()[:2]) - before < 0.25, "the model still runs for nobody"
