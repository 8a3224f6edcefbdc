"""``kill -9`` at any moment of a run: the next run recovers, no half version, no orphan server."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from serving.store.local import LocalStore
from tests.e2e.command import sluiceway, started

# Seven runs in a row; each has its own end (``command.RUN_SECONDS``).
pytestmark = pytest.mark.timeout(1500)
# The line after which the kill falls: while TFX is imported, while rows are transformed, while the model is trained, while a server is
# booted for the candidate, while it is published, while the published version is asked.
MOMENTS = ["starting TFX", "ExampleValidator", "Transform", "Evaluator", "InfraValidator", "Pusher"]


def test_a_killed_run_is_recovered_by_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, launched = tmp_path / "state", tmp_path / "launched"
    launched.mkdir()
    # Launchers keep what they make below the temporary folder, a run's own or this one: nothing may be left in either.
    monkeypatch.setenv("TMPDIR", str(launched))
    for moment in MOMENTS:
        kill_after(moment, state)
        store = LocalStore(state / "store")
        for version in store.versions("taxi"):
            store.verify("taxi", version.number)
        wait_until_empty(launched, state)
    ended = sluiceway("run", "taxi", "--json", state=state)
    assert ended.code == 0, ended.err
    assert (ended.document["verdict"], ended.document["version"]) == ("unchanged", 1)
    events = sluiceway("history", "taxi", "--json", state=state).document["events"]
    assert [(event["kind"], event["version"]) for event in events] == [("publish", 1)]
    assert [path.name for path in (state / "store" / "taxi").iterdir() if path.is_dir()] == ["1"]
    wait_until_empty(launched, state)


def kill_after(moment: str, state: Path) -> None:
    """Run, and kill the whole process group as soon as a line begins with the moment's word."""
    run = started("run", "taxi", state=state)
    assert run.stdout is not None
    seen = any(line.startswith(moment) for line in run.stdout)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    # Killed while it was publishing, the version may stand already: the next run then has nothing new to do.
    assert seen or LocalStore(state / "store").versions("taxi"), f"the run never came to {moment}"


def wait_until_empty(*folders: Path) -> None:
    """A killed run's server watches its parent, ends and removes its folder: soon, and always."""
    until = time.monotonic() + 30
    while left := [path for folder in folders for path in launch_folders(folder)]:
        assert time.monotonic() < until, f"left behind: {left}"
        time.sleep(0.1)


def launch_folders(folder: Path) -> list[Path]:
    """What launchers keep below ``folder``. One may be going just now: ``os.walk`` passes over it, ``rglob`` raises."""
    return [Path(parent, name) for parent, names, _ in os.walk(folder) for name in names if name.startswith("sluiceway-launch-")]
