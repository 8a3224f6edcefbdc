"""``gateway``, ``gateway-key`` and ``up`` as commands: their help, their mistakes, their documents."""

from __future__ import annotations

import json
import socket

import pytest
import yaml

from pipeline.cli.main import cli
from serving.cli_frame import run_command
from serving.gateway.access import digest_of


@pytest.fixture
def call(tmp_path, capsys):
    """Runs a command with a state below tmp_path: (exit code, stdout, stderr)."""

    def run(*arguments: str, state: bool = True):
        given = [*arguments, *(["--set", f"state={tmp_path / 'state'}"] if state else [])]
        with pytest.raises(SystemExit) as caught:
            run_command(cli, given)
        return caught.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("command", ["gateway", "gateway-key", "up"])
def test_help_has_an_example(call, command):
    code, out, _ = call(command, "--help", state=False)
    assert code == 0
    assert f"sluiceway {command}" in out.partition("Example:")[2]


def test_a_key_is_shown_once_and_its_digest_is_the_line_for_the_file(call):
    code, out, err = call("gateway-key", "reports", state=False)
    key = err.splitlines()[0].rpartition(" ")[2]
    assert code == 0
    assert yaml.safe_load(out) == {"reports": digest_of(key)}
    assert key not in out
    assert len(key) > 40


def test_a_key_as_a_document(call):
    _, out, err = call("gateway-key", "reports", "--json", state=False)
    found = json.loads(out)
    assert (found["name"], found["digest"], err) == ("reports", digest_of(found["key"]), "")


@pytest.mark.parametrize("name", ["a b", "", "a: b", "x\ny", "a#", "-x", "yes", "1"])
def test_a_name_that_would_break_the_file_is_told(call, name):
    code, out, err = call("gateway-key", "--", name, state=False)
    assert (code, out) == (2, "")
    assert "use letters, digits" in err


@pytest.mark.parametrize(
    ("arguments", "saying"),
    [
        (["gateway", "--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
        (["gateway", "--config", "x.yaml", "--set", "gateway.port=1"], "--set gateway.port=1 and --config are both given"),
        (["gateway", "--env", "nowhere"], "no environment 'nowhere'"),
        (["gateway", "--set", "gateway.prot=1"], "gateway.prot"),
    ],
)
def test_mistakes_are_one_line(call, arguments, saying):
    code, _, err = call(*arguments, state=False)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert saying in err


def test_a_port_that_is_taken_is_one_line(call):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = call("gateway", "--set", f"gateway.port={port}")
    assert code == 2
    assert err.strip() == f"sluiceway: gateway: 127.0.0.1:{port} is taken; stop who has it, or give another (gateway.port)"


@pytest.mark.parametrize(
    ("arguments", "saying"), [([], "nothing is published"), (["taxi"], "taxi has no published version"), (["nope"], "no use case 'nope'")]
)
def test_up_without_models_is_one_line(call, arguments, saying):
    code, _, err = call("up", *arguments)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert saying in err
