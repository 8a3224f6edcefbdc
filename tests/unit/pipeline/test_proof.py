"""The proof: the published version itself answers its first golden row, over both transports."""

from __future__ import annotations

import json

import numpy as np
import pytest

from configs.errors import SluicewayError
from configs.load import load_settings
from pipeline import proof
from pipeline.proof import prove
from serving.errors import LaunchError
from serving.golden import GOLDEN, GoldenRequest, dump
from serving.protocol.signature import PREDICT_METHOD, SignatureSpec, TensorSpec
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.fakes.client import FakeClient, FakeModel
from tests.fakes.launcher import FakeLauncher

SETTINGS = load_settings("taxi")
SPEC = SignatureSpec("predict", PREDICT_METHOD, {"x": TensorSpec("float32")}, {"y": TensorSpec("float32"), "label": TensorSpec("string")})


@pytest.fixture
def version(tmp_path):
    """A published version with two golden rows."""
    model = tmp_path / "model"
    (model / GOLDEN).parent.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    right = {"y": np.array([2.0, 4.0], np.float32), "label": np.array(["Ü".encode()] * 2, object)}
    request = GoldenRequest("predict", {"x": np.array([1.0, 2.0], np.float32)}, right)
    (model / GOLDEN).write_text(json.dumps(dump([request])), encoding="utf-8")
    return LocalStore(tmp_path / "store").publish("taxi", model, Identity("run", "taxi"))


@pytest.fixture
def launcher(monkeypatch):
    """The launcher that stands by, with a server that doubles what it is given."""
    launcher = FakeLauncher()

    def run(_, inputs):
        assert len(inputs["x"]) == 1, "one row is enough"
        return {"y": inputs["x"] * 2, "label": np.array(["Ü"], object)}

    model = FakeModel({"predict": SPEC}, run)
    monkeypatch.setattr(proof.standby, "take", lambda _: launcher)
    monkeypatch.setattr(proof, "load_client", lambda _: lambda _: FakeClient({"taxi": {1: model}}))
    return launcher


def test_the_first_golden_row_is_answered_over_both_transports(version, launcher):
    answers = prove(SETTINGS, version)
    assert [answer.transport for answer in answers] == ["rest", "grpc"]
    assert all(answer.outputs == {"y": 2.0, "label": "Ü"} for answer in answers)
    (server,) = launcher.launched
    assert (server.model_dir, server.model_name) == (version.path, "taxi")
    assert server.stopped


def test_a_version_without_golden_requests_cannot_be_proven(version, launcher):
    (version.path / GOLDEN).unlink()
    with pytest.raises(LaunchError, match="it carries no golden requests"):
        prove(SETTINGS, version)
    assert launcher.launched == []


def test_a_server_that_dies_is_an_error_and_is_stopped(version, launcher):
    launcher.died = True
    with pytest.raises(LaunchError):
        prove(SETTINGS, version)
    assert launcher.launched[0].stopped


def test_an_answer_that_is_not_the_trainers_is_an_error(version, launcher, monkeypatch):
    wrong = FakeModel({"predict": SPEC}, lambda _, inputs: {"y": inputs["x"] * 3, "label": np.array(["Ü"], object)})
    monkeypatch.setattr(proof, "load_client", lambda _: lambda _: FakeClient({"taxi": {1: wrong}}))
    with pytest.raises(SluicewayError, match=r"predict over rest: y of row 0 is .* away from the trainer's answer"):
        prove(SETTINGS, version)
    assert launcher.launched[0].stopped
