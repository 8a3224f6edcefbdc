"""A run on a few rows in a folder of its own, with a stand-in for TFX."""

from __future__ import annotations

import pytest

from configs.load import load_settings
from pipeline import run as module
from pipeline.run import check, plan
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.fakes.trips import write_trips


@pytest.fixture
def settings(tmp_path):
    """Settings for rows and a state of their own, with more overrides."""
    data = write_trips(tmp_path / "trips.csv")

    def load(*overrides):
        return load_settings("taxi", "local", [f"state={tmp_path / 'state'}", f"data.source={data}", *overrides])

    return load


@pytest.fixture
def planned(settings):
    return plan(check(settings()))


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "state" / "store")


@pytest.fixture
def published(store, tmp_path):
    """Publishes a version with a fingerprint, as a pusher would."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    return lambda fingerprint="sha256:old": store.publish("taxi", model, Identity("run", "taxi", fingerprint, None, {"auc": 0.9}))


@pytest.fixture
def published_once(published):
    """One version with another fingerprint."""
    return published()


@pytest.fixture
def nodes_that(monkeypatch):
    """Puts an action in the place of TFX; remembers whether it was called."""
    called = []

    def replace(action):
        def run_nodes(planned, listener):
            called.append(planned)
            return action(listener)

        monkeypatch.setattr(module, "_run_nodes", run_nodes)
        return called

    return replace
