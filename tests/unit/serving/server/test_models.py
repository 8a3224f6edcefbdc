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


def wait_for_state(models: Models, version: int, state: State) -> None:
    seen = models.generation
    while models.states("m")[version] is not state:
        before, seen = seen, models.wait_for_change(seen, 10)
        assert before != seen, f"version {version} never became {state.name}"


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
        wait_for_state(models, 1, State.UNLOADING)
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


def test_the_latest_falls_back_when_it_goes():
    models, _ = loaded(1, 2)
    models.unload("m", 2)
    with models.lease("m") as lease:
        assert lease.version == 1


def test_a_withdrawn_version_takes_no_request_and_is_freed_later():
    models, servables = loaded(1)
    finish = models.withdraw("m", 1)
    assert models.states("m") == {1: State.UNLOADING}
    assert not models.ready("m")
    assert models.withdraw("m", 1) is None
    finish()
    assert servables[1].closed


def test_a_version_that_is_loaded_again_while_it_drains_has_a_life_of_its_own():
    models, servables = loaded(1)
    finish = models.withdraw("m", 1)
    models.load("m", 1, FakeServable)
    finish()
    assert servables[1].closed
    assert models.states("m") == {1: State.AVAILABLE}


def test_a_close_that_fails_ends_the_version_all_the_same(caplog):
    models = Models()
    servable = FakeServable()
    servable.close = lambda: 1 / 0
    models.load("m", 1, lambda: servable)
    models.unload("m", 1)
    assert models.states("m") == {1: State.END}
    assert "closing m version 1 failed" in caplog.text


@pytest.mark.parametrize(("error", "code"), [(ValueError("odd"), Code.INTERNAL), (MemoryError("full"), Code.RESOURCE_EXHAUSTED)])
def test_whatever_a_loader_raises_becomes_a_status(error, code):
    models = Models()

    def fail() -> FakeServable:
        raise error

    with pytest.raises(StatusError) as caught:
        models.load("m", 1, fail)
    assert caught.value.code is models.statuses("m")[0].code is code


def test_a_lease_that_ends_with_an_error_is_given_back():
    models, servables = loaded(1)
    with pytest.raises(ZeroDivisionError), models.lease("m"):
        raise ZeroDivisionError
    models.unload("m", 1)
    assert servables[1].closed


def test_a_label_leads_to_its_version():
    models, _ = loaded(1, 2)
    models.set_labels({"m": {"stable": 1}})
    with models.lease("m", label="stable") as lease:
        assert lease.version == 1


@pytest.mark.parametrize("model", ["m", "unknown"])
def test_an_unknown_label_is_the_requests_fault(model):
    models, _ = loaded(1)
    with pytest.raises(StatusError) as caught, models.lease(model, label="stable"):
        pass
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, "Unrecognized servable version label: stable")


def test_a_label_of_a_version_that_is_not_loaded_names_the_version():
    models, _ = loaded(1)
    models.set_labels({"m": {"stable": 9}})
    with pytest.raises(StatusError) as caught, models.lease("m", label="stable"):
        pass
    assert (caught.value.code, caught.value.message) == (Code.NOT_FOUND, "Servable not found for request: Specific(m, 9)")


def test_a_label_waits_for_its_version():
    models, _ = loaded(1)
    models.set_labels({"m": {"stable": 1}})
    assert models.set_labels({"m": {"stable": 2}}) == {"m": {"stable": 2}}
    assert models.labels("m") == {"stable": 1}
    models.load("m", 2, FakeServable)
    assert models.labels("m") == {"stable": 2}


def test_a_label_that_waits_moves_when_its_version_goes():
    models, _ = loaded(1)
    models.set_labels({"m": {"stable": 1}})
    models.set_labels({"m": {"stable": 2}})
    models.unload("m", 1)
    assert models.labels("m") == {"stable": 2}


def test_labels_set_at_once_do_not_wait():
    models, _ = loaded(1)
    models.set_labels({"m": {"stable": 1}})
    assert models.set_labels({"m": {"stable": 2}}, at_once=True) == {}
    assert models.labels("m") == {"stable": 2}


def test_labels_that_are_left_out_are_gone():
    models, _ = loaded(1)
    models.set_labels({"m": {"stable": 1}})
    models.set_labels({})
    assert models.labels("m") == {}


def test_a_change_wakes_those_who_wait():
    models = Models()
    seen = models.generation
    assert models.wait_for_change(seen, 0) == seen
    waiter = threading.Timer(0.01, models.load, ("m", 1, FakeServable))
    waiter.start()
    assert models.wait_for_change(seen, 10) != seen
    waiter.join(10)


def test_changes_are_told_in_their_order():
    models, _ = loaded(1, 2)
    before = models.generation
    models.refuse("m", 5, Code.DATA_LOSS, "cut off")
    models.unload("m", 1)
    assert [(status.version, status.state) for status in models.changed_since("m", before)] == [(5, State.END), (1, State.END)]


def test_the_same_refusal_again_is_no_change():
    models = Models()
    models.refuse("m", 1, Code.DATA_LOSS, "cut off")
    before = models.generation
    models.refuse("m", 1, Code.DATA_LOSS, "cut off")
    assert models.generation == before
    models.refuse("m", 1, Code.DATA_LOSS, "otherwise")
    assert models.statuses("m")[0].message == "otherwise"


def test_a_model_is_ready_while_a_version_is_available():
    models, _ = loaded(1)
    assert models.ready("m")
    assert models.all_ready(["m"])
    assert not models.all_ready(["m", "other"])
    models.announce("other", 1)
    assert models.names() == ["m", "other"]
    assert not models.ready("other")
    models.unload("m", 1)
    assert not models.ready("m")
