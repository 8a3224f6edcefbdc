"""Alive, ready, counted: the pages beside the REST API."""

from __future__ import annotations

import json

import pytest

from serving.server.models import Models
from serving.server.pages import Pages
from tests.fakes.core import core_of
from tests.fakes.servable import FakeServable

METRICS = "/monitoring/prometheus/metrics"


@pytest.fixture
def models() -> Models:
    models = Models()
    models.load("m", 1, FakeServable)
    return models


@pytest.mark.parametrize(
    ("path", "default", "strict", "without_metrics"),
    [
        (METRICS, True, True, False),
        (METRICS + "/", False, False, False),
        ("/healthz", True, False, True),
        ("/healthz/m", False, False, False),
        ("/readyz", True, False, True),
        ("/readyz/m", True, False, True),
        ("/readyzz", False, False, False),
        ("/v1/models/m", False, False, False),
        ("", False, False, False),
    ],
)
def test_a_page_is_there_or_not(models, path, default, strict, without_metrics):
    core = core_of(models)
    assert Pages(core, METRICS).has(path) is default
    assert Pages(core_of(models, strict=True), METRICS).has(path) is strict
    assert Pages(core, "").has(path) is without_metrics


@pytest.mark.parametrize(
    ("path", "status", "document"),
    [
        ("/healthz", 200, {"status": "alive"}),
        ("/readyz/m", 200, {"status": "ready"}),
        ("/readyz", 503, {"status": "not ready", "reason": "no version available of: ä b"}),
        ("/readyz/", 503, {"status": "not ready", "reason": "no version available of: ä b"}),
        ("/readyz/%C3%A4%20b", 503, {"status": "not ready", "reason": "no version available of: ä b"}),
        ("/readyz/x", 503, {"status": "not ready", "reason": "model x is not configured here; configured: m, ä b"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_a_page_says(models, method, path, status, document):
    answer = Pages(core_of(models, configured=["m", "ä b"])).answer(method, path, b"")
    assert (answer.status, json.loads(answer.body), answer.content_type) == (status, document, b"application/json")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", METRICS])
def test_a_page_can_only_be_read(models, path):
    answer = Pages(core_of(models), METRICS).answer("POST", path, b"")
    assert (answer.status, json.loads(answer.body)) == (405, {"error": f"POST {path}: only GET is allowed"})


def test_the_metrics_are_those_of_the_whole_server(models):
    core = core_of(models, configured=["m"])
    core.metrics.examples("m", 1, 3)
    answer = Pages(core, METRICS).answer("GET", METRICS, b"")
    assert answer.content_type == b"text/plain; version=0.0.4; charset=utf-8"
    assert b':tensorflow:serving:request_example_count_total{model="m",model_version="1"} 3\n' in answer.body
