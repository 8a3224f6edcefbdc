"""MonitoringConfig files."""

from __future__ import annotations

import pytest

from serving.protocol.status import Code, StatusError
from serving.server.schemas import monitoring
from serving.server.schemas.monitoring import MonitoringSettings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", MonitoringSettings(False, "/monitoring/prometheus/metrics")),
        ("prometheus_config { enable: true }", MonitoringSettings(True, "/monitoring/prometheus/metrics")),
        ('prometheus_config { enable: true, path: "/metrics" }', MonitoringSettings(True, "/metrics")),
        ('prometheus_config { path: "/metrics" }', MonitoringSettings(False, "/metrics")),
    ],
)
def test_metrics_are_off_until_enabled_and_have_upstreams_path(tmp_path, text, expected):
    assert monitoring.read(text, "f") == expected
    (tmp_path / "f").write_text(text)
    assert monitoring.from_file(str(tmp_path / "f")) == expected


def test_a_page_that_no_request_could_reach_is_refused():
    with pytest.raises(StatusError, match=r"^f: prometheus_config.path: metrics does not begin with /") as caught:
        monitoring.read('prometheus_config { path: "metrics" }', "f")
    assert caught.value.code is Code.INVALID_ARGUMENT
