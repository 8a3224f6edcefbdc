"""When a start has succeeded, and when it has failed. No process, no TensorFlow."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from serving.protocol.status import Code
from serving.server.lifecycle import StartFailed, wait_for_model
from serving.server.models import Models
from tests.fakes.servable import FakeServable


def test_one_good_version_is_enough():
    models = Models()
    models.refuse("m", 2, Code.DATA_LOSS, "cut off")
    models.load("m", 1, FakeServable)
    assert wait_for_model(models, "m", SimpleNamespace(gave_up=False), threading.Event(), 0.001)


def test_nothing_good_is_a_failed_start_with_every_reason():
    models = Models()
    models.refuse("m", 2, Code.DATA_LOSS, "cut off")
    with pytest.raises(StartFailed) as caught:
        wait_for_model(models, "m", SimpleNamespace(gave_up=True), threading.Event(), 0.001)
    assert str(caught.value) == (
        "UNKNOWN: 1 servable(s) did not become available: {{name: m version: 2} due to error: DATA_LOSS: cut off, }"
    )


def test_a_stop_ends_the_wait():
    stop = threading.Event()
    stop.set()
    assert not wait_for_model(Models(), "m", SimpleNamespace(gave_up=False), stop)
