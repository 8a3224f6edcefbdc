"""The infra gate's executor: every target is tried, one verdict is kept, and the server's last words are in the log."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from components.artifacts import figures, read_verdict
from components.infra_validator import probe, standby
from components.infra_validator.executor import Executor
from serving.errors import LaunchError
from serving.golden import GOLDEN, GoldenRequest, dump
from serving.launchers import target as targets
from serving.launchers.target import Target
from serving.protocol.signature import PREDICT_METHOD, SignatureSpec, TensorSpec
from tests.fakes.client import FakeClient, FakeModel
from tests.fakes.launcher import FakeLauncher

SPEC = SignatureSpec("predict", PREDICT_METHOD, {"x": TensorSpec("float32")}, {"y": TensorSpec("float32")})
ONE, TWO = Target("docker", "image:1"), Target("docker", "image:2")


@pytest.fixture
def launchers(monkeypatch):
    """A fake launcher for each target, and a client whose model doubles."""
    made = {ONE: FakeLauncher(), TWO: FakeLauncher(load_seconds=2.5)}
    monkeypatch.setattr(standby, "open_launcher", made.__getitem__)
    model = FakeModel({"predict": SPEC}, lambda _, inputs: {"y": inputs["x"] * 2})
    monkeypatch.setattr(probe, "load_client", lambda _: lambda _: FakeClient({"taxi": {1: model}}))
    return made


@pytest.fixture
def judge(tmp_path):
    from tfx.types import standard_artifacts

    folder = tmp_path / "model" / "Format-Serving"
    (folder / GOLDEN).parent.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    request = GoldenRequest("predict", {"x": np.array([1.0], np.float32)}, {"y": np.array([2.0], np.float32)})
    (folder / GOLDEN).write_text(json.dumps(dump([request])), encoding="utf-8")

    def run(*tried: Target, content: bytes = b"graph"):
        (folder / "saved_model.pb").write_bytes(content)
        model, blessing = standard_artifacts.Model(), standard_artifacts.InfraBlessing()
        model.uri, blessing.uri = str(folder.parent), str(tmp_path / "blessing")
        properties = {"targets": targets.dump(tried), "model_name": "taxi", "load_seconds": 60.0, "tolerance": 1e-5}
        Executor().Do({"model": [model]}, {"blessing": [blessing]}, properties)
        return read_verdict(blessing), figures(blessing)

    return run


def test_a_candidate_is_booted_on_every_target(launchers, judge):
    verdict, kept = judge(ONE, TWO)
    assert verdict.accepted
    assert [len(launcher.launched) for launcher in launchers.values()] == [1, 1]
    assert kept == {"load_seconds": 2.5, "answers": 4, "servers": {"image:1": 0.1, "image:2": 2.5}}


def test_what_one_server_refuses_is_refused_and_says_where(launchers, judge, caplog):
    launchers[TWO].load_seconds = 61
    with caplog.at_level(logging.WARNING):
        verdict, _ = judge(ONE, TWO)
    assert [reason.message for reason in verdict.reasons] == ["on image:2: loading took 61.0 s; allowed 60 s"]


def test_the_servers_last_words_are_in_the_log(launchers, judge, caplog):
    assert launchers
    with caplog.at_level(logging.WARNING):
        verdict, _ = judge(ONE, content=b"junk")
    assert "the model server cannot load the model: " in verdict.reasons[0].message
    assert "the last words of the model server (image:1):\nfake server on" in caplog.text


def test_a_server_that_cannot_be_asked_is_no_verdict(launchers, judge, tmp_path):
    launchers[TWO].died = True
    with pytest.raises(LaunchError):
        judge(ONE, TWO)
    assert not (tmp_path / "blessing").exists()
