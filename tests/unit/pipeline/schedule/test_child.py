"""A run as a child process: what its end says, and that all of it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from pipeline.schedule import child
from pipeline.schedule.base import Schedule
from pipeline.schedule.child import Ended, Process, read_end, starter

REASON = [{"code": "threshold", "message": "auc 0.61 is below 0.7"}]


def error(kind, message):
    return json.dumps({"error": {"kind": kind, "message": message, "exit_code": 2}})


@pytest.mark.parametrize(
    ("code", "out", "err", "ended"),
    [
        (0, '{"verdict": "live", "version": 3}', "", Ended("ok", "live v3")),
        (0, '{"verdict": "unchanged", "version": 2}', "noise", Ended("ok", "unchanged v2")),
        (0, '{"ok": true, "fingerprint": "sha256:a"}', "", Ended("ok", "looked", "sha256:a")),
        (
            3,
            json.dumps({"verdict": "refused", "gate": "evaluator", "reasons": REASON}),
            "",
            Ended("refused", "refused by evaluator: auc 0.61 is below 0.7"),
        ),
        (1, json.dumps({"verdict": "failed", "reasons": REASON}), "", Ended("failed", "failed: auc 0.61 is below 0.7")),
        (2, error("ConfigError", "no use case 'x'"), "", Ended("failed", "failed: no use case 'x'")),
        (2, error("RunUnderWay", "another run"), "", Ended("skipped", "skipped: another run of the use case was under way")),
        (1, "", "a\nsluiceway: it broke\n", Ended("failed", "failed: it broke")),
        (1, "", "", Ended("failed", "failed: exit code 1 and no word")),
        (-9, "", "", Ended("failed", "failed: ended by SIGKILL")),
        (-15, "[]", "last words", Ended("failed", "failed: ended by SIGTERM: last words")),
        (0, "", "", Ended("failed", "failed: exit code 0 and no word")),
        (0, '{"verdict": "live"', "", Ended("failed", "failed: exit code 0 and no word")),
        (3, "not JSON", "", Ended("refused", "refused by a gate: no reason given")),
    ],
)
def test_what_an_end_says(code, out, err, ended):
    assert read_end(code, out, err) == ended


def wait_for(what, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_a_child_is_watched_without_waiting(tmp_path):
    process = Process([sys.executable, "-c", 'print(\'{"verdict": "live", "version": 1}\')'], tmp_path / "runs" / "taxi")
    assert wait_for(process.poll) == Ended("ok", "live v1")


def test_much_output_does_not_hold_a_child_up(tmp_path):
    process = Process([sys.executable, "-c", "import sys; sys.stderr.write('x' * 5_000_000 + '\\nend')"], tmp_path / "taxi")
    assert wait_for(process.poll) == Ended("failed", "failed: end")


def test_stopping_ends_the_child_and_what_it_started(tmp_path):
    program = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    process = Process([sys.executable, "-c", program], tmp_path / "taxi")
    grandchild = int(wait_for(lambda: (tmp_path / "taxi.out").read_text().strip()))
    assert process.poll() is None
    assert process.stop() == Ended("failed", "failed: ended by SIGTERM")
    wait_for(lambda: not alive(grandchild))


def test_a_child_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "_GRACE_SECONDS", 0.2)
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    process = Process([sys.executable, "-c", program], tmp_path / "taxi")
    wait_for(lambda: (tmp_path / "taxi.out").read_text().strip())
    assert process.stop() == Ended("failed", "failed: ended by SIGKILL")


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_run_gets_the_schedules_settings_and_this_state_folder(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(child, "Process", lambda arguments, out: given.append((arguments, out)))
    schedule = Schedule("nightly", "taxi", "0 3 * * *", environment="smoke", overrides=("a=1", "state=elsewhere"))
    starter(tmp_path / "runs", Path("/it's/here"))(schedule, "run")
    (arguments, out) = given[0]
    assert arguments[:4] == [sys.executable, "-m", "pipeline.schedule", str(os.getpid())]
    overrides = ["--set", "a=1", "--set", "state=elsewhere", "--set", "state='/it''s/here'"]
    assert arguments[4:] == ["run", "taxi", "--env", "smoke", *overrides, "--json"]
    assert out == tmp_path / "runs" / "nightly"


def test_a_look_leaves_what_the_last_run_printed(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "command", lambda verb, *_: [sys.executable, "-c", f"print({verb!r})"])
    start = starter(tmp_path, tmp_path)
    for verb in ("run", "check"):
        wait_for(start(Schedule("taxi", "taxi", "0 3 * * *"), verb).poll)
    assert {path.name: path.read_text() for path in tmp_path.glob("*.out")} == {"taxi.out": "run\n", "taxi.look.out": "check\n"}


def test_where_more_is_told_is_the_runs_log_or_else_what_it_printed(tmp_path):
    assert read_end(0, '{"verdict": "live", "version": 3, "log": "/runs/7/log.txt"}', "").log == "/runs/7/log.txt"
    assert wait_for(Process([sys.executable, "-c", "boom"], tmp_path / "taxi").poll).log == str(tmp_path / "taxi.err")
    assert wait_for(Process([sys.executable, "-c", 'print(\'{"verdict": "live"}\')'], tmp_path / "taxi").poll).log == ""
