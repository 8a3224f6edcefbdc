"""``python -m pipeline.schedule``: a command that does not outlive the process it works for."""

from __future__ import annotations

import subprocess
import sys


def test_a_command_ends_when_the_process_it_works_for_is_killed(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as owner:
        arguments = [str(owner.pid), "schedule", "start", "--set", f"state={tmp_path}"]
        with subprocess.Popen([sys.executable, "-m", "pipeline.schedule", *arguments], stdout=subprocess.PIPE, text=True) as command:
            assert "running the schedules" in command.stdout.readline()
            owner.kill()
            assert command.wait(20) == 0


def test_a_command_whose_owner_is_gone_already_does_nothing(tmp_path):
    with subprocess.Popen(["true"]) as owner:
        pass
    arguments = [str(owner.pid), "schedule", "start", "--set", f"state={tmp_path}"]
    subprocess.run([sys.executable, "-m", "pipeline.schedule", *arguments], capture_output=True, timeout=20, check=True)


def test_a_command_ends_with_its_own_code():
    arguments = [sys.executable, "-m", "pipeline.schedule", "1", "show", "no-such-use-case", "--json"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "no use case" in done.stderr
