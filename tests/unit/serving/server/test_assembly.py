"""The parts of a server follow its flags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import grpc
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.assembly import Parts, assemble
from serving.server.flags import Flags
from serving.server.messages import CallOptions
from serving.server.model_config import LoggingSettings, ModelConfig
from serving.server.prometheus import DEFAULT_PATH

SERVICES = ("tensorflow.serving.PredictionService/Predict", "tensorflow.serving.ModelService/GetModelStatus")
HEALTH, PROFILER = "grpc.health.v1.Health/Check", "tensorflow.ProfilerService/Monitor"


@pytest.fixture
def make() -> Iterator[Callable[..., Parts]]:
    made: list[Parts] = []

    def make(share=None, **flags: object) -> Parts:
        made.append(assemble(Flags(**flags), share))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.loader.close()


def offers(parts: Parts, method: str) -> bool:
    call = SimpleNamespace(method=f"/{method}", invocation_metadata=())
    return any(handler.service(call) is not None for handler in parts.grpc_api().handlers())


@pytest.mark.parametrize(
    ("flags", "health", "profiler"),
    [
        ({}, True, True),
        ({"enable_profiler": False}, True, False),
        ({"compat": "strict"}, False, True),
        ({"compat": "strict", "enable_grpc_healthcheck_service": True}, True, True),
    ],
)
def test_which_services_are_on_the_grpc_port(make, flags, health, profiler):
    parts = make(**flags)
    assert all(offers(parts, method) for method in SERVICES)
    assert offers(parts, HEALTH) is health
    assert offers(parts, PROFILER) is profiler


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (None, ""),
        ("", ""),
        ("prometheus_config { enable: false }", ""),
        ("prometheus_config { enable: true }", DEFAULT_PATH),
        ('prometheus_config { enable: true path: "/metrics" }', "/metrics"),
    ],
)
def test_where_the_metrics_are(make, tmp_path, text, path):
    flags = {}
    if text is not None:
        (tmp_path / "monitoring").write_text(text)
        flags["monitoring_config_file"] = f"{tmp_path}/monitoring"
    parts = make(**flags)
    assert parts.metrics_path == path
    assert not path or parts.pages().has(path)
    assert parts.pages().has("/healthz")


@pytest.mark.parametrize(("milliseconds", "seconds"), [(30_000, 30.0), (1, 0.001), (0, None), (-1, None)])
def test_a_rest_timeout_of_nothing_is_none(make, milliseconds, seconds):
    assert make(rest_api_timeout_in_ms=milliseconds).core.rest_timeout_seconds == seconds


def test_flags_reach_the_calls(make, tmp_path):
    (tmp_path / "token").write_text("a-secret-that-is-long-enough\n")
    (tmp_path / "token").chmod(0o600)
    core = make(
        enable_signature_method_name_check=True, enable_serialization_as_tensor_content=True, admin_token_file=tmp_path / "token"
    ).core
    assert core.options == CallOptions(True, True)
    assert core.admin_token == "a-secret-that-is-long-enough"
    assert core.strict is False
    assert make(compat="strict").core.strict is True


def test_a_server_speaks_for_itself_unless_it_shares(make):
    parts = make()
    assert parts.core.cluster is parts.local
    others = object()
    seen = []
    shared = make(lambda local, metrics: seen.append((local, metrics)) or others)
    assert shared.core.cluster is others
    assert seen == [(shared.local, shared.metrics)]


def test_models_are_followed_by_metrics_and_logs(make, tmp_path):
    parts = make(prediction_log_prefix=f"{tmp_path}/log", prediction_log_sampling_rate=1.0)
    parts.follow([ModelConfig("m", "/models/m")])
    parts.metrics.request("m", None, "predict", "REST").record(Code.OK, 1)
    assert 'model_name="m"' in parts.local.metrics_text()
    assert parts.core.logs.chosen("m") is not None
    assert parts.core.logs.chosen("n") is None


def test_a_strict_server_follows_no_model_that_asks_for_a_log(make, tmp_path):
    with pytest.raises(StatusError, match="No request-logger-creator provided"):
        make(compat="strict").follow([ModelConfig("m", "/models/m", logging=LoggingSettings(f"{tmp_path}/log", 1.0))])


def test_closing_closes_what_was_opened_beside(make):
    parts, closed = make(), []
    parts._closing.append(lambda: closed.append("profiler"))
    parts.close()
    assert closed == ["profiler"]


def test_the_drain_of_the_grpc_port_makes_health_say_so(make):
    parts = make()
    parts.grpc_api().drain()
    (handler,) = parts.health.handlers()
    call = handler.service(SimpleNamespace(method="/grpc.health.v1.Health/Check", invocation_metadata=()))
    assert isinstance(call, grpc.RpcMethodHandler)
    assert parts.health._draining
