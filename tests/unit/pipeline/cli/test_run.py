"""``run``: what it shows, and the code it ends with. Training is not its business here: a stand-in says what the run came to."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from pipeline import proof
from pipeline import run as runs
from pipeline.cli.main import cli
from pipeline.errors import RunUnderWay
from pipeline.proof import Answered
from pipeline.runners.base import NodeEvent, RunResult
from serving.cli_frame import run_command
from serving.errors import StoreError
from serving.verdict import Reason
from tests.fakes.trips import write_trips


@pytest.fixture
def call(tmp_path, capfd):
    """Runs the command on small data: (exit code, stdout, stderr)."""

    data = write_trips(tmp_path / "trips.csv")

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["run", "taxi", "--set", f"state={tmp_path / 'state'}", "--data", str(data), *arguments])
        return caught.value.code, *capfd.readouterr()

    return run


@pytest.fixture
def comes_to(monkeypatch):
    """The next runs come to this; gives the plans they were asked to execute."""
    asked = []

    def set_result(error=None, *, proven=False, **fields):
        def execute(planned, listener, prove, note):
            asked.append(planned)
            note("starting TFX ...")
            os.write(2, b"noise of a library\n")
            listener(NodeEvent("ExampleGen", "running"))
            listener(NodeEvent("ExampleGen", "done", 1.0, "7 rows"))
            if error:
                raise error
            if proven:
                prove("embedded", SimpleNamespace(number=2))
            log = str(planned.folder / "log.txt")
            return RunResult(**{"use_case": "taxi", "champion": 1, "version": 1, "run_id": planned.run_id, "log": log, **fields})

        monkeypatch.setattr(runs, "execute", execute)
        return asked

    monkeypatch.setattr(proof, "prove", lambda *_: [Answered("rest", {"probability": 0.25, "label": "small_tip"})])
    return set_result


REASONS = tuple(Reason("threshold", f"reason {number}", 0.5, float("nan")) for number in range(7))


def test_a_live_version_is_told_first_then_what_is_next(call, comes_to):
    comes_to(verdict="live", version=2, proven=True)
    code, out, err = call()
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[:3] == ["starting TFX ...", "ExampleGen        done        1.0 s  7 rows", "asking the published version ..."]
    assert lines[3:5] == ["LIVE taxi v2", "rest probability 0.2500, label small_tip   (v2, first golden request)"]
    assert lines[5].startswith("log  ")
    assert lines[6:] == ["next sluiceway serve taxi"]


def test_what_libraries_print_is_in_the_log(call, comes_to):
    comes_to(verdict="live", version=2)
    out = call()[1]
    log = next(line for line in out.splitlines() if line.startswith("log  ")).removeprefix("log  ")
    with open(log, encoding="utf-8") as file:  # noqa: PTH123 - a path as the command printed it
        assert file.read() == "noise of a library\n"


def test_nothing_new_is_told_as_such(call, comes_to):
    comes_to(verdict="unchanged")
    code, out, _ = call()
    assert code == 0
    assert "UNCHANGED taxi v1 is live; nothing is new\n" in out
    assert "sluiceway run taxi --no-cache" in out


def test_a_refusal_ends_with_3_and_its_reasons(call, comes_to):
    comes_to(verdict="refused", exit_code=3, gate="evaluator", reasons=REASONS)
    code, out, _ = call()
    assert code == 3
    told = out[out.index("REFUSED") :].splitlines()
    assert told[:5] == ["REFUSED by evaluator: reason 0", *(f"  also: reason {number}" for number in range(1, 5))]
    assert told[5] == "  and 2 more: sluiceway history taxi --json"
    assert told[6] == "live is: v1"
    assert told[-1] == "next sluiceway history taxi"


def test_the_refusal_of_a_first_model_says_that_nothing_is_live(call, comes_to):
    comes_to(verdict="refused", version=None, champion=None, gate="data", reasons=REASONS[:1])
    assert "live is: nothing\n" in call()[1]


def test_with_json_stdout_is_one_document_and_progress_goes_to_stderr(call, comes_to):
    comes_to(verdict="refused", exit_code=3, gate="evaluator", reasons=REASONS[:1], proven=True)
    code, out, err = call("--json")
    document = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert code == 3
    assert (document["verdict"], document["gate"]) == ("refused", "evaluator")
    assert document["reasons"] == [{"code": "threshold", "message": "reason 0", "measured": 0.5, "limit": None}]
    assert document["answers"] == [{"transport": "rest", "outputs": {"probability": 0.25, "label": "small_tip"}}]
    assert document["seconds"] >= 0
    assert "ExampleGen" in err
    assert err.splitlines()[-1] == "sluiceway: refused: reason 0"


@pytest.mark.parametrize("code", [1, 2])
def test_a_run_that_failed_says_what_and_that_it_goes_on(call, comes_to, code):
    comes_to(verdict="failed", exit_code=code, reasons=(Reason("NodeFailed", "Trainer: ValueError: shape"),))
    ended, out, _ = call()
    assert ended == code
    told = out[out.index("FAILED") :].splitlines()
    assert told[:2] == ["FAILED: Trainer: ValueError: shape", "live is: v1"]
    assert told[-1].startswith("next sluiceway run taxi ")


def test_with_verbose_the_noise_is_on_stderr(call, comes_to):
    comes_to(verdict="unchanged")
    code, out, err = call("-v")
    assert code == 0
    assert "noise of a library\n" in err
    assert "noise of a library" not in out


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (StoreError("the store is gone"), 1, "sluiceway: the store is gone"),
        (RunUnderWay("another run of taxi is under way"), 2, "sluiceway: another run of taxi is under way"),
    ],
)
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_run_that_cannot_begin_is_one_line_and_its_own_code(call, comes_to, error, code, line, flags):
    comes_to(error)
    ended, out, err = call(*flags)
    assert ended == code
    assert err.splitlines()[-1] == line
    assert "Traceback" not in out + err
    if flags:
        assert json.loads(out)["error"]["exit_code"] == code


@pytest.mark.parametrize(("flags", "cache"), [((), True), (("--no-cache",), False), (("--no-cache", "--set", "cache=true"), False)])
def test_no_cache_runs_every_node_again(call, comes_to, flags, cache):
    asked = comes_to(verdict="unchanged")
    call(*flags)
    assert asked[0].checked.settings.environment.cache is cache


def test_the_given_data_is_used(call, comes_to, tmp_path):
    asked = comes_to(verdict="unchanged")
    call()
    assert asked[0].checked.source.files == (tmp_path / "trips.csv",)


@pytest.mark.parametrize("arguments", [("--data", "no-such.csv"), ("--set", "thresholds.auc=2"), ("--env", "moon"), ("extra",)])
def test_wrong_input_ends_with_2_before_anything_is_written(call, comes_to, tmp_path, arguments):
    asked = comes_to(verdict="live")
    code, out, err = call(*arguments)
    assert (code, out, asked) == (2, "", [])
    assert err.count("\n") == 1
    assert not (tmp_path / "state").exists()
