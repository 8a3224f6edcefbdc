"""From states to ready, refused, died or too late; time is the test's."""

from __future__ import annotations

import pytest

from serving.errors import LaunchTimeout, ModelLoadError, ModelNotFound, ServerDied, Unavailable
from serving.launchers.readiness import judge, wait_for
from serving.protocol.status import Code, State, VersionStatus

GOOD, LOADING = VersionStatus(1, State.AVAILABLE), VersionStatus(1, State.LOADING)
BAD = VersionStatus(2, State.END, Code.DATA_LOSS, "cut off")


@pytest.mark.parametrize(
    ("statuses", "ready"), [([], False), ([LOADING], False), ([GOOD], True), ([BAD, GOOD], True), ([BAD, LOADING], False)]
)
def test_an_available_version_is_enough(statuses, ready):
    assert judge(statuses) is ready


def test_an_end_with_nothing_else_is_a_refusal_in_the_servers_words():
    with pytest.raises(ModelLoadError, match="cut off"):
        judge([BAD])


class Clock:
    """Time passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waiting(looks: list[object], exit_codes: list[int | None] | None = None, deadline: float = 1.0) -> object:
    clock, codes = Clock(), list(exit_codes or [])

    def look() -> object:
        result = looks.pop(0) if looks else None
        if isinstance(result, Exception):
            raise result
        return result

    return wait_for(
        look,
        lambda: codes.pop(0) if codes else None,
        what="it was up",
        deadline_seconds=deadline,
        logs=lambda: "first\nlast words\n",
        clock=clock,
        sleep=clock.sleep,
    )


def test_a_server_that_is_not_there_yet_is_looked_at_again():
    assert waiting([Unavailable("no", code="UNAVAILABLE"), ModelNotFound("no", code="NOT_FOUND"), None, "up"]) == "up"


def test_the_deadline_ends_the_wait():
    with pytest.raises(LaunchTimeout, match=r"it was up: not within 1 s") as caught:
        waiting([])
    assert caught.value.log_tail == "first\nlast words"


def test_a_server_that_ended_is_reported_with_its_last_words():
    with pytest.raises(ServerDied, match="ended with code 3 before it was up: last words"):
        waiting([], [None, 3])


def test_what_a_server_said_before_it_ended_still_counts():
    assert waiting(["up"], [3]) == "up"


def test_a_refusal_is_passed_on():
    with pytest.raises(ModelLoadError):
        waiting([ModelLoadError("no")])
