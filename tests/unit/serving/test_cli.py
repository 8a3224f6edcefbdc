"""The commands of the serving side, on a store of their own and a fake server."""

from __future__ import annotations

import importlib.util
import json
import os
import sys

import pytest

from pipeline.cli.main import cli
from serving import clients
from serving.cli import COMMANDS
from serving.cli_frame import run_command
from serving.errors import Unavailable
from serving.protocol.signature import PREDICT_METHOD, SignatureSpec, TensorSpec
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from serving.verdict import Reason, Verdict
from tests.fakes.client import FakeClient, FakeModel

SPEC = SignatureSpec(
    "predict", PREDICT_METHOD, {"fare": TensorSpec("float32"), "company": TensorSpec("string")}, {"twice": TensorSpec("float32")}
)
REFUSAL = Verdict("evaluator", (Reason("threshold", "auc 0.5000 < 0.85", 0.5, 0.85), Reason("threshold", "loss 2 > 1", 2, 1)))


@pytest.fixture
def call(tmp_path, capsys):
    """Runs a command on a store below tmp_path: (exit code, stdout, stderr)."""

    def run(*arguments, state=True):
        given = [*arguments, *(["--set", f"state={tmp_path / 'state'}"] if state else [])]
        with pytest.raises(SystemExit) as caught:
            run_command(cli, given)
        return caught.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "state" / "store")


