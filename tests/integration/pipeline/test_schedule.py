"""``schedule start`` as the process it is: it runs what is due, sees changes, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.schedule.base import Place, Schedule
from pipeline.schedule.local import LocalScheduler
from tests.house.tree import ROOT

# The real command, with another run than the one that trains: it tells its process id, and ends with its owner as the real one does.
PROGRAM = """
import sys
from pipeline.cli.main import main
from pipeline.schedule import child
run = "import os, time; from serving.server.orphan import watch; watch({owner}, None); " + sys.argv[1]
child.command = lambda *arguments: [sys.executable, "-c", run.replace("{owner}", str(__import__("os").getpid()))]
main(["schedule", "start", "--set", "state=" + sys.argv[2]])
"""
LONG = "print(os.getpid(), flush=True); time.sleep(120)"
SHORT = """print('{"verdict": "live", "version": 5}')"""


@pytest.fixture
def scheduler(tmp_path):
    from configs.environment import EnvironmentConfig

    local = LocalScheduler(Place("local", EnvironmentConfig(state=str(tmp_path))))
    local.set(Schedule("taxi", "taxi", "0 3 1 1 *"))
    return local


@pytest.fixture
def start(tmp_path):
    """Starts the scheduler; ends what is left of it."""
    started = []

    def run(program):
        arguments = [sys.executable, "-c", PROGRAM, program, str(tmp_path)]
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        assert "running the schedules of" in process.stdout.readline()
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_for(what, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def run_under_way(tmp_path):
    out = tmp_path / "schedules" / "runs" / "taxi.out"
    return int(wait_for(lambda: out.exists() and out.read_text().strip()))


def test_a_run_asked_for_from_outside_runs_within_seconds_and_its_verdict_is_told(scheduler, start):
    process = start(SHORT)
    assert "within seconds" in scheduler.run_now("taxi")
    wait_for(lambda: scheduler.list()[0].last == "live v5", 10)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "taxi: run of taxi started" in out
    assert "taxi: live v5" in out
    assert out.splitlines()[-1].endswith("stopped")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_with_it_and_the_next_start_makes_it_up(scheduler, start, tmp_path, number):
    scheduler.run_now("taxi")
    process = start(LONG)
    child = run_under_way(tmp_path)
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "ending the run under way" in out
    assert not alive(child)
    (status,) = scheduler.list()
    assert (status.failures, status.last) == (0, "interrupted: the scheduler was stopped")
    start(SHORT)
    wait_for(lambda: scheduler.list()[0].last == "live v5", 10)


def test_kill_9_leaves_no_run_behind_and_the_next_start_tells_and_makes_it_up(scheduler, start, tmp_path):
    scheduler.run_now("taxi")
    process = start(LONG)
    child = run_under_way(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    wait_for(lambda: not alive(child), 10)
    process = start(SHORT)
    assert "the scheduler died during the run of" in process.stdout.readline()
    wait_for(lambda: scheduler.list()[0].last == "live v5", 10)
    assert scheduler.list()[0].failures == 0


def test_a_second_scheduler_refuses_in_one_line(start, tmp_path):
    start(SHORT)
    arguments = [sys.executable, "-m", "pipeline", "schedule", "start", "--set", f"state={tmp_path}"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"sluiceway: another `sluiceway schedule start` runs the schedules of {tmp_path / 'schedules'}; one is enough\n"
