"""What should be live is a table: our rules, and upstream's."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.protocol.status import Code, State
from serving.server.model_config import VersionPolicy
from serving.server.policy import (
    Failure,
    Load,
    Retries,
    Unload,
    after_failure,
    aspired_upstream,
    next_retry,
    plan,
    plan_upstream,
    refused,
)
from serving.server.version_dirs import Found

UP, ENDED, LOADING, DRAINING = State.AVAILABLE, State.END, State.LOADING, State.UNLOADING
LATEST, TWO, ALL = VersionPolicy(), VersionPolicy(num_versions=2), VersionPolicy("all")


def found(version: int, problem: str | None = None, name: str = "") -> Found:
    return Found(version, Path(name or str(version)), problem, "as it was")


def exactly(*versions: int) -> VersionPolicy:
    return VersionPolicy("specific", versions=versions)


FINAL = Failure("as it was", Code.DATA_LOSS, "cut off")
OTHER = Failure("other files", Code.DATA_LOSS, "cut off")


@pytest.mark.parametrize(
    ("on_disk", "policy", "states", "failed", "step"),
    [
        pytest.param([], LATEST, {}, {}, None, id="nothing there"),
        pytest.param([found(1)], LATEST, {}, {}, Load(found(1)), id="first version"),
        pytest.param([found(1), found(2)], LATEST, {}, {}, Load(found(2)), id="only the newest"),
        pytest.param([found(1), found(2)], LATEST, {1: UP}, {}, Load(found(2)), id="new before old"),
        pytest.param([found(1), found(2)], LATEST, {1: UP, 2: UP}, {}, Unload(1), id="old once the new is up"),
        pytest.param([found(1), found(2)], LATEST, {1: ENDED, 2: UP}, {}, None, id="done"),
        pytest.param([found(1), found(2)], LATEST, {2: ENDED}, {2: FINAL}, Load(found(1)), id="falls back at start"),
        pytest.param([found(1), found(2)], LATEST, {1: UP, 2: ENDED}, {2: FINAL}, None, id="a bad newest leaves the old one up"),
        pytest.param([found(1), found(2)], LATEST, {1: UP, 2: ENDED}, {2: OTHER}, Load(found(2)), id="changed files are tried again"),
        pytest.param([found(1), found(2, "half")], LATEST, {1: UP}, {}, None, id="an incomplete version is ignored"),
        pytest.param([found(1)], LATEST, {1: ENDED, 2: UP}, {}, Load(found(1)), id="the newest was taken away: load"),
        pytest.param([found(1)], LATEST, {1: UP, 2: UP}, {}, Unload(2), id="the newest was taken away: unload"),
        pytest.param([found(1), found(2, "half")], LATEST, {2: UP}, {}, None, id="a live version that is damaged on disk stays"),
        pytest.param([found(1)], LATEST, {2: UP}, {1: FINAL}, None, id="gone, but nothing that loads instead"),
        pytest.param([], LATEST, {2: UP}, {}, None, id="an empty listing unloads nothing"),
        pytest.param([found(3, "half")], LATEST, {2: UP}, {}, None, id="nothing but an incomplete one unloads nothing"),
        pytest.param([found(2, "half")], LATEST, {2: UP, 3: UP}, {}, None, id="half an outage unloads nothing"),
        pytest.param([found(3)], LATEST, {1: UP, 2: UP, 3: UP}, {}, Unload(1), id="lowest first"),
        pytest.param([found(3)], LATEST, {1: UP, 2: UP}, {}, Unload(1), id="one too many goes before the load"),
        pytest.param([found(1), found(2), found(3)], TWO, {}, {}, Load(found(3)), id="latest 2: highest first"),
        pytest.param([found(1), found(2), found(3)], TWO, {3: UP}, {}, Load(found(2)), id="latest 2: then the second"),
        pytest.param([found(1), found(2), found(3)], TWO, {1: UP, 2: UP}, {}, Load(found(3)), id="latest 2: new before old"),
        pytest.param([found(1), found(2), found(3)], TWO, {1: UP, 2: UP}, {3: FINAL}, None, id="latest 2: a bad one costs nothing"),
        pytest.param([found(1), found(2)], VersionPolicy(num_versions=0), {2: UP}, {}, None, id="latest 0 is latest 1"),
        pytest.param([found(1), found(2)], ALL, {2: UP}, {}, Load(found(1)), id="all"),
        pytest.param([found(2)], ALL, {1: UP, 2: UP}, {}, Unload(1), id="all: its folder is gone"),
        pytest.param([found(1), found(2)], exactly(1), {2: UP}, {}, Load(found(1)), id="specific: load"),
        pytest.param([found(1), found(2)], exactly(1), {1: UP, 2: UP}, {}, Unload(2), id="specific: unload"),
        pytest.param([found(1), found(2)], exactly(7), {2: UP}, {}, None, id="specific: not there yet, so nothing goes"),
        pytest.param([found(1), found(2)], exactly(), {2: UP}, {}, None, id="specific without versions unloads nothing"),
    ],
)
def test_plan(on_disk, policy, states, failed, step):
    assert plan(on_disk, policy, states, failed, now=0) == step


def test_a_failure_that_may_pass_stands_until_its_time():
    failed = {2: Failure("as it was", Code.UNAVAILABLE, "busy", retry_at=5.0)}
    assert plan([found(1), found(2)], LATEST, {1: UP}, failed, now=4.9) is None
    assert plan([found(1), found(2)], LATEST, {1: UP}, failed, now=5.0) == Load(found(2))


def fail(code: Code, times: int, *, jitter: float = 0.0, most: int = 3) -> Failure:
    failure = None
    for _ in range(times):
        failure = after_failure(found(1), code, "why", failure, now=100.0, retries=Retries(most, 10.0), jitter=lambda: jitter)
    return failure


def test_an_error_that_cannot_pass_is_final_at_once():
    assert fail(Code.INVALID_ARGUMENT, 1).retry_at is None


def test_waits_grow_up_to_the_interval_and_end():
    assert [fail(Code.UNAVAILABLE, times).retry_at for times in (1, 2, 3, 4)] == [100.5, 102.0, 108.0, None]
    assert fail(Code.RESOURCE_EXHAUSTED, 4, most=9).retry_at == 110.0


def test_jitter_shortens_a_wait_by_up_to_half():
    assert fail(Code.ABORTED, 1, jitter=1.0).retry_at == 100.25


def test_other_files_count_from_one_again():
    before = Failure("other files", Code.UNAVAILABLE, "why", attempts=3)
    after = after_failure(found(1), Code.UNAVAILABLE, "why", before, now=0, retries=Retries(3, 10.0), jitter=lambda: 0)
    assert after.attempts == 1


def test_the_next_retry_is_the_earliest_that_is_not_past():
    at = [Failure("", Code.ABORTED, "", retry_at=time) for time in (1.0, 9.0, 7.0, None)]
    assert next_retry(dict(enumerate(at)), now=5.0) == 2.0
    assert next_retry({1: at[0], 2: at[3]}, now=5.0) is None


@pytest.mark.parametrize(
    ("on_disk", "policy", "states", "versions"),
    [
        pytest.param([found(1), found(2, "half"), found(3, "half")], LATEST, {1: UP}, [2, 3], id="newer than what is live"),
        pytest.param([found(1, "half"), found(2)], LATEST, {2: UP}, [], id="older ones do not matter"),
        pytest.param([found(1, "half"), found(2)], TWO, {2: UP}, [1], id="latest 2: there is room"),
        pytest.param([found(2, "half")], LATEST, {2: UP}, [], id="a live one is not refused"),
        pytest.param([found(2, "half")], LATEST, {2: DRAINING}, [], id="nor one that drains"),
        pytest.param([found(2, "half"), found(3, "half")], exactly(2), {}, [2], id="specific"),
    ],
)
def test_incomplete_versions_that_would_be_wanted_are_refused(on_disk, policy, states, versions):
    assert [item.version for item in refused(on_disk, policy, states)] == versions


@pytest.mark.parametrize(
    ("names", "policy", "chosen"),
    [
        pytest.param(["1", "2", "3"], LATEST, ["3"], id="latest"),
        pytest.param(["1", "2", "3"], VersionPolicy(num_versions=2), ["2", "3"], id="latest 2"),
        pytest.param(["1", "2"], VersionPolicy(num_versions=0), ["2"], id="latest 0"),
        pytest.param(["001", "1"], LATEST, ["1"], id="the last name wins"),
        pytest.param(["001", "1"], ALL, ["001"], id="all: the first is there already"),
        pytest.param(["0002", "1", "3"], exactly(2, 3), ["0002", "3"], id="specific, padded"),
        pytest.param(["2", "2 "], exactly(2), ["2"], id="specific: the plain name first"),
        pytest.param(["1", "2"], exactly(9), [], id="specific, missing"),
        pytest.param(["1", "2"], exactly(), [], id="specific, none"),
    ],
)
def test_what_upstream_aspires_to(names, policy, chosen):
    assert [item.path.name for item in aspired_upstream([found(int(name), name=name) for name in names], policy)] == chosen


@pytest.mark.parametrize(
    ("aspired", "states", "failed", "step"),
    [
        pytest.param([], {1: UP, 2: UP}, (), Unload(1), id="an empty list unloads everything"),
        pytest.param([], {2: UP}, (), Unload(2), id="really everything"),
        pytest.param([found(1), found(2)], {}, (), Load(found(2)), id="highest first"),
        pytest.param([found(2)], {1: UP}, (), Load(found(2)), id="new before old"),
        pytest.param([found(2)], {1: UP, 2: LOADING}, (), None, id="still loading"),
        pytest.param([found(2)], {1: UP, 2: UP}, (), Unload(1), id="old once the new is up"),
        pytest.param([found(3)], {1: UP, 2: UP}, (), Unload(1), id="one too many goes before the load"),
        pytest.param([found(2)], {1: UP, 2: ENDED}, (2,), None, id="failed is final, the old one stays"),
        pytest.param([found(1), found(2)], {2: ENDED}, (2,), Load(found(1)), id="others are still loaded"),
        pytest.param([found(2), found(3)], {1: UP, 2: UP}, (), Unload(1), id="an aspired one is up, so the old goes before the load"),
        pytest.param([found(1)], {1: ENDED}, (), Load(found(1)), id="aspired to again"),
        pytest.param([found(1)], {1: DRAINING}, (), None, id="aspired to again while it drains"),
    ],
)
def test_plan_upstream(aspired, states, failed, step):
    assert plan_upstream(aspired, states, failed) == step
