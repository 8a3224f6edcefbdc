"""Looks at a run until it ends, tells each change, and bears a connection that is lost for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from configs.errors import SluicewayError
from pipeline.kubeflow.documents import Run
from pipeline.kubeflow.errors import ServerUnavailable
from pipeline.kubeflow.watch import Reading, changes, read
from pipeline.runners.base import Listener

MOST_LOST = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class Runs(Protocol):
    """Where runs are looked up."""

    def run(self, run_id: str) -> Run:
        """A run with its tasks."""
        ...


class StillRunning(SluicewayError):
    """The time for watching is over; the run goes on."""


@dataclass(frozen=True)
class Patience:
    """``seconds`` is how long a run is watched, None for as long as it takes; ``poll`` the seconds between two looks."""

    seconds: float | None = None
    poll: float = 5.0


def follow(
    runs: Runs,
    run_id: str,
    nodes: Sequence[str],
    listener: Listener,
    note: Callable[[str], None],
    patience: Patience = Patience(),
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Reading:
    """Watch a run to its end.

    Raises:
        StillRunning: the patience is over.
        ServerUnavailable: the server did not answer MOST_LOST times in a row.
    """
    begun, before, lost = clock(), None, 0
    while True:
        try:
            now = read(runs.run(run_id), nodes)
        except ServerUnavailable as error:
            lost += 1
            if lost >= MOST_LOST:
                raise ServerUnavailable(f"{error}; asked {lost} times; the run goes on") from error
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (lost - 1))
            note(f"connection lost, asking again in {pause:g} s ({lost} of {MOST_LOST}): {error}")
        else:
            lost, pause = 0, patience.poll
            for event in changes(before, now):
                listener(event)
            if now.ending is not None:
                return now
            before = now
        if patience.seconds is not None and clock() - begun + pause > patience.seconds:
            raise StillRunning(f"still running after {patience.seconds / 60:g} min; the run goes on")
        sleep(pause)
