"""Several workers' statuses as one."""

from __future__ import annotations

import pytest

from serving.protocol.status import Code, State, VersionStatus
from serving.server.workers.merge import statuses

START, LOADING, UP, GOING, END = State.START, State.LOADING, State.AVAILABLE, State.UNLOADING, State.END


@pytest.mark.parametrize(
    ("states", "merged"),
    [
        ([UP], UP),
        ([UP, UP], UP),
        ([UP, LOADING], LOADING),
        ([UP, START], START),
        ([LOADING, START], LOADING),
        ([UP, None], START),
        ([END, END], END),
        ([UP, GOING], GOING),
        ([UP, END], GOING),
        ([GOING, END], GOING),
        ([END, LOADING], LOADING),
        ([UP, State.UNKNOWN], State.UNKNOWN),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_version_is_where_its_slowest_process_is(states, merged, turned):
    answers = [[] if state is None else [VersionStatus(1, state)] for state in states]
    assert statuses(answers[::-1] if turned else answers) == [VersionStatus(1, merged)]


def test_a_failure_anywhere_is_the_versions_with_its_reason():
    failed = VersionStatus(1, END, Code.DATA_LOSS, "cut off")
    assert statuses([[VersionStatus(1, UP)], [failed]]) == [failed]
    assert statuses([[failed], [VersionStatus(1, LOADING)]]) == [failed]


def test_versions_are_listed_highest_first_whoever_has_them():
    assert statuses([[VersionStatus(1, UP)], [VersionStatus(3, UP), VersionStatus(1, UP)], [VersionStatus(2, UP)]]) == [
        VersionStatus(3, START),
        VersionStatus(2, START),
        VersionStatus(1, START),
    ]


@pytest.mark.parametrize("answers", [[], [[]], [[], []]])
def test_nothing_is_nothing(answers):
    assert statuses(answers) == []
