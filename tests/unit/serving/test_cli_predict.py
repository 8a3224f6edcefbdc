"""The command that asks a served model, on a fake server."""

from __future__ import annotations

import json
import socket
import sys
import threading

import numpy as np
import pytest

from pipeline.cli.main import cli
from serving import clients
from serving.cli_frame import run_command
from serving.clients.base import error_for
from serving.errors import BadRequest, Unavailable
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.protocol.status import Code
from serving.server.grpc_api import GrpcApi
from serving.server.listeners import GrpcListener, GrpcSettings
from serving.server.models import Models
from tests.fakes.client import FakeModel
from tests.fakes.core import core_of
from tests.unit.serving.clients.labelled import LabelledFake
from tests.unit.serving.predict_models import PHOTOS, TAXI, TWO, leaves, taxi


@pytest.fixture
def server(monkeypatch):
    """A fake server with two models; what was opened is remembered as (transport, address)."""
    fake = LabelledFake({"taxi": {2: taxi(1), 3: taxi(2)}, "leaves": {1: leaves()}}, {"taxi": {"stable": 2}})
    fake.opened = []
    monkeypatch.setattr(clients, "load", lambda transport: lambda address: fake.opened.append((transport, address)) or fake)
    return fake


@pytest.fixture
def call(server, capsys, monkeypatch):  # noqa: ARG001  every call is to the fake
    """Runs the command: (exit code, stdout, stderr)."""

    monkeypatch.setenv("TERM", "dumb")  # no bold letters between the words

    def run(*arguments, terminal=False):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["predict", *map(str, arguments)])
        return caught.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("flags", "transport", "address"),
    [
        ([], "rest", "http://127.0.0.1:8501"),
        (["--rest"], "rest", "http://127.0.0.1:8501"),
        (["--grpc"], "grpc", "127.0.0.1:8500"),
        (["--set", "server.grpc_port=9", "--grpc"], "grpc", "127.0.0.1:9"),
        (["--address", "a:1"], "grpc", "a:1"),
        (["--address", "https://a"], "rest", "https://a"),
        (["--address", "a:1", "--rest"], "rest", "a:1"),
    ],
)
def test_it_asks_the_configured_server_or_another(call, server, flags, transport, address):
    code, out, err = call("taxi", '{"fare": 1.5}', *flags)
    assert (code, out) == (0, '{"twice": 3.0}\n')
    assert err == f"answered by taxi v3 over {transport}\n"
    assert server.opened == [(transport, address)]


@pytest.mark.parametrize(("choice", "version", "twice"), [((), 3, 2.0), (("--version", "2"), 2, 1.0), (("--label", "stable"), 2, 1.0)])
def test_the_version_that_answered_is_told(call, choice, version, twice):
    code, out, err = call("taxi", '{"fare": 1}', "--json", *choice)
    assert (code, err) == (0, "")
    assert json.loads(out) == {"model": "taxi", "version": version, "signature": "predict", "predictions": [{"twice": twice}]}


def test_several_rows_are_a_line_each_in_a_pipe_and_one_document_with_json(call, tmp_path):
    (tmp_path / "rows.json").write_text('[{"fare": 1}, {}]', encoding="utf-8")
    given = ("taxi", '{"fare": 2.5, "company": "Ü"}', f"@{tmp_path / 'rows.json'}")
    assert call(*given)[1] == '{"twice": 5.0}\n{"twice": 2.0}\n{"twice": null}\n'
    assert json.loads(call(*given, "--json")[1])["predictions"] == [{"twice": 5.0}, {"twice": 2.0}, {"twice": None}]


def test_a_csv_file_is_rows(call, tmp_path):
    (tmp_path / "rows.csv").write_text("company,fare\nÜ,1.5\n,\n", encoding="utf-8")
    assert call("taxi", f"@{tmp_path / 'rows.csv'}", "--grpc")[1] == '{"twice": 3.0}\n{"twice": null}\n'


def test_rows_are_a_table_on_a_terminal(call):
    code, out, err = call("taxi", '[{"fare": 1.23456789}, {"fare": 2}]', terminal=True)
    assert (code, err) == (0, "answered by taxi v3 over rest\n")
    assert [line.strip("│ ┃┏┓└┘━─┡┩").strip() for line in out.splitlines()] == ["", "twice", "", "2.46914", "4", ""]


