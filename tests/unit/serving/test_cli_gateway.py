"""``gateway``, ``gateway-key`` and ``up`` as commands: their help, their mistakes, their documents."""

from __future__ import annotations

import json
import socket

import pytest
import yaml

from configs.gateway import GatewayConfig
from pipeline.cli.main import cli
from serving.cli_frame import run_command
from serving.cli_gateway import with_examples
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
    assert err.strip() == f"sluiceway: gateway.port: 127.0.0.1:{port} is taken; stop who has it, or give another"


def test_a_store_that_is_not_there_yet_is_told(call, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr("serving.gateway.__main__.run", lambda config, store: given.append((config.store, store)))
    code, _, _ = call("gateway")
    assert (code, given) == (0, [(None, tmp_path / "state" / "store")])


@pytest.mark.parametrize(
    ("host", "given", "shown"),
    [
        ("127.0.0.1", None, True),
        ("localhost", None, True),
        ("::1", None, True),
        ("0.0.0.0", None, False),
        ("127.0.0.1", False, False),
        ("0.0.0.0", True, True),
    ],
)
def test_up_shows_rows_of_data_to_who_sits_at_this_machine(host, given, shown):
    assert with_examples(GatewayConfig(host=host, examples=given)).examples is shown


def test_up_starts_a_gateway_that_shows_them_and_a_plain_gateway_does_not(call, monkeypatch):
    started = []
    monkeypatch.setattr("serving.stack.Stack.__init__", lambda _, chosen, *__, **___: started.append(chosen.gateway.examples))
    monkeypatch.setattr("serving.stack.Stack.run", lambda _: None)
    monkeypatch.setattr("serving.gateway.__main__.run", lambda config, store: started.append(config.examples))  # noqa: ARG005
    assert (call("up")[0], call("gateway")[0], started) == (0, 0, [True, None])


@pytest.mark.parametrize(
    ("arguments", "saying"), [([], "nothing is published"), (["taxi"], "taxi has no published version"), (["nope"], "no use case 'nope'")]
)
def test_up_without_models_is_one_line(call, arguments, saying):
    code, _, err = call("up", *arguments)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert saying in err
