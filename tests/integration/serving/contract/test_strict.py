"""``--compat=strict``: upstream's behaviour, its faults too, where it differs from ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from tests.integration.serving.contract.clients import Grpc, Rest
from tests.integration.serving.contract.servers import served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out
from tests.integration.serving.server_process import ServerProcess

MODELS = (("half", 1, "half_plus_two"), ("no_index", 1, "no_index"), ("no_variables", 1, "no_variables"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("strict"), *MODELS)


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[ServerProcess]:
    with served(root, *(entry(root, model) for model, _, _ in MODELS), flags=("--compat=strict",)) as process:
        wait_until_available(process, {model: 1 for model, _, _ in MODELS})
        yield process


@pytest.fixture(scope="module")
def rest(server: ServerProcess) -> Rest:
    return Rest(server.rest_address)


@pytest.fixture(scope="module")
def client(server: ServerProcess, stock: Any) -> Iterator[Grpc]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield Grpc(stock, channel)


@pytest.mark.parametrize("model", ["no_index", "no_variables"])
def test_a_model_without_variables_loads_and_never_answers(rest, model):
    rows = json.loads(rest.get(f"/v1/models/{model}").body)["model_version_status"]
    assert [row["state"] for row in rows] == ["AVAILABLE"]
    assert rest.predict(model, '{"instances": [1.0]}').status == 400


def test_a_good_model_answers_as_ever(client, rest):
    assert rest.predict("half", '{"instances": [1.0]}').text == '{\n    "predictions": [2.5\n    ]\n}'
    assert list(client.call("Predict", client.predict_request(x=np.float32([1]))).outputs["y"].float_val) == [2.5]


def test_a_version_beyond_int64_gets_no_text(rest):
    answer = rest.get("/v1/models/half/versions/9223372036854775808")
    assert (answer.status, answer.body) == (400, b"")


def test_a_label_for_a_version_that_is_not_there_fails_the_reload(client, root):
    request = client.stock.ReloadConfigRequest()
    for model, _, _ in MODELS:
        request.config.model_config_list.config.add(name=model, base_path=str(root / model), model_platform="tensorflow")
    request.config.model_config_list.config[0].version_labels["next"] = 7
    text = "Request to assign label to version 7 of model half, which is not currently available for inference"
    assert client.refused("HandleReloadConfigRequest", request) == ("FAILED_PRECONDITION", text)