@pytest.mark.parametrize(
    ("scores", "said"), [((0.25, 0.75), " of big"), ((0.75, 0.25), " of small"), ((0.4, 0.4), ""), ((0.25, 0.5, 0.25), "")]
)
def test_of_two_classes_it_is_said_which_one_the_probability_is_of(call, server, scores, said):
    def answer(_, inputs):
        rows = len(inputs["fare"])
        return {"label": np.array([b"small"] * rows, object), "probability": [0.75] * rows}

    def classify(_, examples):
        assert examples[0]["fare"] == 1.5
        return [list(zip(("small", "big", "none"), scores, strict=False)) for _ in examples]

    server.models["taxi"][3] = FakeModel(TWO, answer, classify)
    out = call("taxi", '[{"fare": 1.5}, {"fare": 2}]', terminal=True)[1]
    assert [cell.strip() for cell in out.splitlines()[1].strip("┃").split("┃")] == ["label", f"probability{said}"]


@pytest.fixture
def photos(tmp_path):
    for name, size in (("a.jpg", 3), ("b.jpg", 5)):
        (tmp_path / name).write_bytes(b"\xff" * size)
    return [tmp_path / "a.jpg", tmp_path / "b.jpg"]


def test_photos_are_a_line_each_in_a_pipe(call, photos):
    assert call("leaves", *photos) == (0, '{"size": 3}\n{"size": 5}\n', "answered by leaves v1 over rest\n")


def test_photos_are_their_likeliest_classes_on_a_terminal(call, photos):
    code, out, _ = call("leaves", *photos, terminal=True)
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[:2] for line in lines[1:6]] == [
        ["cmd", "0.9000"],
        ["healthy", "0.0400"],
        ["[red]cbb", "0.0300"],
        ["cbsd", "0.0200"],
        ["c\ufffdgm", "0.0080"],
    ]
    assert lines[1].split()[2] == "█" * 18
    assert [lines[0], lines[6]] == [str(photo) for photo in photos]


@pytest.mark.parametrize("classify", ["none", "refusing"])
def test_photos_of_a_model_that_names_no_classes_are_a_table(call, server, photos, classify):
    def refuse(*_):
        raise BadRequest("no such feature", code="INVALID_ARGUMENT")

    model = leaves(refuse) if classify == "refusing" else FakeModel({"predict": PHOTOS["predict"]}, leaves().run)
    server.models["leaves"][1] = model
    code, out, _ = call("leaves", photos[0], terminal=True)
    assert code == 0
    assert "size" in out


def test_a_signature_that_was_named_is_what_is_shown(call, photos):
    out = call("leaves", photos[0], "--signature", "predict", terminal=True)[1]
    assert "size" in out
    assert "cmd" not in out


def test_a_model_without_predict_is_asked_by_its_default_signature(call, server):
    server.models["other"] = {
        1: FakeModel({"serving_default": SignatureSpec("serving_default", "", TAXI.inputs, TAXI.outputs)}, taxi(2).run)
    }
    document = json.loads(call("other", '{"fare": 1}', "--address", "a:1", "--json")[1])
    assert (document["signature"], document["predictions"]) == ("serving_default", [{"twice": 2.0}])


