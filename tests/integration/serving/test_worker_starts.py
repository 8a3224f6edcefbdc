"""Starts of a server of several workers that fail: one line, one exit code, nothing left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.worker_pool import free_port


def start(base: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serving.server", f"--model_base_path={base}", "--model_name=m", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_start_that_fails_says_so_once(tmp_path):
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "saved_model.pb").write_bytes(b"junk")
    failed = start(tmp_path / "m", "--workers=2", f"--port={free_port()}")
    assert failed.returncode == 255
    (line,) = failed.stdout.splitlines()
    assert line.startswith(
        "Failed to start server. Error: UNKNOWN: 1 servable(s) did not become available: {{{name: m version: 1} due to error:"
    )
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("told", [False, True])
def test_a_configuration_that_is_refused_is_no_start_whether_or_not_ports_are_told(tmp_path, told):
    config = tmp_path / "models"
    entry = f'config {{ name: "m" base_path: "{tmp_path}" model_platform: "tensorflow" }}'
    config.write_text(f"model_config_list {{ {entry} {entry} }}")
    flags = ["--port=0", f"--ports_file={tmp_path}/ports"] if told else [f"--port={free_port()}"]
    failed = start(tmp_path, "--workers=2", f"--model_config_file={config}", *flags)
    assert failed.returncode == 255
    (line,) = failed.stdout.splitlines()
    assert line.startswith("Failed to start server. Error: INVALID_ARGUMENT: ")
    assert not (tmp_path / "ports").exists()


def test_an_error_of_a_worker_keeps_its_code(tmp_path):
    failed = start(tmp_path, "--workers=2", f"--port={free_port()}", f"--model_config_file={tmp_path}/gone")
    assert (failed.returncode, failed.stdout) == (
        255,
        f"Failed to start server. Error: NOT_FOUND: {tmp_path}/gone; No such file or directory\n",
    )
