"""Leases keep a version alive."""

from __future__ import annotations

import threading

import pytest

from serving.protocol.status import Code, State, StatusError
from serving.server.models import Models
from tests.fakes.servable import FakeServable


def loaded(*versions: int) -> tuple[Models, dict[int, FakeServable]]:
    models, servables = Models(), {version: FakeServable() for version in versions}
    for version, servable in servables.items():
        models.load("m", version, lambda servable=servable: servable)
    return models, servables


def test_the_latest_is_the_highest_available():
    models, servables = loaded(3, 1)
    with models.lease("m") as lease:
        assert (lease.version, lease.servable) == (3, servables[3])
    with models.lease("m", 1) as lease:
        assert lease.version == 1


@pytest.mark.parametrize(
    ("model", "version", "message"),
    [("x", None, "Latest(x)"), ("m", 7, "Specific(m, 7)"), ("x", 1, "Specific(x, 1)")],
)
def test_what_is_not_there_is_not_found(model, version, message):
    models, _ = loaded(1)
    with pytest.raises(StatusError) as caught, models.lease(model, version):
        pass
    assert (caught.value.code, caught.value.message) == (Code.NOT_FOUND, f"Servable not found for request: {message}")


def test_an_unload_waits_for_requests_under_way_and_takes_no_new_ones():
    models, servables = loaded(1)
    with models.lease("m"):
        unloading = threading.Thread(target=models.unload, args=("m", 1))
        unloading.start()
        with models._changed:  # the state change is announced here
            assert models._changed.wait_for(lambda: models.states("m")[1] is State.UNLOADING, timeout=10)
        assert not servables[1].closed
        with pytest.raises(StatusError), models.lease("m"):
            pass
    unloading.join(10)
    assert servables[1].closed
    assert models.states("m") == {1: State.END}


def test_a_version_under_load_is_loading_and_others_answer():
    models, _ = loaded(1)
    seen = []

    def slow() -> FakeServable:
        seen.append(models.states("m"))
        with models.lease("m") as lease:
            seen.append(lease.version)
        return FakeServable()

    models.load("m", 2, slow)
    assert seen == [{1: State.AVAILABLE, 2: State.LOADING}, 1]


def test_a_failed_load_keeps_its_reason():
    models = Models()

    def fail() -> FakeServable:
        raise StatusError(Code.DATA_LOSS, "cut off")

    with pytest.raises(StatusError):
        models.load("m", 1, fail)
    status = models.statuses("m")[0]
    assert (status.state, status.code, status.message) == (State.END, Code.DATA_LOSS, "cut off")


def test_statuses_come_highest_first():
    models, _ = loaded(1, 10, 2)
    assert [status.version for status in models.statuses("m")] == [10, 2, 1]
    assert [status.version for status in models.statuses("m", 2)] == [2]


@pytest.mark.parametrize(
    ("model", "version", "message"),
    [("x", None, "Could not find any versions of model x"), ("m", 5, "Could not find version 5 of model m")],
)
def test_a_status_of_nothing_is_not_found(model, version, message):
    models, _ = loaded(1)
    with pytest.raises(StatusError) as caught:
        models.statuses(model, version)
    assert (caught.value.code, caught.value.message) == (Code.NOT_FOUND, message)