def test_the_time_goes_with_every_call(call, server, monkeypatch):
    times = []
    real = server.predict
    monkeypatch.setattr(server, "predict", lambda *given, **named: times.append(named["timeout"]) or real(*given, **named))
    call("taxi", "{}", "--timeout", "2.5")
    call("taxi", "{}")
    assert times == [2.5, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["taxi", "{"], "the row: not valid JSON"),
        (["taxi", "7"], "the row: expected a JSON object or a list of objects"),
        (["taxi", "@no-such-file"], "no-such-file: cannot be read"),
        (["taxi", "photo.jpg"], "photo.jpg: no such file, and no JSON either; a row is like"),
        (["taxi", "x" * 5000], f"{'x' * 60}...: no such file"),
        (["taxi", '{"price": 1}'], "row 0: unknown column 'price'; the model takes: company, fare"),
        (["taxi", '{"fare": "x"}'], "fare: 'x' is not a number"),
        (["taxi", "{}", "--signature", "nope"], "taxi has no signature 'nope'; it has: predict"),
        (["taxi", "{}", "--version", "9"], "Servable not found"),
        (["taxi", "{}", "--version", "x"], "Invalid value for '--version'"),
        (["taxi", "{}", "--grpc", "--rest"], "--grpc and --rest: give one of them"),
        (["taxi", "{}", "--version", "2", "--label", "stable"], "--version 2 and --label stable: give one of them"),
        (["taxi", "{}", "--label", "nope"], "Unrecognized servable version label: nope"),
        (["taxi", "{}", "--timeout", "0"], "Invalid value for '--timeout'"),
        (["taxi", "{}", "--address", "localhost"], "'localhost' has no port"),
        (["taxi", "{}", "--address", "http://a:1", "--grpc"], "--address http://a:1 is a REST address"),
        (["bikes", "{}"], "no use case 'bikes'"),
        (["bikes", "{}", "--address", "a:1"], "Servable not found for request: Latest(bikes)"),
        (["taxi"], "Missing argument 'ROW'"),
    ],
)
def test_a_wrong_question_is_the_callers_mistake(call, arguments, message):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"sluiceway: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("model", "names", "message"),
    [
        ("leaves", ["a.jpg", "{}"], "a.jpg is a file and {} is not: ask for photos or for rows"),
        ("taxi", ["a.jpg"], "a.jpg: signature predict takes company (string), fare (float32), not the bytes of a file"),
        ("leaves", ["empty.jpg"], "empty.jpg: the file is empty"),
        ("leaves", ["."], ".: not a file"),
        ("leaves", ["a.jpg", "huge.jpg"], "huge.jpg: 64.0 MiB, at most 64 fit into a request; make it smaller"),
        ("taxi", ["rows.csv"], "rows.csv: rows in a file are given as @rows.csv"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_a_wrong_file_is_the_callers_mistake(call, tmp_path, monkeypatch, model, names, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "rows.csv").touch()
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(64 * 2**20 + 1)
    code, out, err = call(model, *names)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"sluiceway: {message}")


def test_a_wrong_question_is_one_document_with_json(call):
    code, out, _ = call("taxi", "{", "--json")
    assert code == json.loads(out)["error"]["exit_code"] == 2


@pytest.mark.parametrize(("flags", "hint"), [((), "start it: sluiceway serve taxi"), (("--address", "a:1"), "see --address")])
def test_no_server_is_a_failure_that_says_what_to_do(call, server, flags, hint):
    def gone(*_):
        raise Unavailable("no server at 127.0.0.1:8501", code="UNAVAILABLE")

    server.models["taxi"] = {3: FakeModel({"predict": TAXI}, gone)}
    code, _, err = call("taxi", "{}", *flags)
    assert (code, err) == (1, f"sluiceway: no server at 127.0.0.1:8501; is it running? {hint}\n")


def test_an_assertion_of_the_model_is_told_in_its_own_words(call, server):
    def refused(*_):
        raise error_for(Code.INVALID_ARGUMENT, "{{function_node f}} assertion failed: [image 0 is no JPEG] [1 2]\n\t [[{{node Assert}}]]")

    server.models["taxi"] = {3: FakeModel({"predict": TAXI}, refused)}
    assert call("taxi", "{}")[::2] == (2, "sluiceway: image 0 is no JPEG\n")


@pytest.fixture
def listeners():
    """The gRPC and the REST port of a model server."""
    core = core_of(Models())
    grpc, rest = GrpcListener(GrpcApi(core), GrpcSettings()), socket.create_server(("127.0.0.1", 0))
    answering = threading.Thread(target=_answer_in_http, args=(rest,), daemon=True)
    answering.start()
    yield f"127.0.0.1:{grpc.port}", f"127.0.0.1:{rest.getsockname()[1]}"
    grpc.stop(1)
    rest.shutdown(socket.SHUT_RDWR)
    rest.close()
    answering.join()


def _answer_in_http(listening):
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


def test_a_port_that_speaks_the_other_protocol_is_told(listeners, capsys):
    grpc, rest = listeners
    for arguments, told in (
        (["--address", rest], f"{rest} speaks REST: ask it with --address http://{rest}, or give the gRPC port (mostly 8500)"),
        (["--address", f"http://{grpc}"], f"{grpc} speaks gRPC: ask it with --address {grpc} --grpc, or give the REST port (mostly 8501)"),
        (["--address", grpc, "--rest"], f"{grpc} speaks gRPC: ask it with --address {grpc} --grpc, or give the REST port (mostly 8501)"),
    ):
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["predict", "taxi", "{}", *arguments])
        assert (caught.value.code, capsys.readouterr().err) == (1, f"sluiceway: {told}\n")


def test_a_fault_of_the_server_is_a_failure(call, server):
    def broken(*_):
        raise error_for(Code.INTERNAL, "a bug")

    server.models["taxi"] = {3: FakeModel({"predict": TAXI}, broken)}
    assert call("taxi", "{}")[::2] == (1, "sluiceway: a bug\n")


def test_lists_longer_than_a_line_are_cut_in_a_table(call, server):
    spec = SignatureSpec("predict", "", {"fare": TensorSpec("float32")}, {"p": TensorSpec("float32")})
    server.models["taxi"] = {3: FakeModel({"predict": spec}, lambda *_: {"p": np.float32([[0, 0.5, 1, 2, 3, 4, 5]])})}
    assert "0, 0.5, 1, 2, 3, ..." in call("taxi", "{}", terminal=True)[1]