@pytest.fixture
def published(store, tmp_path):
    """Versions 1 and 2 of the taxi model, with a refusal between them."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    first = store.publish("taxi", model, Identity("run-1", "taxi", "sha256:f", None, {"auc": 0.91, "example_count": 5000.0}))
    store.refuse("taxi", REFUSAL, "run-2")
    return [first, store.publish("taxi", model, Identity("run-3", "taxi", "sha256:f", 1, {"auc": 0.92}))]


@pytest.fixture
def server(monkeypatch):
    """A fake server with one model; what was opened is remembered as (transport, address)."""
    models = {"taxi": {3: FakeModel({"predict": SPEC}, lambda _, inputs: {"twice": inputs["fare"] * 2})}}
    opened = []

    def load(transport):
        return lambda address: opened.append((transport, address)) or FakeClient(models)

    monkeypatch.setattr(clients, "load", load)
    models["opened"] = opened
    return models


def test_every_command_has_help_with_an_example(call):
    for name, (place, short) in COMMANDS.items():
        code, out, _ = call(name, "--help", state=False)
        assert code == 0, name
        assert f"sluiceway {name}" in out.partition("Example:")[2], name
        assert place.startswith(("serving.cli:", "serving.cli_"))
        assert short.endswith(".")


def test_versions_of_nothing_tell_what_to_do(call):
    code, out, _ = call("versions", "taxi")
    assert code == 0
    assert out.startswith("no version of taxi in ")
    assert out.endswith("publish one: sluiceway run taxi\n")


def test_versions_are_a_line_each_and_the_last_is_live(call, published):
    code, out, err = call("versions", "taxi")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first.split() == ["v1", published[0].manifest.published_at, "auc", "0.9100"]
    assert second.split() == ["v2", published[1].manifest.published_at, "live", "auc", "0.9200"]


def test_versions_as_one_document(call, published):
    code, out, err = call("versions", "taxi", "--json")
    document = json.loads(out)
    assert (code, err, document["model"]) == (0, "", "taxi")
    assert [(row["version"], row["live"], row["champion"], row["run_id"]) for row in document["versions"]] == [
        (1, False, None, "run-1"),
        (2, True, 1, "run-3"),
    ]
    assert document["versions"][0]["metrics"] == {"auc": 0.91, "example_count": 5000.0}
    assert document["versions"][1]["path"] == str(published[1].path)


def test_no_versions_are_an_empty_document(call):
    assert json.loads(call("versions", "taxi", "--json")[1]) == {"model": "taxi", "versions": [], "damaged": {}}


@pytest.mark.usefixtures("published")
def test_history_tells_what_was_published_and_why_something_was_not(call):
    code, out, _ = call("history", "taxi")
    lines = [line.partition("  ")[2] for line in out.splitlines()]
    assert code == 0
    assert lines == ["publish v1  (run-1)", "refused by evaluator: auc 0.5000 < 0.85; loss 2 > 1", "publish v2  (run-3)"]


@pytest.mark.usefixtures("published")
def test_history_as_one_document(call):
    events = json.loads(call("history", "taxi", "--json")[1])["events"]
    assert [event["kind"] for event in events] == ["publish", "refuse", "publish"]
    assert events[1]["details"]["reasons"][0]["measured"] == 0.5


def test_history_of_nothing_says_so(call):
    assert call("history", "taxi")[1].startswith("nothing has happened to taxi in ")


def test_the_store_may_lie_elsewhere(call, published, tmp_path):
    elsewhere = f"store.path={published[0].path.parents[1]}"
    out = call("versions", "taxi", "--set", elsewhere, "--set", f"state={tmp_path / 'other'}", state=False)[1]
    assert len(out.splitlines()) == 2


@pytest.mark.usefixtures("published")
def test_serve_becomes_the_server(call, monkeypatch, tmp_path):
    replaced = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: replaced.append((program, arguments)))
    code, _, err = call("serve", "taxi", "--set", "server.rest_port=9501", "--set", "server.grpc_port=9500", "-v")
    ((program, arguments),) = replaced
    assert code == 0
    assert program == arguments[0] == sys.executable
    assert arguments[1:3] == ["-m", "serving.server"]
    assert set(arguments[3:]) == {
        "--model_name=taxi",
        f"--model_base_path={tmp_path / 'state' / 'store' / 'taxi'}",
        "--port=9500",
        "--rest_api_port=9501",
        "--bind=127.0.0.1",
        "--file_system_poll_wait_seconds=1.0",
        "--verbose",
    }
    assert "serving taxi v2" in err
    assert "http://127.0.0.1:9501/v1/models/taxi:predict" in err


@pytest.mark.usefixtures("published")
def test_serving_without_tensorflow_tells_what_to_do(call, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tensorflow" else find_spec(name))
    code, _, err = call("serve", "taxi")
    assert code == 2
    assert "pip install 'sluiceway[server]'" in err


def test_serving_nothing_tells_what_to_do(call):
    code, out, err = call("serve", "taxi")
    assert (code, out) == (2, "")
    assert err.startswith("sluiceway: taxi has no published version in ")
    assert err.endswith("publish one: sluiceway run taxi\n")


@pytest.mark.parametrize(
    ("flags", "transport", "address"),
    [([], "rest", "http://127.0.0.1:8501"), (["--rest"], "rest", "http://127.0.0.1:8501"), (["--grpc"], "grpc", "127.0.0.1:8500")],
)
def test_predict_asks_the_configured_server(call, server, flags, transport, address):
    code, out, err = call("predict", "taxi", '{"fare": 1.5}', *flags)
    assert (code, out) == (0, '{"twice": 3.0}\n')
    assert err == f"answered by taxi v3 over {transport}\n"
    assert server["opened"] == [(transport, address)]


@pytest.mark.usefixtures("server")
def test_predict_as_one_document(call):
    code, out, err = call("predict", "taxi", '[{"fare": 1}, {"fare": 2, "company": "Ü"}]', "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"model": "taxi", "version": 3, "signature": "predict", "predictions": [{"twice": 2.0}, {"twice": 4.0}]}


def test_predict_may_name_a_version(call, server):
    server["taxi"][4] = server["taxi"][3]
    assert json.loads(call("predict", "taxi", "{}", "--json", "--version", "3")[1])["version"] == 3
    assert json.loads(call("predict", "taxi", "{}", "--json")[1])["version"] == 4


@pytest.mark.usefixtures("server")
def test_a_missing_number_is_null_in_the_document(call):
    out = call("predict", "taxi", "{}", "--json")[1]
    assert json.loads(out, parse_constant=lambda name: pytest.fail(name))["predictions"] == [{"twice": None}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["taxi", "{"], "the row: not valid JSON"),
        (["taxi", "@no-such-file"], "no-such-file: cannot be read"),
        (["taxi", '{"price": 1}'], "row 0: unknown column 'price'; the model takes: company, fare"),
        (["taxi", '{"fare": "x"}'], "fare: 'x' is not a number"),
        (["taxi", "{}", "--signature", "nope"], "taxi has no signature 'nope'"),
        (["taxi", "{}", "--version", "9"], "Servable not found"),
        (["taxi", "{}", "--version", "x"], "Invalid value for '--version'"),
        (["bikes", "{}"], "no use case 'bikes'"),
        (["taxi"], "Missing argument 'ROW'"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_wrong_question_is_the_callers_mistake(call, arguments, message):
    code, out, err = call("predict", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"sluiceway: {message}")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("server")
def test_a_wrong_question_is_one_document_with_json(call):
    code, out, _ = call("predict", "taxi", "{", "--json")
    assert code == json.loads(out)["error"]["exit_code"] == 2


def test_no_server_is_a_failure(call, server):
    def gone(*_):
        raise Unavailable("no server at 127.0.0.1:8501", code="UNAVAILABLE")

    server["taxi"] = {3: FakeModel({"predict": SPEC}, gone)}
    code, _, err = call("predict", "taxi", "{}")
    assert code == 1
    assert err.startswith("sluiceway: no server at 127.0.0.1:8501")


def test_a_version_that_cannot_be_read_is_told_and_nothing_below_it_is_called_live(call, published):
    (published[-1].path / "assets.extra" / "manifest.json").write_text("{", encoding="utf-8")
    document = json.loads(call("versions", "taxi", "--json")[1])
    assert [(row["version"], row["live"]) for row in document["versions"]] == [(1, False)]
    assert "not a manifest" in document["damaged"]["2"]
