"""The probe asks a served candidate every golden request, and tells a broken model from a broken server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from components.infra_validator import probe as module
from components.infra_validator.probe import probe
from components.infra_validator.validate import Limits, validate
from serving.errors import BadRequest, ModelNotFound, PredictError, ServerDied, Unavailable
from serving.golden import GOLDEN, GoldenRequest, dump
from serving.protocol.signature import PREDICT_METHOD, SignatureSpec, TensorSpec
from tests.fakes.client import FakeClient, FakeModel
from tests.fakes.launcher import FakeLauncher

COLUMN = {"x": TensorSpec("float32", (None,))}
SIGNATURES = {name: SignatureSpec(name, PREDICT_METHOD, COLUMN, {"y": TensorSpec("float32", (None,))}) for name in ("double", "half")}


def run(signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"y": inputs["x"] * 2 if signature == "double" else inputs["x"] / 2}


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    values = np.array([1.0, 2.0], np.float32)
    requests = [GoldenRequest(name, {"x": values}, run(name, {"x": values})) for name in SIGNATURES]
    (tmp_path / GOLDEN).parent.mkdir()
    (tmp_path / GOLDEN).write_text(json.dumps(dump(requests)), encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def served(monkeypatch):
    """The model the fake server answers with; each transport's addresses and clients as they were opened."""
    models = {"taxi": {1: FakeModel(SIGNATURES, run)}}
    opened: list[tuple[str, str, FakeClient]] = []

    def load(transport):
        def client(address):
            opened.append((transport, address, FakeClient(models)))
            return opened[-1][2]

        return client

    monkeypatch.setattr(module, "load_client", load)
    models["opened"] = opened
    return models


def test_every_golden_request_is_asked_over_both_transports(candidate):
    launcher = FakeLauncher(load_seconds=1.5)
    seen = probe(launcher, "taxi", candidate, 60)
    assert (seen.load_seconds, seen.load_error, seen.golden_requests) == (1.5, None, 2)
    asked = [(answer.transport, answer.request.signature) for answer in seen.answers]
    assert asked == [("rest", "double"), ("rest", "half"), ("grpc", "double"), ("grpc", "half")]
    for answer in seen.answers:
        assert answer.error is None
        np.testing.assert_array_equal(answer.outputs["y"], answer.request.outputs["y"])


def test_each_transport_is_asked_at_its_own_address_and_closed(candidate, served):
    launcher = FakeLauncher()
    probe(launcher, "taxi", candidate, 60)
    (server,) = launcher.launched
    assert [(transport, address) for transport, address, _ in served["opened"]] == [
        ("rest", server.rest_address),
        ("grpc", server.grpc_address),
    ]
    assert all(client.closed for *_, client in served["opened"])
    assert (server.model_name, server.model_dir) == ("taxi", candidate)
    assert server.stopped


def test_a_request_the_model_refuses_is_an_answer(candidate, served):
    served["taxi"] = {1: FakeModel({"double": SIGNATURES["double"]}, run)}
    seen = probe(FakeLauncher(), "taxi", candidate, 60)
    errors = {(answer.transport, answer.request.signature): answer.error for answer in seen.answers}
    assert errors["rest", "double"] is None
    assert "no signature half" in errors["rest", "half"]
    assert "no signature half" in errors["grpc", "half"]


@pytest.mark.parametrize("error", [BadRequest, ModelNotFound, PredictError])
def test_an_error_of_the_model_is_an_answer(candidate, served, error):
    def fail(*_):
        raise error("it broke", code="INTERNAL")

    served["taxi"] = {1: FakeModel(SIGNATURES, fail)}
    seen = probe(FakeLauncher(), "taxi", candidate, 60)
    assert [(answer.outputs, answer.error) for answer in seen.answers] == [(None, "it broke")] * 4


def test_a_model_that_does_not_load_is_seen_as_such(candidate):
    (candidate / "saved_model.pb").write_bytes(b"junk")
    launcher = FakeLauncher()
    seen = probe(launcher, "taxi", candidate, 60)
    assert seen.load_seconds is None
    assert "saved_model.pb" in seen.load_error
    assert seen.log_tail.startswith("fake server on")
    assert seen.answers == ()
    assert launcher.launched[0].stopped


def test_golden_requests_that_cannot_be_read_are_the_models_fault(candidate):
    (candidate / GOLDEN).write_text("{", encoding="utf-8")
    seen = probe(FakeLauncher(), "taxi", candidate, 60)
    assert "not a file of golden requests" in seen.load_error


def test_a_model_without_golden_requests_is_seen_as_such(candidate):
    (candidate / GOLDEN).unlink()
    seen = probe(FakeLauncher(), "taxi", candidate, 60)
    assert (seen.load_error, seen.golden_requests, list(seen.answers)) == (None, 0, [])


def test_a_server_that_cannot_be_asked_says_nothing_of_the_model(candidate):
    launcher = FakeLauncher(died=True)
    with pytest.raises(ServerDied):
        probe(launcher, "taxi", candidate, 60)
    assert launcher.launched[0].stopped


def test_a_model_that_is_never_available_in_a_server_that_is_up_is_slow_and_not_unknown(candidate):
    launcher = FakeLauncher(load_seconds=61)
    seen = probe(launcher, "taxi", candidate, 60)
    assert (seen.load_seconds, seen.load_error, list(seen.answers)) == (60, None, [])
    assert [reason.code for reason in validate(seen, Limits(30, 1e-5)).reasons] == ["slow_load"]
    assert launcher.launched[0].stopped


def test_a_server_that_goes_away_says_nothing_of_the_model(candidate, served):
    def gone(*_):
        raise Unavailable("connection refused", code="UNAVAILABLE")

    served["taxi"] = {1: FakeModel(SIGNATURES, gone)}
    launcher = FakeLauncher()
    with pytest.raises(Unavailable):
        probe(launcher, "taxi", candidate, 60)
    assert launcher.launched[0].stopped
