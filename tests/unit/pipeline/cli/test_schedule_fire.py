"""``schedule fire``: the process around one beat, with a stand-in for the run."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from pipeline.cli import schedule_fire
from pipeline.cli.main import cli
from pipeline.schedule import child, fire
from serving.cli_frame import run_command

SAY = {"live": '{"verdict": "live", "version": 2}', "failed": '{"verdict": "failed", "reasons": [{"message": "it broke"}]}'}


NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def handlers():
    """What the signals did before comes back."""
    kept = [signal.getsignal(number) for number in NUMBERS]
    yield
    for number, handler in zip(NUMBERS, kept, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def call(tmp_path, capfd, monkeypatch, handlers):  # noqa: ARG001 - they come back
    """Runs one beat whose run ends with this verdict: (exit code, stdout, stderr)."""
    monkeypatch.setattr(fire, "_ROUND_SECONDS", 0.01)
    monkeypatch.setattr(fire, "_IDLE_ROUNDS", 2)

    def run(verdict, *arguments, jitter="0"):
        program = f"import sys; print({SAY[verdict]!r}); sys.exit({int(verdict == 'failed')})"
        monkeypatch.setattr(child, "command", lambda *_: [sys.executable, "-c", program])
        line = ["schedule", "fire", "taxi", "--cron", "0 3 * * *", "--jitter", jitter, "--set", f"state={tmp_path}", *arguments]
        with pytest.raises(SystemExit) as caught:
            run_command(cli, line)
        return caught.value.code, *capfd.readouterr()

    return run


def test_it_ends_with_the_verdict(call):
    code, out, err = call("live", "--json")
    assert code == 0
    assert json.loads(out) == {"use_case": "taxi", "kind": "ok", "text": "live v2"}
    assert "run of taxi started" in err
    code, out, _ = call("failed")
    assert code == 1
    assert out.splitlines()[-1] == "failed: it broke"


def test_its_last_words_are_left_for_the_cluster_and_only_there(call, tmp_path, monkeypatch):
    words = tmp_path / "termination-log"
    monkeypatch.setattr(schedule_fire, "LAST_WORDS", words)
    words.touch()
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    call("live")
    assert words.read_text() == ""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    call("failed")
    assert json.loads(words.read_text()) == {"kind": "failed", "text": "failed: it broke"}


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", NUMBERS)
def test_each_of_the_signals_ends_it(number):
    signal.signal(number, signal.SIG_DFL)
    stop = schedule_fire.ended_by_signals()
    assert not stop.is_set()
    signal.raise_signal(number)
    assert stop.wait(10)


@pytest.mark.usefixtures("handlers")
def test_nohup_is_respected():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = schedule_fire.ended_by_signals()
    signal.raise_signal(signal.SIGHUP)
    assert not stop.wait(0.1)


def test_jitter_is_waited_for_unless_a_person_asked(call, monkeypatch):
    monkeypatch.setattr(schedule_fire.random, "uniform", lambda *_: 1.0)
    assert "starts in 1 s (jitter)" in call("live", jitter="60")[1]
    assert "jitter)" not in call("live", "--asked", jitter="60")[1]


@pytest.mark.parametrize("text", ["yesterday", "2026-11-20T12:00:00"])
def test_a_time_that_is_none_is_told(call, text):
    code, _, err = call("live", "--resumed", text)
    assert code == 2
    assert f"--resumed '{text}'" in err


def test_the_time_failures_were_forgiven_comes_from_the_environment(call, monkeypatch):
    assert [call("failed", "--stop-after", "1")[0] for _ in range(2)] == [1, 1]
    monkeypatch.setenv("SLUICEWAY_RESUMED", "2999-01-01T00:00:00Z")
    assert call("live", "--stop-after", "1")[0] == 0
    monkeypatch.setenv("SLUICEWAY_RESUMED", "")
    assert call("live", "--stop-after", "1")[0] == 0
