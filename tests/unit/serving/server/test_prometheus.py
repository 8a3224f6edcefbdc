"""The text format, against pages as TF Serving prints them."""

from __future__ import annotations

from serving.protocol.status import Code, State
from serving.server import prometheus
from serving.server.metrics import Metrics
from serving.server.prometheus import FamilySnapshot, Snapshot


def family(kind: str, labels: list[str], *points: tuple[list[str], float, list[int]], bounds: tuple[float, ...] = ()) -> FamilySnapshot:
    listed = [prometheus.Point(labels=values, value=value, buckets=buckets) for values, value, buckets in points]
    return FamilySnapshot(kind=kind, labels=labels, bounds=list(bounds), points=listed)


def test_a_counter_has_a_type_and_no_help():
    snapshot: Snapshot = {"/test/path/total": family("counter", ["name"], (["abc"], 2, []))}
    assert prometheus.render(snapshot) == '# TYPE :test:path:total counter\n:test:path:total{name="abc"} 2\n'


def test_a_metric_without_labels_keeps_its_braces():
    assert ":runs{} 3\n" in prometheus.render({"/runs": family("counter", [], ([], 3, []))})


def test_a_distribution_is_cumulative_and_ends_without_bound():
    snapshot = {"/h": family("histogram", ["status"], (["good"], 222, [1, 0, 2]), bounds=(1.0, 32.4))}
    assert prometheus.render(snapshot).splitlines() == [
        "# TYPE :h histogram",
        ':h_bucket{status="good",le="1"} 1',
        ':h_bucket{status="good",le="32.4"} 1',
        ':h_bucket{status="good",le="+Inf"} 3',
        ':h_sum{status="good"} 222',
        ':h_count{status="good"} 3',
    ]


def test_a_distribution_without_labels_has_only_the_bound_in_its_braces():
    page = prometheus.render({"/h": family("histogram", [], ([], 0.5, [1, 0]), bounds=(1.0,))})
    assert ':h_bucket{le="1"} 1\n' in page
    assert ":h_sum{} 0.5\n" in page


def test_metrics_come_in_the_order_of_their_names():
    page = prometheus.render({"/b": family("counter", []), "/a": family("gauge", [])})
    assert page == "# TYPE :a gauge\n# TYPE :b counter\n"


def test_names_that_prometheus_refuses_are_spelled_as_upstream_does():
    snapshot = {"0/path-total_count": family("counter", ["my-name+1"], (["x"], 1, []))}
    assert prometheus.render(snapshot).splitlines()[1] == '_0:path:total_count{my_name_1="x"} 1'


def test_a_label_cannot_break_out_of_its_quotes_or_its_line():
    snapshot = {
        "/c": family(
            "counter",
            ["name"],
            (
                [
                    '"abc\\"\n:fake 1',
                ],
                2,
                [],
            ),
        )
    }
    assert prometheus.render(snapshot).splitlines()[1] == ':c{name="\\"abc\\\\\\"\\n:fake 1"} 2'
    assert len(prometheus.render(snapshot, strict=True).splitlines()) == 3


def test_a_large_sum_keeps_its_digits_unless_strict():
    snapshot = {"/h": family("histogram", [], ([], 123456789.5, [1]))}
    assert ":h_sum{} 123456789.5\n" in prometheus.render(snapshot)
    assert ":h_sum{} 1.23457e+08\n" in prometheus.render(snapshot, strict=True)


def worker(requests: int, state: State) -> Metrics:
    metrics = Metrics()
    metrics.set_models(["m"])
    for _ in range(requests):
        metrics.request("m", 1, "Predict", "GRPC").record(Code.OK, 15)
    metrics.version_state("m", 1, state)
    return metrics


def test_several_workers_make_one_page():
    page = prometheus.render(prometheus.merge([worker(2, State.AVAILABLE).snapshot(), worker(3, State.AVAILABLE).snapshot()]))
    assert ':tensorflow:serving:request_count{model_name="m",status="OK",model_version="1"} 5\n' in page
    labels = 'model_name="m",API="Predict",entrypoint="GRPC",model_version="1"'
    assert f':tensorflow:serving:request_latency_bucket{{{labels},le="18"}} 5\n' in page
    assert f":tensorflow:serving:request_latency_sum{{{labels}}} 75\n" in page


def test_a_version_is_available_when_it_is_so_in_every_worker():
    page = prometheus.render(prometheus.merge([worker(0, State.AVAILABLE).snapshot(), worker(0, State.LOADING).snapshot()]))
    assert ':sluiceway:serving:version_state{model_name="m",model_version="1"} 20\n' in page


def test_merging_leaves_its_parts_alone():
    parts = [worker(1, State.AVAILABLE).snapshot(), worker(1, State.AVAILABLE).snapshot()]
    assert prometheus.merge(parts) == prometheus.merge(parts)
    assert prometheus.merge([parts[0]]) == parts[0]
