"""One request, from its first byte to its answer: what is held, measured and counted of it."""

from __future__ import annotations

import pytest

from serving.protocol.routes import Target
from serving.protocol.status import Code, StatusError
from serving.server.batching.batched import BatchedServable
from serving.server.batching.scheduler import BatchScheduler
from serving.server.batching_parameters import BatchingParameters
from serving.server.core import Call, Clocked, Core
from serving.server.models import Models
from tests.fakes.core import core_of
from tests.fakes.servable import FakeServable

M = Target("m")


class Quick(FakeServable):
    """Says that it is quick, and is asked about what."""

    asked: tuple[list[str], list[str]] | None = None

    def quick(self, feeds, fetches) -> bool:
        self.asked = (list(feeds), list(fetches))
        return True


@pytest.fixture
def models() -> Models:
    models = Models()
    models.load("m", 3, FakeServable)
    return models


@pytest.fixture
def core(models: Models) -> Core:
    return core_of(models, configured=["m"])


def page(core: Core) -> list[str]:
    return core.cluster.metrics_text().splitlines()


def counted(core: Core, name: str) -> dict[str, str]:
    """The series of one metric of TF Serving's, by their labels."""
    return dict(
        line.removeprefix(f":tensorflow:serving:{name}").rsplit(" ", 1)
        for line in page(core)
        if line.startswith(f":tensorflow:serving:{name}{{")
    )


def test_an_answered_request_is_counted_with_its_version_and_its_time_in_the_model(core):
    with Call(core, "Predict", "GRPC", "m") as call:
        call.lease(M).run({"x:0": 1}, ["y:0"])
    assert counted(core, "request_count") == {'{model_name="m",status="OK",model_version="3"}': "1"}
    assert counted(core, "request_latency_count") == {'{model_name="m",API="Predict",entrypoint="GRPC",model_version="3"}': "1"}
    assert counted(core, "runtime_latency_count") == {'{model_name="m",API="Predict",runtime="TF1",model_version="3"}': "1"}


@pytest.mark.parametrize(
    ("error", "code"),
    [(StatusError(Code.DATA_LOSS, "lost"), "DATA_LOSS"), (ValueError("odd"), "INTERNAL"), (KeyboardInterrupt(), "INTERNAL")],
)
def test_a_request_that_failed_is_counted_by_its_code_and_has_no_latency(core, error, code):
    def fail() -> None:
        with Call(core, "Predict", "GRPC", "m") as call:
            call.lease(M).run({"x:0": 1}, ["y:0"])
            raise error

    with pytest.raises(type(error)):
        fail()
    assert counted(core, "request_count") == {f'{{model_name="m",status="{code}",model_version="3"}}': "1"}
    assert counted(core, "request_latency_count") == counted(core, "runtime_latency_count") == {}


def test_a_version_that_was_asked_for_in_vain_is_no_label(core):
    with pytest.raises(StatusError, match=r"Specific\(m, 77\)"), Call(core, "Predict", "GRPC", "m") as call:
        call.lease(Target("m", 77))
    assert counted(core, "request_count") == {'{model_name="m",status="NOT_FOUND",model_version=""}': "1"}


def test_a_request_that_never_ran_the_model_has_no_runtime(core):
    with Call(core, "", "REST", "m") as call:
        call.lease(M)
    assert counted(core, "runtime_latency_count") == {}


def test_a_request_is_in_flight_until_it_ends_whichever_way(core):
    line = ':sluiceway:serving:requests_in_flight{entrypoint="REST"} '
    for error in (None, ValueError()):
        try:
            with Call(core, "", "REST", "m"):
                assert line + "1" in page(core)
                if error:
                    raise error
        except ValueError:
            pass
        assert line + "0" in page(core)


@pytest.mark.parametrize("error", [None, ValueError()])
def test_a_version_is_held_while_the_request_lasts(core, models, error):
    try:
        with Call(core, "", "REST", "m") as call:
            call.lease(M)
            finish = models.withdraw("m", 3)
            assert models.statuses("m")[0].state.name == "UNLOADING"
            if error:
                raise error
    except ValueError:
        pass
    assert finish is not None
    finish()  # would wait for ever if the lease were still held
    assert models.statuses("m")[0].state.name == "END"


def test_time_in_the_model_adds_up_also_when_it_fails():
    clocked = Clocked(FakeServable(graph=lambda feeds: {"y:0": 1 / feeds["x:0"]}))
    assert clocked.seconds is None
    clocked.run({"x:0": 1}, ["y:0"])
    first = clocked.seconds
    with pytest.raises(ZeroDivisionError):
        clocked.run({"x:0": 0}, ["y:0"])
    assert first
    assert clocked.seconds
    assert clocked.seconds > first


def test_a_run_asks_whether_the_next_one_is_quick_with_the_same_tensors():
    servable = Quick()
    clocked = Clocked(servable)
    assert not clocked.was_quick
    clocked.run({"x:0": 1}, ["y:0"])
    assert clocked.was_quick
    assert servable.asked == (["x:0"], ["y:0"])
    assert clocked.quick(["x:0"], [])


def test_a_request_closes_no_model():
    servable = FakeServable()
    Clocked(servable).close()
    assert not servable.closed


def test_only_a_batched_model_can_be_shared_by_requests(core, models):
    scheduler = BatchScheduler(1)
    models.load("m", 4, lambda: BatchedServable(FakeServable(), BatchingParameters(), scheduler))
    for version, batched in ((3, False), (4, True)):
        with Call(core, "", "REST", "m") as call:
            assert not call.batched
            call.lease(Target("m", version))
            assert call.batched is batched
    scheduler.close()
