"""``sluiceway predict`` as a process, asking a real server: rows, files, labels; in a pipe and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.serving.contract.servers import HALF, served, wait_until_available
from tests.integration.serving.contract.zoo import entry, lay_out
from tests.integration.serving.server_process import ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    root = tmp_path_factory.mktemp("models")
    lay_out(root, ("half", 1, "half_plus_two"), ("half", 2, "half_plus_three"), ("columns", 1, "columns"))
    with served(root, entry(root, "columns"), entry(root, "half", HALF)) as running:
        wait_until_available(running, {"columns": 1, "half": 2})
        yield running


def predict(*arguments: str | Path, terminal: bool = False, cwd: Path | None = None) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command; stdout may be a terminal."""
    command = [sys.executable, "-m", "pipeline", "predict", *map(str, arguments)]
    environment = os.environ | {"TERM": "dumb", "PYTHONPATH": str(Path(__file__).parents[4]), "PYTHONIOENCODING": "utf-8"}
    if not terminal:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment, cwd=cwd)
        return done.returncode, done.stdout, done.stderr
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False, timeout=120, env=environment)
    finally:
        os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # how Linux says that nobody has the other side any more
        pass
    os.close(ours)
    return done.returncode, shown.decode(), done.stderr


@pytest.mark.parametrize("transport", ["rest", "grpc"])
@pytest.mark.parametrize(("choice", "version", "y"), [((), 2, 4.0), (("--version=1",), 1, 3.0), (("--label=stable",), 1, 3.0)])
def test_rows_are_answered_by_the_version_asked(server, transport, choice, version, y):
    address = server.rest_address if transport == "rest" else server.grpc_address
    code, out, err = predict("half", '{"x": 2.0}', f"--address={address}", *choice)
    assert (code, json.loads(out), err) == (0, {"y": y}, f"answered by half v{version} over {transport}\n")


def test_a_csv_file_is_a_line_for_each_row(server, tmp_path):
    (tmp_path / "rows.csv").write_text("n,x\n1,0.5\n2,\n")
    code, out, _ = predict("columns", "@rows.csv", f"--address={server.grpc_address}", cwd=tmp_path)
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == [{"count": 1, "sum": 1.5}, {"count": 2, "sum": None}]


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_files_go_as_their_bytes(server, tmp_path, transport):
    (tmp_path / "a.jpg").write_bytes("ä".encode() * 10)
    (tmp_path / "b.jpg").write_bytes(b"b" * 100_000)
    address = server.rest_address if transport == "rest" else server.grpc_address
    code, out, _ = predict("columns", "a.jpg", "b.jpg", "--signature=strings", f"--address={address}", "--json", cwd=tmp_path)
    assert code == 0
    assert [row["text"] for row in json.loads(out)["predictions"]] == ["ä" * 10, "b" * 100_000]


def test_a_terminal_shows_a_table(server):
    code, out, err = predict("columns", '[{"x": 1, "n": 2}, {"x": 3, "n": 4}]', f"--address={server.grpc_address}", terminal=True)
    assert (code, err) == (0, "answered by columns v1 over grpc\n")
    assert [line.strip("│┃ \r").split() for line in out.splitlines() if line[:1] in "│┃"] == [
        ["count", "┃", "sum"],
        ["2", "│", "3"],
        ["4", "│", "7"],
    ]


def test_what_the_server_refuses_is_one_line(server):
    code, out, err = predict("half", '{"x": 2.0}', "--label=nope", f"--address={server.grpc_address}")
    assert (code, out, err) == (2, "", "sluiceway: Unrecognized servable version label: nope\n")
