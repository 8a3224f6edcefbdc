"""A program that cannot be run says nothing of the model, and leaves nothing."""

from __future__ import annotations

import tempfile

import pytest

from serving.errors import LaunchError, LaunchTimeout, ServerDied
from serving.launchers.binary import BinaryLauncher
from serving.launchers.target import Target


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def program(tmp_path, text, mode=0o755):
    path = tmp_path / "tensorflow_model_server"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return Target("binary", str(path))


@pytest.mark.parametrize("what", ["no_such_model_server", "/no/such/path"])
def test_a_program_that_is_not_there_is_told(tmp_path, what):
    launcher = BinaryLauncher(Target("binary", what))
    for ask in (launcher.check, lambda: launcher.launch(tmp_path, model_name="m")):
        with pytest.raises(LaunchError, match=rf"{what}: no such program; .*launchers\.binary\.path"):
            ask()


def test_a_file_that_is_no_program_is_told(tmp_path):
    with pytest.raises(LaunchError, match="no such program"):
        BinaryLauncher(program(tmp_path, "", mode=0o644)).launch(tmp_path, model_name="m")


def test_a_program_of_another_machine_is_told(tmp_path):
    target = program(tmp_path, "\x7fELF for somewhere else")
    with BinaryLauncher(target).launch(tmp_path, model_name="m") as server, pytest.raises(ServerDied, match="Exec format error"):
        _ = server.rest_address


def test_a_program_that_ends_without_a_word_of_the_model_says_nothing_of_it(tmp_path):
    target = program(tmp_path, "#!/bin/sh\necho GLIBC_2.99 not found >&2\nexit 1\n")
    with (
        BinaryLauncher(target).launch(tmp_path, model_name="m") as server,
        pytest.raises(ServerDied, match=r"code 1 .*: GLIBC_2.99 not found"),
    ):
        server.wait_until_available(30)
    assert server.logs() == "GLIBC_2.99 not found\n"


def test_a_program_that_never_comes_to_the_model_is_told(tmp_path, monkeypatch):
    target = program(tmp_path, "#!/bin/sh\nexec sleep 60\n")
    with BinaryLauncher(target).launch(tmp_path, model_name="m") as server:
        monkeypatch.setattr(server, "start_seconds", 0.3)
        with pytest.raises(LaunchTimeout, match="the server came to the model: not within"):
            _ = server.rest_address


def test_it_is_told_the_model_the_ports_and_to_try_once(tmp_path):
    target = program(tmp_path, '#!/bin/sh\nprintf "%s\\n" "$@"\nls -l "${4#--model_base_path=}"\n')
    with BinaryLauncher(target).launch(tmp_path, model_name="m") as server, pytest.raises(ServerDied):
        server.wait_until_available(30)
    arguments = dict(line[2:].split("=") for line in server.logs().splitlines() if line.startswith("--"))
    assert arguments["model_name"] == "m"
    assert arguments["max_num_load_retries"] == arguments["load_retry_interval_micros"] == "0"
    assert 0 < int(arguments["port"]) != int(arguments["rest_api_port"]) > 0
    assert f"1 -> {tmp_path}" in server.logs()
