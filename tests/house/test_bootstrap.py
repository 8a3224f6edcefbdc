"""bootstrap.sh on machines that this one is not: each is a folder of stand-ins put before, or instead of, the real PATH."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.house.tree import ROOT

TOOLS = ("sh", "chmod", "cksum", "cp", "dirname", "flock", "mkdir", "mv", "rm", "sed", "sleep", "touch", "tr")
NEEDED = ("bootstrap.sh", "pyproject.toml", "setup.py", "uv.lock")

# Stands in for uv: notes each call, and "installs" by making .venv/bin/python. SLOW makes it take that many seconds.
UV = """
echo "$*" >>"$CALLS"
case "$1" in
  --version) echo 'uv 9.9.9 (stand-in)' ;;
  sync) mkdir -p .venv/bin; [ ! -e .venv/busy ] || echo overlap >>"$CALLS"
        touch .venv/busy; sleep "${SLOW:-0}"; rm .venv/busy; touch .venv/bin/python; chmod +x .venv/bin/python ;;
  python) [ "$2" = install ] && [ -n "${DOWNLOADS:-}" ] && exit 0
          [ "$2" = find ] && [ -n "${DOWNLOADS:-}" ] && { echo "$DOWNLOADS"; exit 0; }
          echo 'noise of a failed download' >&2; exit 1 ;;
esac
"""


# Stands in for a Python: answers bootstrap.sh's question, and makes "virtual environments" whose pip "installs" the uv above.
PYTHON = """
case "$*" in
  '-m venv '*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  '-m pip '*) echo "pip $*" >>"$CALLS"; cp "$UV" "${{0%/python}}/uv" ;;
  *ensurepip*) exit {without_ensurepip} ;;
  *) echo '{version} {headers} {path}' ;;
esac
"""


class Machine:
    """A checkout and a PATH that holds only what the test puts there."""

    def __init__(self, folder: Path, glibc: str) -> None:
        self.checkout, self.bin, self.home, self.calls = folder / "checkout", folder / "bin", folder / "home", folder / "calls"
        for made in (self.checkout, self.bin, self.home):
            made.mkdir()
        for name in NEEDED:
            shutil.copy(ROOT / name, self.checkout / name)
        for tool in TOOLS:
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        self.script("getconf", f"echo 'glibc {glibc}'")
        self.script("uname", 'case "$1" in -s) echo Linux ;; *) echo x86_64 ;; esac')
        self.script("g++", "exit 0")
        self.uv = self.script("uv", UV)

    def script(self, name: str, body: str, folder: Path | None = None) -> Path:
        """An executable shell script, on PATH unless a folder is given."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    def python(self, name: str, version: str, headers: str = "headers", folder: Path | None = None, ensurepip: bool = True) -> Path:
        """A Python that answers as one of this version does."""
        path = (folder or self.bin) / name
        return self.script(name, PYTHON.format(version=version, headers=headers, path=path, without_ensurepip=int(not ensurepip)), folder)

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """Starts bootstrap.sh."""
        base = {"PATH": str(self.bin), "HOME": str(self.home), "CALLS": str(self.calls), "UV": str(self.uv)}
        command = [str(self.checkout / "bootstrap.sh")]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=base | environment, text=True, start_new_session=True, **streams)

    def run(self, **environment: str) -> tuple[int, list[str]]:
        """Exit code and lines of stderr of one bootstrap.sh; stdout must stay empty."""
        process = self.start(**environment)
        out, err = process.communicate(timeout=60)
        assert out == ""
        return process.returncode, err.splitlines()

    def synced_with(self) -> list[str]:
        """The interpreter of every `uv sync` so far."""
        calls = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [call.rpartition("--python ")[2] for call in calls if call.startswith("sync")]


@pytest.fixture
def old(tmp_path: Path) -> Machine:
    """Debian 12: python3 is 3.11, python3.10 is a shim that fails."""
    machine = Machine(tmp_path, "2.36")
    machine.python("python3", "3.11")
    machine.script("python3.10", "echo 'pyenv: python3.10: command not found' >&2; exit 127")
    return machine


@pytest.fixture
def new(tmp_path: Path) -> Machine:
    """Debian 13: python3 is 3.13."""
    machine = Machine(tmp_path, "2.41")
    machine.python("python3", "3.13")
    return machine


def test_behind_a_failing_shim_the_one_of_pyenv_is_found(old):
    found = old.python("python3", "3.10", folder=old.home / ".pyenv/versions/3.10.13/bin")
    assert old.run()[0] == 0
    assert old.synced_with() == [str(found)]


def test_one_that_runs_from_path_comes_before_pyenv(old):
    found = old.python("python3.10", "3.10")
    old.python("python3", "3.10", folder=old.home / ".pyenv/versions/3.10.13/bin")
    assert old.run()[0] == 0
    assert old.synced_with() == [str(found)]


def test_a_newer_glibc_takes_the_newest_accepted(new):
    new.python("python3.12", "3.12")
    assert new.run()[0] == 0
    assert new.synced_with() == [str(new.bin / "python3.12")]


def test_one_given_by_the_user_comes_first(new):
    given = new.python("mine", "3.11", folder=new.home)
    assert new.run(SLUICEWAY_PYTHON=str(given))[0] == 0
    assert new.synced_with() == [str(given)]


