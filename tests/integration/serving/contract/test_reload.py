"""Reloading the configuration and moving labels by the stock client; health by its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from serving.protocol import wire_pb2 as wire
from tests.integration.serving.contract.clients import Grpc, Rest
from tests.integration.serving.contract.servers import served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out
from tests.integration.serving.server_process import ServerProcess


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return lay_out(tmp_path, ("a", 1, "half_plus_two"), ("a", 2, "half_plus_three"), ("b", 1, "half_plus_two"))


@pytest.fixture
def server(root: Path) -> Iterator[ServerProcess]:
    with served(root, entry(root, "a", "model_version_policy { all {} }")) as process:
        wait_until_available(process, {"a": 2})
        yield process


@pytest.fixture
def rest(server: ServerProcess) -> Rest:
    return Rest(server.rest_address)


@pytest.fixture
def client(server: ServerProcess, stock: Any) -> Iterator[Grpc]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield Grpc(stock, channel)


def reload_request(client: Grpc, root: Path, **models: dict[str, int]):
    """All versions of these models, with these labels."""
    request = client.stock.ReloadConfigRequest()
    for name, labels in models.items():
        config = request.config.model_config_list.config.add(name=name, base_path=str(root / name), model_platform="tensorflow")
        config.model_version_policy.all.SetInParent()
        for label, version in labels.items():
            config.version_labels[label] = version
    return request


def by_label(client: Grpc, label: str) -> float:
    request = client.predict_request("a", x=np.float32([1]))
    request.model_spec.version_label = label
    return client.call("Predict", request).outputs["y"].float_val[0]


def health(client: Grpc, service: str) -> int:
    check = client.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=wire.HealthCheckResponse.FromString,
    )
    return check(wire.HealthCheckRequest(service=service), timeout=10).status


def test_models_and_labels_follow_the_configuration(client, rest, root):
    serving = wire.HealthCheckResponse.SERVING
    assert [health(client, name) for name in ("", "tensorflow.serving.PredictionService", "a")] == [serving] * 3

    answer = client.call("HandleReloadConfigRequest", reload_request(client, root, a={"stable": 1}, b={}))
    assert (answer.status.error_code, answer.status.error_message) == (0, "")
    assert rest.predict("b", '{"instances": [1]}').status == 200  # the call returns when new models answer
    assert by_label(client, "stable") == 2.5
    assert rest.post("/v1/models/a/labels/stable:predict", '{"instances": [1]}').status == 200

    client.call("HandleReloadConfigRequest", reload_request(client, root, a={"stable": 2, "canary": 1}))
    assert (by_label(client, "stable"), by_label(client, "canary")) == (3.5, 2.5)
    answer = rest.predict("b", '{"instances": [1]}')
    assert (answer.status, answer.error) == (404, "Servable not found for request: Latest(b)")

    client.call("HandleReloadConfigRequest", reload_request(client, root, a={}))
    request = client.predict_request("a", x=np.float32([1]))
    request.model_spec.version_label = "stable"
    assert client.refused("Predict", request) == ("INVALID_ARGUMENT", "Unrecognized servable version label: stable")


def test_a_wrong_configuration_changes_nothing(client, rest, root):
    twice = reload_request(client, root, a={})
    twice.config.model_config_list.config.add().CopyFrom(twice.config.model_config_list.config[0])
    relative = reload_request(client, root, a={})
    relative.config.model_config_list.config[0].base_path = "models/a"
    custom = client.stock.ReloadConfigRequest()
    custom.config.custom_model_config.SetInParent()
    assert [client.refused("HandleReloadConfigRequest", request) for request in (twice, relative, custom)] == [
        ("INVALID_ARGUMENT", "Illegal to list model a multiple times in config list"),
        ("INVALID_ARGUMENT", "Expected model a to have an absolute path or URI; got base_path()=models/a"),
        (
            "INVALID_ARGUMENT",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported",
        ),
    ]
    assert rest.predict("a", '{"instances": [1]}').status == 200


def test_an_empty_list_unloads_everything(client, rest):
    request = client.stock.ReloadConfigRequest()
    request.config.model_config_list.SetInParent()
    client.call("HandleReloadConfigRequest", request)
    assert rest.predict("a", '{"instances": [1]}').status == 404
