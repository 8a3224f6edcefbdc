"""What a server is told to serve becomes live, or is refused; here with threads, and loads that take no time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from serving.protocol.status import Code, State, StatusError
from serving.server.manager import Manager, ManagerSettings, StartFailed
from serving.server.model_config import ModelConfig, VersionPolicy
from serving.server.models import Models
from tests.fakes.versions import FakeLoader, config, make_version, until

UP, ENDED = State.AVAILABLE, State.END
NEVER = threading.Event()

Make = Callable[..., Manager]


@pytest.fixture
def models() -> Models:
    return Models()


@pytest.fixture
def manager(models: Models) -> Iterator[Make]:
    """Makes managers that end with the test."""
    made: list[Manager] = []

    def make(*configs: ModelConfig, loader: FakeLoader | None = None, **settings: object) -> Manager:
        manager = Manager(models, loader or FakeLoader(), ManagerSettings(**{"poll_seconds": 0.02, "retries": 0, **settings}))
        made.append(manager)
        manager.start(configs)
        return manager

    yield make
    for one in made:
        one.stop()


def refusal(manager: Manager, *configs: ModelConfig, deadline: float | None = 5.0) -> tuple[Code, str]:
    with pytest.raises(StatusError) as caught:
        manager.reload(configs, deadline)
    return caught.value.code, caught.value.message


BOTH = pytest.mark.parametrize("strict", [False, True])


@BOTH
def test_a_start_is_over_when_every_model_answers(tmp_path, models, manager, strict):
    for name in "ab":
        make_version(tmp_path / name, 1)
    made = manager(config("a", tmp_path / "a"), config("b", tmp_path / "b"), strict=strict)
    assert made.wait_until_available(NEVER)
    assert models.all_ready("ab")


@BOTH
def test_a_start_fails_with_upstreams_words(tmp_path, manager, strict):
    make_version(tmp_path / "a", 1)
    make_version(tmp_path / "b", 3, "DATA_LOSS")
    made = manager(config("a", tmp_path / "a"), config("b", tmp_path / "b"), strict=strict)
    with pytest.raises(StartFailed) as caught:
        made.wait_until_available(NEVER)
    assert str(caught.value) == (
        "UNKNOWN: 1 servable(s) did not become available: {{{name: b version: 3} due to error: DATA_LOSS: 3 is DATA_LOSS}, }"
    )


def test_a_start_falls_back_to_an_older_version(tmp_path, models, manager):
    make_version(tmp_path, 1)
    make_version(tmp_path, 2, "DATA_LOSS")
    assert manager(config("m", tmp_path)).wait_until_available(NEVER)
    assert models.states("m") == {1: UP, 2: ENDED}


def test_a_strict_start_does_not(tmp_path, manager):
    make_version(tmp_path, 1)
    make_version(tmp_path, 2, "DATA_LOSS")
    with pytest.raises(StartFailed, match=r"\{name: m version: 2\}"):
        manager(config("m", tmp_path), strict=True).wait_until_available(NEVER)


@BOTH
def test_a_model_that_is_on_its_way_is_waited_for(tmp_path, manager, strict):
    made = manager(config("m", tmp_path / "m"), strict=strict)
    threading.Timer(0.02, make_version, (tmp_path / "m", 1)).start()
    assert made.wait_until_available(NEVER)


@BOTH
def test_a_stop_ends_the_wait(tmp_path, manager, strict):
    stop = threading.Event()
    made = manager(config("m", tmp_path / "missing"), strict=strict)
    threading.Timer(0.02, stop.set).start()
    assert not made.wait_until_available(stop)


def test_a_failed_model_is_not_hidden_by_one_that_is_waited_for(tmp_path, manager):
    make_version(tmp_path / "bad", 1, "DATA_LOSS")
    with pytest.raises(StartFailed, match="name: bad version: 1"):
        manager(config("bad", tmp_path / "bad"), config("late", tmp_path / "late")).wait_until_available(NEVER)


def test_nothing_to_look_at_again_is_a_failed_start(tmp_path, manager):
    made = manager(config("m", tmp_path), poll_seconds=0)
    with pytest.raises(StartFailed, match=r"\{\{name: m\} due to error: NOT_FOUND: no versions of m under base path"):
        made.wait_until_available(NEVER)


@BOTH
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([("m", "models/m")], "INVALID_ARGUMENT: Expected model m to have an absolute path or URI; got base_path()=models/m"),
        ([("m", "/m"), ("m", "/n")], "INVALID_ARGUMENT: Illegal to list model m multiple times in config list"),
    ],
)
def test_a_list_that_is_refused_is_a_failed_start(manager, strict, changes, text):
    with pytest.raises(StartFailed) as caught:
        manager(*(config(*change) for change in changes), strict=strict)
    assert str(caught.value) == text


@BOTH
def test_a_reload_returns_when_new_models_answer_and_removed_ones_are_gone(tmp_path, models, manager, strict):
    for name in "ab":
        make_version(tmp_path / name, 1)
    a, b = config("a", tmp_path / "a"), config("b", tmp_path / "b")
    made = manager(a, strict=strict)
    made.wait_until_available(NEVER)
    made.reload([b], 10)
    assert models.ready("b")
    until(models, {"a": {1: ENDED}})
    assert made.configs == (b,)
    made.reload([a, b], 10)
    assert models.all_ready("ab")
    made.reload([], 10)
    until(models, {"a": {1: ENDED}, "b": {1: ENDED}})


@BOTH
def test_a_new_model_that_does_not_come_up_fails_the_reload(tmp_path, manager, strict):
    make_version(tmp_path, 1, "DATA_LOSS")
    made = manager(strict=strict)
    assert refusal(made, config("m", tmp_path)) == (
        Code.UNKNOWN,
        "1 model(s) did not become available: {{{name: m version: 1} due to error: DATA_LOSS: 1 is DATA_LOSS}, }",
    )
    assert [one.name for one in made.configs] == ["m"]


@BOTH
def test_a_refused_reload_changes_nothing_that_is_live(tmp_path, models, manager, strict):
    make_version(tmp_path, 1)
    good = config("m", tmp_path)
    made = manager(good, strict=strict)
    made.wait_until_available(NEVER)
    for bad, text in (
        ((good, good), "Illegal to list model m multiple times in config list"),
        ((ModelConfig("m", str(tmp_path), platform="caffe"),), "Illegal to change a model's platform. For model m platform was tensorflow"),
        ((good, ModelConfig("n", str(tmp_path), platform="caffe")), "Model n requests unsupported platform caffe"),
        ((good, ModelConfig("o", str(tmp_path), platform="")), "Illegal setting neither"),
    ):
        code, message = refusal(made, *bad)
        assert (code, message[: len(text)]) == (Code.INVALID_ARGUMENT, text)
    assert made.configs == (good,)
    assert models.states("m") == {1: UP}


def test_strict_remembers_a_list_that_it_refused(tmp_path, manager):
    made = manager(strict=True)
    odd = ModelConfig("m", str(tmp_path), platform="caffe")
    assert refusal(made, odd)[1] == "Model m requests unsupported platform caffe"
    assert refusal(made, config("m", tmp_path))[1] == (
        "Illegal to change a model's platform. For model m platform was caffe and new platform requested is tensorflow"
    )


def test_otherwise_a_refused_list_is_forgotten(tmp_path, models, manager):
    make_version(tmp_path, 1)
    made = manager()
    refusal(made, ModelConfig("m", str(tmp_path), platform="caffe"))
    made.reload([config("m", tmp_path)], 10)
    assert models.ready("m")


def test_a_reload_looks_at_once_whatever_the_period(tmp_path, models, manager):
    made = manager(poll_seconds=0)
    for states in ({1: UP}, {1: ENDED, 2: UP}):
        make_version(tmp_path, max(states))
        made.reload([config("m", tmp_path)], 10)
        until(models, {"m": states})


def test_a_strict_reload_without_a_period_waits_in_vain(tmp_path, manager):
    make_version(tmp_path, 1)
    made = manager(config("m", tmp_path), strict=True, poll_seconds=0)
    made.wait_until_available(NEVER)
    refused = refusal(made, config("m", tmp_path), config("n", tmp_path), deadline=0.05)
    assert refused == (Code.DEADLINE_EXCEEDED, "not available in time: n; the config is in force")


def test_new_versions_of_known_models_are_not_waited_for(tmp_path, models, manager):
    make_version(tmp_path, 1)
    make_version(tmp_path, 2, "DATA_LOSS")
    one, two = (VersionPolicy("specific", versions=(version,)) for version in (1, 2))
    made = manager(config("m", tmp_path, one))
    made.wait_until_available(NEVER)
    made.reload([config("m", tmp_path, two)], 10)
    until(models, {"m": {1: UP, 2: ENDED}})


@BOTH
def test_what_failed_in_an_earlier_life_does_not_count(tmp_path, models, manager, strict):
    path = make_version(tmp_path, 1, "DATA_LOSS")
    made = manager(strict=strict)
    assert refusal(made, config("m", tmp_path))[0] is Code.UNKNOWN
    made.reload([], 10)
    (path / "saved_model.pb").write_text("ok")
    made.reload([config("m", tmp_path)], 10)
    assert models.states("m") == {1: UP}


@contextmanager
def reload_under_way(made: Manager, *configs: ModelConfig) -> Iterator[list[tuple[Code, str]]]:
    """A reload in another thread, and how it was refused, for afterwards."""
    refusals: list[tuple[Code, str]] = []
    thread = threading.Thread(target=lambda: refusals.append(refusal(made, *configs, deadline=0.2)))
    thread.start()
    while made.configs != configs:
        time.sleep(0.005)
    yield refusals
    thread.join(10)


def test_a_strict_reload_that_waits_blocks_the_next_one(tmp_path, manager):
    made = manager(strict=True)
    with reload_under_way(made, config("m", tmp_path / "missing")):
        assert refusal(made, deadline=0.02)[1] == "another reload was still under way after 0.02 s; try again later"
    made.reload([], 1)


def test_otherwise_the_next_reload_is_the_remedy(tmp_path, manager):
    made = manager()
    with reload_under_way(made, config("m", tmp_path / "missing")) as refusals:
        made.reload([], 0.1)
    assert refusals == [(Code.ABORTED, "a later reload is without m")]


def test_a_stop_ends_a_reload(tmp_path, manager):
    made = manager()
    threading.Timer(0.02, made.stop).start()
    assert refusal(made, config("m", tmp_path / "missing"), deadline=None) == (Code.UNAVAILABLE, "the server is stopping")


def test_a_label_waits_for_its_version(tmp_path, models, manager, caplog):
    make_version(tmp_path, 1)
    every = VersionPolicy("all")
    made = manager(config("m", tmp_path, every, stable=1))
    made.wait_until_available(NEVER)
    made.reload([config("m", tmp_path, every, stable=2)], 10)
    assert models.labels("m") == {"stable": 1}
    assert "labels of m wait until their versions are available: {'stable': 2}" in caplog.text
    make_version(tmp_path, 2)
    until(models, {"m": {1: UP, 2: UP}})
    assert models.labels("m") == {"stable": 2}


LABEL = "Request to assign label to version {} of model m, which is not currently available for inference"


def test_a_strict_start_with_labels_fails(tmp_path, manager):
    make_version(tmp_path, 1)
    with pytest.raises(StartFailed, match=f"^FAILED_PRECONDITION: {LABEL.format(1)}$"):
        manager(config("m", tmp_path, stable=1), strict=True)


def test_one_bad_label_fails_a_strict_reload(tmp_path, models, manager):
    make_version(tmp_path, 1)
    made = manager(config("m", tmp_path), strict=True)
    made.wait_until_available(NEVER)
    assert refusal(made, config("m", tmp_path, good=1, bad=2)) == (Code.FAILED_PRECONDITION, LABEL.format(2))
    assert models.labels("m") == {}
    made.reload([config("m", tmp_path, good=1)], 10)
    assert models.labels("m") == {"good": 1}


def test_the_flag_lets_new_strict_labels_point_anywhere(tmp_path, models, manager):
    make_version(tmp_path, 1)
    made = manager(config("m", tmp_path, stable=7), strict=True, allow_version_labels_for_unavailable_models=True)
    made.wait_until_available(NEVER)
    assert models.labels("m") == {"stable": 7}
    made.reload([config("m", tmp_path, stable=1)], 10)
    assert refusal(made, config("m", tmp_path, stable=8)) == (Code.FAILED_PRECONDITION, LABEL.format(8))