@pytest.mark.parametrize(
    ("version", "headers", "line"),
    [
        ("3.13", "headers", "is Python 3.13; Linux with glibc 2.36 takes 3.10"),
        ("3.10-unusual", "headers", "is Python 3.10-unusual; Linux with glibc 2.36 takes 3.10"),
        ("3.10", "bare", "has no Python.h: install its headers (Debian: python3-dev)"),
    ],
)
def test_one_given_that_does_not_fit_is_refused_in_one_line(old, version, headers, line):
    given = old.python("mine", version, headers, folder=old.home)
    assert old.run(SLUICEWAY_PYTHON=str(given)) == (2, [f"sluiceway: SLUICEWAY_PYTHON={given} {line}"])


def test_without_a_fitting_one_uv_downloads_it(old):
    downloaded = old.python("python3.10", "3.10", folder=old.home / "uv")
    code, _ = old.run(DOWNLOADS=str(downloaded))
    assert (code, old.synced_with()) == (0, [str(downloaded)])


def test_one_without_headers_is_passed_over(new):
    new.python("python3", "3.13", headers="bare")
    found = new.python("python", "3.11")
    assert new.run()[0] == 0
    assert new.synced_with() == [str(found)]


def test_no_fitting_one_at_all_is_one_line_that_says_which(old):
    code, lines = old.run()
    assert (code, len(lines)) == (2, 1)
    assert "Linux with glibc 2.36 takes 3.10; install one" in lines[0]
    assert old.synced_with() == []


def test_no_compiler_is_said_before_the_long_installation(new):
    (new.bin / "g++").unlink()
    code, lines = new.run()
    assert (code, len(lines), new.synced_with()) == (2, 1, [])
    assert "no C++ compiler" in lines[0]


def test_a_machine_without_packages_is_refused_in_one_line(new):
    new.script("uname", 'case "$1" in -s) echo Linux ;; *) echo riscv64 ;; esac')
    assert new.run() == (2, ["sluiceway: TFX has no packages for Linux riscv64: use Linux on x86_64 or a Mac with Apple silicon"])


@pytest.mark.parametrize("on_path", ["", "echo 'uv 0.4.30'", "exit 1"], ids=["none", "old", "broken"])
def test_without_a_usable_uv_a_private_one_is_installed_once(new, on_path):
    new.uv = new.uv.rename(new.home / "uv")
    if on_path:
        new.script("uv", on_path)
    assert new.run()[0] == 0
    (new.checkout / "setup.py").write_text("# changed")
    assert new.run()[0] == 0
    assert len(new.synced_with()) == 2
    assert new.calls.read_text().count("uv==") == 1


def test_a_python_that_cannot_make_environments_is_one_line_that_names_the_package(new):
    new.uv.unlink()
    new.python("python3", "3.13", ensurepip=False)
    code, lines = new.run()
    assert (code, len(lines)) == (2, 1)
    assert "python3-venv" in lines[0]


def test_an_environment_that_is_up_to_date_starts_neither_uv_nor_a_python(new):
    assert new.run()[0] == 0
    new.calls.unlink()
    for name in ("python3", "getconf", "uname", "g++"):
        (new.bin / name).write_text('#!/bin/sh\necho "$0" >>"$CALLS"\n')
    new.python("python3", "3.13")
    assert new.run() == (0, [])
    assert not new.calls.exists()


@pytest.mark.parametrize("name", NEEDED)
def test_a_change_of_what_defines_the_environment_refreshes_it(new, name):
    assert new.run()[0] == 0
    with (new.checkout / name).open("a") as file:
        file.write("# changed\n")
    assert new.run()[0] == 0
    assert len(new.synced_with()) == 2


def test_another_interpreter_refreshes_it(new):
    other = new.python("mine", "3.12", folder=new.home)
    for environment in ({}, {"SLUICEWAY_PYTHON": str(other)}, {"SLUICEWAY_PYTHON": str(other)}, {}):
        assert new.run(**environment)[0] == 0
    assert new.synced_with() == [str(new.bin / "python3"), str(other)]


def test_a_moved_checkout_is_built_anew(new):
    assert new.run()[0] == 0
    (new.checkout / ".venv/left").touch()
    new.checkout = new.checkout.rename(new.checkout.with_name("moved"))
    assert new.run()[0] == 0
    assert not (new.checkout / ".venv/left").exists()


def test_a_killed_bootstrap_leaves_no_valid_environment(new):
    process = new.start(SLOW="30")
    while not (new.checkout / ".venv/busy").exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (new.checkout / ".venv/half").touch()
    assert new.run()[0] == 0
    assert len(new.synced_with()) == 2
    assert not (new.checkout / ".venv/half").exists()


def test_two_at_once_build_one_after_the_other(new):
    processes = [new.start(SLOW="1") for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    assert "overlap" not in new.calls.read_text()
    assert len(new.synced_with()) == 1


def test_the_script_is_plain_sh_without_complaints():
    subprocess.run([shutil.which("dash") or "sh", "-n", str(ROOT / "bootstrap.sh")], check=True)
    if checker := shutil.which("shellcheck"):
        subprocess.run([checker, str(ROOT / "bootstrap.sh"), str(ROOT / ".ci/run")], check=True)
