"""``sluiceway run`` on real rows, from an empty folder to a live model and on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.nodes import node_names
from serving.store.local import LocalStore
from tests.e2e.command import Ended, sluiceway, started, tree

# Up to three runs in a row; each has its own end (``command.RUN_SECONDS``).
pytestmark = pytest.mark.timeout(900)


def test_a_first_run_ends_live_and_answers_over_both_transports(first_run: tuple[Path, Ended]) -> None:
    state, ended = first_run
    assert ended.code == 0, ended.err
    result = ended.document
    assert (result["verdict"], result["version"], result["champion"], result["reasons"]) == ("live", 1, None, [])
    assert [node["name"] for node in result["nodes"]] == node_names(tuner=False)
    assert {node["state"] for node in result["nodes"]} == {"done"}
    assert result["metrics"]["auc"] > 0.85
    rest, grpc = result["answers"]
    assert (rest["transport"], grpc["transport"]) == ("rest", "grpc")
    assert rest["outputs"]["label"] == grpc["outputs"]["label"] in ("big_tip", "small_tip")
    assert rest["outputs"]["probability"] == pytest.approx(grpc["outputs"]["probability"], abs=1e-6)
    assert Path(result["log"]).is_file()
    LocalStore(state / "store").verify("taxi", 1)


def test_library_noise_stays_in_the_log(first_run: tuple[Path, Ended]) -> None:
    _, ended = first_run
    expected = {"starting", *node_names(tuner=False), "asking"}
    assert {line.split()[0] for line in ended.err.splitlines() if line.strip()} == expected
    assert "WARNING" in Path(ended.document["log"]).read_text(encoding="utf-8")


def test_a_second_run_with_nothing_new_publishes_nothing_and_says_unchanged(live: Path) -> None:
    before = tree(live / "store")
    ended = sluiceway("run", "taxi", "--json", state=live)
    assert ended.code == 0, ended.err
    assert (ended.document["verdict"], ended.document["version"]) == ("unchanged", 1)
    assert all(node["cached"] for node in ended.document["nodes"])
    assert tree(live / "store") == before


def test_another_threshold_judges_the_cached_model_again(live: Path) -> None:
    # A state folder that was copied is another place to TFX: the nodes run once there, and what they make is a version of its own.
    here = sluiceway("run", "taxi", "--json", "--set", "thresholds.auc=0.81", state=live)
    assert (here.code, here.document["verdict"], here.document["version"]) == (0, "live", 2), here.err
    before = tree(live / "store")
    looser = sluiceway("run", "taxi", "--json", "--set", "thresholds.auc=0.8", state=live)
    assert (looser.code, looser.document["verdict"], looser.document["version"]) == (0, "unchanged", 2), looser.err
    states = {node["name"]: node["state"] for node in looser.document["nodes"]}
    assert (states["Trainer"], states["Evaluator"]) == ("cached", "done")
    assert tree(live / "store") == before
    stricter = sluiceway("run", "taxi", "--json", "--set", "thresholds.auc=0.999", state=live)
    assert stricter.code == 3, stricter.err
    assert "0.999" in stricter.document["reasons"][0]["message"]


def test_a_second_process_beside_a_run_is_told_so_and_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    running = started("run", "taxi", state=state)
    try:
        assert running.stdout is not None
        # The lock is taken before the first node ends.
        assert any(line.startswith("ExampleGen") for line in running.stdout)
        second = sluiceway("run", "taxi", "--json", state=state)
        assert second.code == 2
        assert "another run of taxi is under way" in second.document["error"]["message"]
    finally:
        running.kill()
        running.communicate()


def test_a_search_for_hyperparameters_is_one_switch(tmp_path: Path) -> None:
    ended = sluiceway(
        "run",
        "taxi",
        "--json",
        "--set",
        "tuner.enabled=true",
        "--set",
        "tuner.trials=2",
        state=tmp_path / "s",
    )
    assert ended.code == 0, ended.err
    tuner = next(node for node in ended.document["nodes"] if node["name"] == "Tuner")
    assert tuner["state"] == "done"


def test_a_full_disk_is_told_as_such_and_publishes_nothing(small_disk: Path) -> None:
    ended = sluiceway("run", "taxi", "--json", state=small_disk / "state")
    assert ended.code == 2, ended.err
    assert ended.document["verdict"] == "failed"
    assert "no space left" in ended.document["reasons"][0]["message"]
    assert LocalStore(small_disk / "state" / "store").versions("taxi") == []


def test_a_state_folder_copied_elsewhere_keeps_its_versions(live: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(live, elsewhere)
    versions = sluiceway("versions", "taxi", "--json", state=elsewhere)
    assert [version["version"] for version in versions.document["versions"]] == [1]
