"""The command of a gateway's process: one line for a mistake, quick help."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from serving.gateway import __main__ as command


def test_help_has_an_example():
    found = CliRunner().invoke(command.gateway, ["--help"])
    assert found.exit_code == 0
    assert "sluiceway-gateway --config gateway.yaml" in found.output


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        ("x: 1", "x: unknown key; allowed: breaker, cors"),
        ("upstreams: {default: {grpc: 5}}", "upstreams.default.grpc"),
        ("models: {m: {upstream: gone}}", "gateway.yaml: models.m.upstream: no upstream 'gone'; there are: default"),
        ("store: /nowhere/store", "gateway.yaml: store: there is no folder /nowhere/store"),
        ("keys: {file: /nowhere/keys}", "gateway.yaml: keys.file: /nowhere/keys cannot be read"),
        ("upstreams: {x: {tls: {cert_file: a}}}", "gateway.yaml: upstreams.x.tls: cert_file and key_file belong together"),
        ("", "gateway.yaml: is empty; expected keys and values"),
        ("host: 192.0.2.1", "gateway.yaml: host: 192.0.2.1:8080 cannot be listened on"),
        ("tracing: http://collector", "pip install 'sluiceway[tracing]'"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, capsys, monkeypatch, text, saying):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    file = tmp_path / "gateway.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as caught:
        command.main(["--config", str(file)])
    told = capsys.readouterr().err.strip().splitlines()
    assert caught.value.code == 2
    assert len(told) == 1
    assert saying in told[0]


def test_of_a_file_that_up_wrote_the_keys_are_named_as_the_environment_has_them(tmp_path, capsys):
    file = tmp_path / "gateway.yaml"
    file.write_text("keys: {file: /nowhere/keys}")
    with pytest.raises(SystemExit):
        command.main(["--config", str(file), "--remove-on-exit", str(tmp_path)])
    assert capsys.readouterr().err.startswith("sluiceway: gateway.keys.file: /nowhere/keys cannot be read")
