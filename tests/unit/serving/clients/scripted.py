"""Steps run against a script instead of a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving.clients.retry import Send, Steps, Wait


class Clock:
    """Seconds that pass only when a test, or a `Wait`, says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def drive(steps: Steps[Any], answers: Sequence[Any], clock: Clock | None = None) -> tuple[Any, list[Send | Wait]]:
    """(result, what was done) with these answers to the calls, errors thrown. The result may be the error that ends it."""
    left, done = list(answers), []
    try:
        step = next(steps)
        while True:
            done.append(step)
            if isinstance(step, Wait):
                if clock:
                    clock.now += step.seconds
                step = steps.send(None)
                continue
            answer = left.pop(0)
            step = steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer)
    except StopIteration as end:
        assert left == [], "the script goes on"
        return end.value, done
    except Exception as error:  # noqa: BLE001 - the result to look at
        assert left == [], "the script goes on"
        return error, done
