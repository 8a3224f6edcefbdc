"""What is counted, for Prometheus; by names that somebody has."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from serving.gateway.metrics import OTHER, Metrics


def test_the_page_can_be_read():
    metrics = Metrics()
    metrics.requests.labels("m", "1", "newest", "200").inc()
    metrics.in_flight.labels('"\n').set(1)
    families = {family.name for family in text_string_to_metric_families(metrics.page().decode())}
    assert {
        "sluiceway_gateway_requests",
        "sluiceway_gateway_request_seconds",
        "sluiceway_gateway_upstream_seconds",
        "sluiceway_gateway_in_flight",
        "sluiceway_gateway_upstream_open",
        "sluiceway_gateway_shadow",
        "sluiceway_gateway_shadow_difference",
        "sluiceway_gateway_config_reloads",
    } <= families


def test_a_model_is_called_by_its_name_once_it_is_known():
    metrics = Metrics()
    assert metrics.name("m") == OTHER
    metrics.learn("m")
    assert metrics.name("m") == "m"


def test_there_are_no_more_than_so_many_names():
    metrics = Metrics()
    for number in range(1000):
        metrics.learn(f"m{number}")
    assert len({metrics.name(f"m{number}") for number in range(1000)}) == 201
