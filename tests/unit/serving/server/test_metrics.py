"""What a server counts, read back from its page."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest

from serving.protocol.status import Code, State
from serving.server import metric_families as families
from serving.server import prometheus
from serving.server.metrics import RETIRED_VERSIONS, Histogram, Metrics, Scalar


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics()
    made.set_models(["m"])
    return made


def values(metrics: Metrics, prefix: str, *, strict: bool = False) -> list[str]:
    lines = prometheus.render(metrics.snapshot(), strict=strict).splitlines()
    return [line.removeprefix(":tensorflow:serving:") for line in lines if line.startswith(f":tensorflow:serving:{prefix}")]


def test_an_answered_request_has_a_count_and_a_latency(metrics):
    metrics.request("m", 3, "Predict", "GRPC").record(Code.OK, 1000)
    assert values(metrics, "request_count") == ['request_count{model_name="m",status="OK",model_version="3"} 1']
    labels = 'model_name="m",API="Predict",entrypoint="GRPC",model_version="3"'
    assert f"request_latency_sum{{{labels}}} 1000" in values(metrics, "request_latency")
    assert f'request_latency_bucket{{{labels},le="+Inf"}} 1' in values(metrics, "request_latency")


def test_a_failed_request_has_a_count_and_no_latency(metrics):
    metrics.request("m", None, "Predict", "GRPC").record(Code.NOT_FOUND, 1000)
    assert values(metrics, "request_count") == ['request_count{model_name="m",status="NOT_FOUND",model_version=""} 1']
    assert values(metrics, "request_latency") == []


def test_the_time_in_the_runtime_is_spelled_alike_for_both_entry_points(metrics):
    metrics.request("m", 3, "predict", "REST").ran(5)
    metrics.request("m", 3, "Predict", "GRPC").ran(50)
    assert 'runtime_latency_sum{model_name="m",API="Predict",runtime="TF1",model_version="3"} 55' in values(metrics, "runtime_latency")


def test_a_value_on_a_bound_belongs_to_the_next_bucket(metrics):
    metrics.examples("m", 1, 2)
    assert [line.rsplit(" ", 1)[1] for line in values(metrics, "request_example_counts_bucket")[:3]] == ["0", "0", "1"]
    assert values(metrics, "request_example_count_total") == ['request_example_count_total{model="m",model_version="1"} 2']


def test_names_that_clients_make_up_share_one_series(metrics):
    for number in range(50):
        metrics.request(f"guess-{number}", None, "Predict", "GRPC").record(Code.NOT_FOUND, 1)
    assert values(metrics, "request_count") == ['request_count{model_name="unknown",status="NOT_FOUND",model_version=""} 50']
    assert metrics._recorders == {}


def test_a_malformed_request_counts_under_no_name(metrics):
    metrics.request("", None, "", "REST").record(Code.INVALID_ARGUMENT, 1)
    assert values(metrics, "request_count") == ['request_count{model_name="",status="INVALID_ARGUMENT",model_version=""} 1']


def test_a_name_that_becomes_known_gets_its_own_series(metrics):
    metrics.request("late", None, "Predict", "GRPC").record(Code.NOT_FOUND, 1)
    metrics.set_models(["late"])
    metrics.request("late", 1, "Predict", "GRPC").record(Code.OK, 1)
    assert 'request_count{model_name="late",status="OK",model_version="1"} 1' in values(metrics, "request_count")


def test_strict_has_upstreams_labels_and_names_only():
    metrics = Metrics(strict=True)
    metrics.request("anything", 3, "Predict", "GRPC").record(Code.OK, 1)
    metrics.in_flight("GRPC").add()
    metrics.version_state("anything", 3, State.AVAILABLE)
    assert values(metrics, "request_count", strict=True) == ['request_count{model_name="anything",status="OK"} 1']
    assert "sluiceway" not in prometheus.render(metrics.snapshot())


def test_batch_sizes_are_not_mentioned_before_there_are_any(metrics):
    page = prometheus.render(metrics.snapshot())
    assert "# TYPE :tensorflow:serving:batching_session:wrapped_run_count counter\n" in page
    assert "input_batch_size" not in page


def test_loads_warm_ups_and_logs_are_counted(metrics):
    metrics.loaded("/m/1", True, 250.4)
    metrics.loaded("/m/1", False, 100)
    metrics.warmed_up("/m/1", Code.OK, 7, 20)
    metrics.logged("m", 1, Code.RESOURCE_EXHAUSTED)
    page = prometheus.render(metrics.snapshot())
    assert ':tensorflow:cc:saved_model:load_attempt_count{model_path="/m/1",status="fail"} 1\n' in page
    assert ':tensorflow:cc:saved_model:load_latency{model_path="/m/1"} 350\n' in page
    assert ':tensorflow:serving:model_warmup_records_read{model_path="/m/1",status="OK"} 7\n' in page
    assert ':tensorflow:serving:model_warmup_latency_sum{model_path="/m/1",status="OK"} 20\n' in page
    assert 'request_log_count{model_name="m",status_code="RESOURCE_EXHAUSTED",model_version="1"} 1' in page


def test_gauges_of_ours_go_up_and_down(metrics):
    metrics.in_flight("REST").add(1)
    metrics.in_flight("REST").add(1)
    metrics.in_flight("REST").add(-1)
    metrics.build("1.0", "2.16.2", "3.10")
    page = prometheus.render(metrics.snapshot())
    assert ':sluiceway:serving:requests_in_flight{entrypoint="REST"} 1\n' in page
    assert ':sluiceway:serving:build_info{version="1.0",tensorflow="2.16.2",python="3.10"} 1\n' in page


def test_of_the_versions_that_ended_only_the_last_few_keep_their_series(metrics):
    versions = range(1, RETIRED_VERSIONS + 3)
    for version in versions:
        metrics.request("m", version, "Predict", "GRPC").record(Code.OK, 1)
        metrics.loaded(f"/m/{version}", True, 1)
        metrics.version_state("m", version, State.AVAILABLE, f"/m/{version}")
    metrics.version_state("m", 1, State.END)
    metrics.version_state("m", 1, State.AVAILABLE)  # a version that came back is not one of those that ended
    for version in versions[1:]:
        metrics.version_state("m", version, State.END)
    page = prometheus.render(metrics.snapshot())
    assert 'model_version="1"' in page
    assert 'model_version="2"' not in page
    assert "/m/2" not in page
    assert 'model_version="3"' in page


def test_a_version_that_was_forgotten_counts_again_when_it_is_back(metrics):
    for version in range(1, RETIRED_VERSIONS + 2):
        metrics.request("m", version, "Predict", "GRPC").record(Code.OK, 1)
        metrics.version_state("m", version, State.END)
    metrics.request("m", 1, "Predict", "GRPC").record(Code.OK, 1)
    assert 'request_count{model_name="m",status="OK",model_version="1"} 1' in values(metrics, "request_count")


def test_a_snapshot_is_plain_and_does_not_change(metrics):
    metrics.request("m", 1, "Predict", "GRPC").record(Code.OK, 1)
    snapshot = metrics.snapshot()
    as_json = json.dumps(snapshot)
    metrics.request("m", 1, "Predict", "GRPC").record(Code.OK, 1)
    assert json.loads(as_json) == snapshot


def test_increases_add_up_all_series_and_know_only_counters(metrics):
    metrics.request("m", 1, "Predict", "GRPC").record(Code.OK, 1)
    before = metrics.snapshot()
    metrics.request("m", 1, "Predict", "GRPC").record(Code.OK, 1)
    metrics.request("m", 2, "Predict", "GRPC").record(Code.OK, 1)
    names = ["/tensorflow/serving/request_count", "/tensorflow/serving/request_latency", "/no/such"]
    assert metrics.increase_since(before, names) == {names[0]: 2, names[1]: 0, names[2]: 0}


def test_strict_increases_are_those_of_the_first_series():
    metrics = Metrics(strict=True)
    before = metrics.snapshot()
    for model in ("b", "a", "b"):
        metrics.request(model, 1, "Predict", "GRPC").record(Code.OK, 1)
    assert metrics.increase_since(before, [families.REQUEST_COUNT.name]) == {families.REQUEST_COUNT.name: 1}


class Slow(float):
    """A number whose addition takes long enough for another thread to come in between."""

    def __radd__(self, other: float) -> float:
        time.sleep(0.02)
        return other + float(self)


def at_once(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_count_is_lost_between_threads():
    series, distribution = Scalar(), Histogram((10.0,))
    at_once(lambda: series.add(Slow(1)))  # type: ignore[arg-type]
    at_once(lambda: distribution.observe(Slow(1)))
    assert series.point([])["value"] == 3
    assert distribution.point([]) == {"labels": [], "value": 3, "buckets": [3, 0]}


def test_threads_that_count_the_same_thing_first_share_its_series(metrics):
    at_once(lambda: [metrics.request("m", 1, "Predict", "GRPC").record(Code.OK, 20) for _ in range(200)] and None)
    assert values(metrics, "request_count") == ['request_count{model_name="m",status="OK",model_version="1"} 600']
