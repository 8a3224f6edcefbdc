"""Messages from values and back, and what a channel is made with."""

from __future__ import annotations

import json

import pytest

from configs.gateway import Tls
from serving.clients.grpc_dialect import GrpcDialect, call_metadata, channel_options, credentials
from serving.clients.options import Options, Place
from serving.errors import BadRequest
from serving.protocol import wire_pb2 as wire
from serving.protocol.routes import Target
from serving.protocol.signature import SignatureSpec, TensorSpec

SPEC = SignatureSpec("s", "", {"x": TensorSpec("float32")}, {})


@pytest.mark.parametrize(
    ("target", "choice"),
    [(Target("m"), None), (Target("m", 0), "version"), (Target("m", 3), "version"), (Target("m", label="stable"), "version_label")],
)
def test_a_request_says_which_version(target, choice):
    message = GrpcDialect().predict(target, {"x": [1.0]}, SPEC, "s").message
    assert message.model_spec.WhichOneof("version_choice") == choice
    assert (message.model_spec.name, message.model_spec.signature_name) == ("m", "s")


def test_an_answer_without_a_version_says_none():
    outputs = GrpcDialect().read_outputs(wire.PredictResponse(), SPEC)
    assert (outputs, outputs.version) == ({}, None)


def test_metadata_that_is_junk_is_told():
    answer = wire.GetModelMetadataResponse()
    answer.metadata["signature_def"].value = b"\xff\xff"
    with pytest.raises(ValueError, match="not model metadata"):
        GrpcDialect().read_metadata(answer)


def test_an_input_that_does_not_fit_is_named():
    with pytest.raises(BadRequest, match="input x: expected float32"):
        GrpcDialect().predict(Target("m"), {"x": ["a"]}, SPEC, None)


def test_an_example_of_a_type_that_none_holds_is_told():
    with pytest.raises(BadRequest, match="Feature: x has element with unexpected JSON type"):
        GrpcDialect().classify(Target("m"), [{"x": None}], None)


def test_names_of_headers_are_in_lower_case():
    assert call_metadata(Options(headers={"X-API-Key": "K"})) == (("x-api-key", "K"),)
    assert call_metadata(Options()) is None


def test_a_channel_is_made_for_its_server():
    plain = dict(channel_options(Place("127.0.0.1:1", None), Options()))
    assert plain["grpc.enable_http_proxy"] == 0
    assert "grpc.service_config" not in plain
    special = dict(channel_options(Place("models.example:1", Tls(server_name="b")), Options(balanced=True)))
    assert special["grpc.enable_http_proxy"] == 1
    assert special["grpc.ssl_target_name_override"] == "b"
    assert json.loads(special["grpc.service_config"]) == {"loadBalancingConfig": [{"round_robin": {}}]}
    assert credentials(Place("127.0.0.1:1", None)) is None
