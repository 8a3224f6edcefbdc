"""The supervisor ends what it started, whoever is killed, and removes the folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from serving.launchers.child import child_environment
from serving.launchers.supervisor import CANNOT_START
from serving.server.orphan import MARKER

# A program that starts another one, tells both numbers and sleeps.
PROGRAM = "import subprocess, os, time; p = subprocess.Popen(['sleep', '60']); print(os.getpid(), p.pid, flush=True); time.sleep(60)"
# A process that starts the supervisor, and does nothing else.
PARENT = """
import subprocess, sys, os
child = subprocess.Popen([*sys.argv[1:4], str(os.getpid()), *sys.argv[4:]], stdin=subprocess.PIPE)
child.stdin.write(b"go\\n")
child.stdin.close()
child.wait()
"""
SUPERVISOR = [sys.executable, "-m", "serving.launchers.supervisor"]


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as root:
        launch = Path(root) / "launch"
        launch.mkdir()
        (launch / MARKER).touch()
        yield launch


def supervise(folder: Path | str, *command: str, **options) -> subprocess.Popen[str]:
    arguments = [*SUPERVISOR, str(os.getpid()), str(folder), *command]
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=child_environment(), **options
    )
    process.stdin.write("go\n")
    process.stdin.flush()
    return process


def numbers(process: subprocess.Popen[str]) -> list[int]:
    return [int(word) for word in process.stdout.readline().split()]


def all_end(pids: list[int]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if set(map(status, pids)) == {psutil.STATUS_ZOMBIE}:
            return True
        time.sleep(0.02)
    return False


def status(pid: int) -> str:
    try:
        return psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def test_its_end_is_the_programs(folder):
    done = supervise(folder, sys.executable, "-c", "print('words'); raise SystemExit(7)")
    assert (done.communicate()[0], done.returncode) == ("words\n", 7)
    assert not folder.exists()


def test_a_program_that_cannot_be_started_is_told(folder):
    done = supervise(folder, "/no/such/program")
    assert done.communicate()[0] == "/no/such/program cannot be started: No such file or directory\n"
    assert done.returncode == CANNOT_START
    assert not folder.exists()


def test_a_program_that_is_killed_is_told(folder):
    done = supervise(folder, sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    assert "was ended by signal 9 (Killed)" in done.communicate()[0]
    assert done.returncode == 137


def test_when_told_to_end_it_ends_the_program_and_all_it_started(folder):
    with supervise(folder, sys.executable, "-c", PROGRAM) as process:
        pids = numbers(process)
        process.terminate()
        process.wait(10)
    assert all_end(pids)
    assert not folder.exists()


def test_when_the_parent_is_killed_it_ends_everything(folder):
    command = [sys.executable, "-c", PARENT, *SUPERVISOR, str(folder), sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment()) as parent:
        pids = numbers(parent)
        parent.kill()
        parent.wait(10)
        assert all_end(pids)
    until = time.monotonic() + 5
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not folder.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends a child with its parent")
def test_when_it_is_killed_itself_the_kernel_ends_the_program():
    with supervise("", sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)") as process:
        pids = numbers(process)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert all_end(pids)


def test_a_parent_that_is_killed_before_it_says_go_leaves_nothing(folder):
    (folder / MARKER).unlink()  # killed between making the folder and marking it
    arguments = [*SUPERVISOR, str(os.getpid()), str(folder), sys.executable, "-c", "print('ran')"]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=child_environment(), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert not folder.exists()
