"""``doctor``: each finding, and what to do where something is missing."""

from __future__ import annotations

import json
import os
import shutil
import socket
from types import SimpleNamespace

import pytest

from pipeline.cli import doctor as module
from pipeline.cli.main import cli
from serving.cli_frame import run_command

NAMES = ["python", "pipeline", "server", "state", "disk", "REST port", "gRPC port"]


@pytest.fixture
def ports():
    """Two ports that nobody has, as overrides."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]


@pytest.fixture
def call(capsys, tmp_path, ports):
    """Runs doctor: (exit code, findings by name)."""

    def run(*arguments):
        given = [f"state={tmp_path / 'state'}", f"server.rest_port={ports[0]}", f"server.grpc_port={ports[1]}", *arguments]
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["doctor", "--json", *(word for text in given for word in ("--set", text))])
        document = json.loads(capsys.readouterr().out)
        findings = {finding["name"]: finding for finding in document["findings"]}
        assert document["ok"] == all(finding["ok"] for finding in findings.values()) == (caught.value.code == 0)
        return caught.value.code, findings

    return run


@pytest.fixture(autouse=True)
def a_whole_machine(monkeypatch):
    """A machine that has everything; each test takes one thing away."""
    monkeypatch.setattr(module.metadata, "version", lambda _: "1.0")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * 2**30))


def test_a_machine_that_has_everything_is_healthy(call):
    code, findings = call()
    assert code == 0
    assert list(findings) == NAMES
    assert findings["pipeline"]["found"].startswith("tfx 1.0, tensorflow 1.0")
    assert findings["disk"]["found"] == "10.0 GiB free"


def test_looking_makes_no_folder(call, tmp_path):
    call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("package", "name"), [("tfx", "pipeline"), ("keras-tuner", "pipeline"), ("uvicorn", "server"), ("grpcio", "server")]
)
def test_a_missing_package_is_named_with_the_way_to_get_it(call, monkeypatch, package, name):
    def version(asked):
        if asked == package:
            raise module.metadata.PackageNotFoundError(asked)
        return "1.0"

    monkeypatch.setattr(module.metadata, "version", version)
    code, findings = call()
    assert code == 1
    assert findings[name]["found"] == f"not installed: {package}"
    assert findings[name]["advice"] == f"pip install 'sluiceway[{name}]'"


def test_a_port_that_is_taken_is_named_with_its_key(call, ports):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[0]))
        taken.listen()
        code, findings = call()
    assert code == 1
    assert not findings["REST port"]["ok"]
    assert findings["REST port"]["found"].startswith(f"127.0.0.1:{ports[0]} ")
    assert "--set server.rest_port=" in findings["REST port"]["advice"]
    assert findings["gRPC port"]["ok"]


@pytest.mark.parametrize(("gib", "ok"), [(2.0, True), (1.9, False)])
def test_a_run_wants_room(call, monkeypatch, gib, ok):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=gib * 2**30))
    assert call()[1]["disk"]["ok"] is ok


def test_a_state_folder_that_cannot_be_written_is_named(call, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)
    code, findings = call()
    assert code == 1
    assert not findings["state"]["ok"]
    assert findings["state"]["advice"].startswith(f"{tmp_path} cannot be written")


@pytest.mark.parametrize(("version", "ok"), [((3, 9), False), ((3, 10), True), ((3, 13), True), ((3, 14), False)])
def test_only_some_interpreters_fit(call, monkeypatch, version, ok):
    monkeypatch.setattr(module.sys, "version_info", (*version, 0))
    assert call()[1]["python"]["ok"] is ok


def test_a_person_gets_a_line_for_each_finding(capsys, tmp_path, ports):
    given = [f"state={tmp_path}", f"server.rest_port={ports[0]}", f"server.grpc_port={ports[0]}"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[0]))
        taken.listen()
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["doctor", *(word for text in given for word in ("--set", text))])
    lines = capsys.readouterr().out.splitlines()
    assert caught.value.code == 1
    assert [line[:4].strip() for line in lines] == ["ok", "ok", "ok", "ok", "ok", "MISS", "MISS"]
    assert all(" -> " in line for line in lines if line.startswith("MISS"))
