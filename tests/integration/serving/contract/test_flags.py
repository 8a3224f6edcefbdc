"""What flags change in answers: one server with all of them set the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest

from tests.integration.serving.contract.clients import Grpc, Rest
from tests.integration.serving.contract.servers import served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out
from tests.integration.serving.server_process import ServerProcess

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
MODELS = (("half", 1, "half_plus_two"), ("lite", 1, "tflite"), ("echo", 1, "echo"), ("columns", 1, "columns"), ("slow", 1, "slow"))
FLAGS = (
    "--enable_signature_method_name_check",
    "--enable_serialization_as_tensor_content",
    "--rest_api_enable_cors_support",
    "--rest_api_timeout_in_ms=300",
    "--prefer_tflite_model",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    root = lay_out(tmp_path_factory.mktemp("flags"), *MODELS)
    with served(root, *(entry(root, model) for model, _, _ in MODELS), flags=FLAGS) as process:
        wait_until_available(process, {model: 1 for model, _, _ in MODELS})
        yield process


@pytest.fixture(scope="module")
def rest(server: ServerProcess) -> Rest:
    return Rest(server.rest_address)


@pytest.fixture(scope="module")
def client(server: ServerProcess, stock: Any) -> Iterator[Grpc]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield Grpc(stock, channel)


def test_every_answer_has_cors_headers(rest):
    for answer in (
        rest.predict("half", '{"instances": [1]}'),
        rest.predict("half", "{"),
        rest.get("/v1/models/half"),
        rest.get("/v1/nothing"),
        rest.ask("OPTIONS", "/v1/models/half:predict", Origin="http://a.b"),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == "POST, GET"
        assert answer.headers["access-control-allow-headers"] == "Content-Type"


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "float16", "complex64"])
def test_tensors_leave_as_content(client, dtype):
    kind = client.stock.tf.dtypes.as_dtype(dtype)
    value = np.array([0, 1]).astype(kind.as_numpy_dtype)
    answer = client.call("Predict", client.predict_request("echo", dtype, x=value)).outputs["y"]
    assert answer.tensor_content == value.tobytes()
    np.testing.assert_array_equal(client.stock.tf.make_ndarray(answer), value)


def test_strings_leave_as_a_list_in_content(client):
    answer = client.call("Predict", client.predict_request("echo", "string", x=[b"ab", b"", b"c"])).outputs["y"]
    assert (answer.tensor_content, list(answer.string_val)) == (b"\2\0\1abc", [])


def test_json_is_the_same(rest):
    assert rest.predict("half", '{"instances": [1.0]}').text == '{\n    "predictions": [2.5\n    ]\n}'


def test_a_signature_serves_only_its_method(client, rest):
    request = client.stock.RegressionRequest()
    request.model_spec.name, request.model_spec.signature_name = "half", "classify_x_to_y"
    request.input.example_list.examples.add()
    text = f"Expected regression signature method_name to be {REGRESS}. Was: {CLASSIFY}"
    assert client.refused("Regress", request) == ("INVALID_ARGUMENT", text)
    answer = rest.post("/v1/models/half:regress", '{"signature_name": "classify_x_to_y", "examples": [{"x": 1.0}]}')
    assert (answer.status, answer.error) == (400, text)
    request.model_spec.signature_name = "regress_x_to_y"
    request.input.example_list.examples[0].features.feature["x"].float_list.value.append(1)
    assert client.call("Regress", request).result.regressions[0].value == 2.5


def test_a_question_is_held_to_the_method_of_its_signature(client):
    request = client.stock.MultiInferenceRequest()
    task = request.tasks.add(method_name=CLASSIFY)
    task.model_spec.name, task.model_spec.signature_name = "half", "regress_x_to_y"
    request.input.example_list.examples.add()
    text = f"Expected classification signature method_name to be {CLASSIFY}. Was: {REGRESS}"
    assert client.refused("MultiInference", request) == ("INVALID_ARGUMENT", text)


def test_the_rest_timeout_stops_the_model(rest):
    answer = rest.predict("slow", '{"instances": [30]}')
    assert answer.status == 504
    assert answer.error


def test_a_tflite_model_is_preferred(client, rest):
    assert rest.predict("lite", '{"instances": [1.0, 2.0]}').text == '{\n    "predictions": [3.5, 4.0\n    ]\n}'
    assert (
        client.call("Predict", client.predict_request("lite", x=np.float32([1]))).outputs["y"].tensor_content == np.float32(3.5).tobytes()
    )
