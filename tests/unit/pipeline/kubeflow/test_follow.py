"""Watching: until the run ends, over lost connections, and no longer than asked for. Time is told, not slept."""

from __future__ import annotations

import pytest

from pipeline.kubeflow.documents import Run, RunDetails, Task
from pipeline.kubeflow.errors import RequestRefused, ServerUnavailable
from pipeline.kubeflow.follow import MOST_LOST, Patience, StillRunning, follow

NODES = ["ExampleGen", "Pusher"]
RUNNING = Run(run_id="r", state="RUNNING", run_details=RunDetails(task_details=[Task(display_name="ExampleGen", state="RUNNING")]))
LIVE = Run(
    run_id="r", state="SUCCEEDED", run_details=RunDetails(task_details=[Task(display_name=name, state="SUCCEEDED") for name in NODES])
)
LOST = ServerUnavailable("http://kfp cannot be reached")


class Script:
    """Says one thing after the other; the last one again and again. Time goes on only where somebody sleeps."""

    def __init__(self, *said):
        self.said, self.now, self.slept = list(said), 0.0, []

    def run(self, run_id):
        assert run_id == "r"
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, Exception):
            raise said
        return said

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def watch(script, patience=None):
    told, notes = [], []
    try:
        return (
            follow(script, "r", NODES, told.append, notes.append, patience or Patience(), clock=lambda: script.now, sleep=script.sleep),
            told,
            notes,
        )
    except Exception as error:
        error.notes = notes
        raise


def test_a_run_is_watched_to_its_end():
    script = Script(RUNNING, RUNNING, LIVE)
    reading, told, notes = watch(script)
    assert reading.ending.verdict == "live"
    assert [(event.name, event.state) for event in told] == [
        ("ExampleGen", "running"),
        ("ExampleGen", "done"),
        ("Pusher", "running"),
        ("Pusher", "done"),
    ]
    assert (notes, script.slept) == ([], [5.0, 5.0])


def test_a_lost_connection_is_told_in_one_line_and_tried_again():
    script = Script(RUNNING, LOST, LOST, RUNNING, LIVE)
    reading, _, notes = watch(script)
    assert reading.ending.verdict == "live"
    assert notes == [
        f"connection lost, asking again in 1 s (1 of {MOST_LOST}): http://kfp cannot be reached",
        f"connection lost, asking again in 2 s (2 of {MOST_LOST}): http://kfp cannot be reached",
    ]
    assert script.slept == [5.0, 1.0, 2.0, 5.0]


def test_a_server_that_stays_away_is_asked_a_bounded_number_of_times():
    script = Script(LOST)
    with pytest.raises(ServerUnavailable, match=f"asked {MOST_LOST} times; the run goes on"):
        watch(script)
    assert len(script.slept) == MOST_LOST - 1
    assert max(script.slept) <= 30


def test_attempts_are_counted_anew_after_an_answer():
    script = Script(*([LOST] * (MOST_LOST - 1)), RUNNING, *([LOST] * (MOST_LOST - 1)), LIVE)
    assert watch(script)[0].ending.verdict == "live"


def test_a_refusal_is_not_tried_again():
    script = Script(RUNNING, RequestRefused("gone", status=404), LIVE)
    with pytest.raises(RequestRefused):
        watch(script)


@pytest.mark.parametrize("said", [RUNNING, LOST])
def test_watching_ends_when_its_time_is_over(said):
    script = Script(said)
    with pytest.raises(StillRunning, match=r"still running after 0\.2 min; the run goes on"):
        watch(script, Patience(12.0))
    assert script.now <= 12.0
