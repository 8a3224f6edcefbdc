"""Bad models and bad data are refused by their own gates: exit 3, the reason told and kept, the store unchanged."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.use_cases.base import get_use_case
from serving.store.local import LocalStore
from tests.e2e.command import Ended, sluiceway, tree

# The first test waits for the shared first run, too.
pytestmark = pytest.mark.timeout(900)
Row = dict[str, str]
TAMPERING = str(Path(__file__).with_name("tampering.py"))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The first 4,000 real taxi rows."""
    with get_use_case("taxi").source().open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:4000]


def written(path: Path, rows: list[Row], change: Callable[[int, Row], Row] = lambda _, row: row) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(change(number, row) for number, row in enumerate(rows))
    return path


def assert_refused(ended: Ended, state: Path, *, gate: str, saying: str, versions_before: dict[str, tuple[int, int]]) -> None:
    assert ended.code == 3, ended.err
    result = ended.document
    assert (result["verdict"], result["gate"]) == ("refused", gate)
    assert saying in " | ".join(reason["message"] for reason in result["reasons"])
    told = sluiceway("history", "taxi", "--json", state=state).document["events"][-1]
    assert (told["kind"], told["run_id"], told["details"]["gate"]) == ("refuse", result["run_id"], gate)
    assert told["details"]["reasons"] == result["reasons"]
    assert published(state) == versions_before


def published(state: Path) -> dict[str, tuple[int, int]]:
    return {name: value for name, value in tree(state / "store").items() if not name.endswith("history.jsonl")}


def test_shuffled_labels_are_refused_by_the_evaluator(live: Path, rows: list[Row], tmp_path: Path) -> None:
    labels = [row["tips"] for row in rows]
    random.Random(5).shuffle(labels)
    data = written(tmp_path / "shuffled.csv", rows, lambda number, row: {**row, "tips": labels[number]})
    before = published(live)
    ended = sluiceway("run", "taxi", "--json", "--data", str(data), state=live)
    assert_refused(ended, live, gate="evaluator", saying="auc 0.", versions_before=before)


def test_a_model_worse_than_the_champion_is_refused_by_the_evaluator(live: Path) -> None:
    before = published(live)
    weak = ["budgets.smoke.epochs=1", "hparams.learning_rate=0.00001", "thresholds={loss: 100}", "slices.thresholds={}"]
    ended = sluiceway("run", "taxi", "--json", *[part for text in weak for part in ("--set", text)], state=live)
    assert_refused(ended, live, gate="evaluator", saying="against the champion", versions_before=before)


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        pytest.param(
            lambda number, row: {**row, "fare": "n/a" if number % 7 == 0 else row["fare"]}, "cannot be read as a number", id="text"
        ),
        pytest.param(lambda _, row: {**row, "tips": "0"}, "the same value in every row", id="constant-label"),
        pytest.param(lambda number, row: {**row, "trip_start_hour": "25" if number % 5 == 0 else "3"}, "trip_start_hour", id="domain"),
    ],
)
def test_a_broken_column_is_refused_by_the_data_gate(
    change: Callable[[int, Row], Row], saying: str, live: Path, rows: list[Row], tmp_path: Path
) -> None:
    data = written(tmp_path / "broken.csv", rows, change)
    before = published(live)
    ended = sluiceway("run", "taxi", "--json", "--data", str(data), state=live)
    assert_refused(ended, live, gate="data", saying=saying, versions_before=before)
    skipped = {node["name"] for node in ended.document["nodes"] if node["state"] == "skipped"}
    assert {"Transform", "Trainer", "Pusher"} <= skipped


def test_a_weight_that_is_nan_is_refused_by_the_infra_validator(live: Path) -> None:
    before = published(live)
    # Another learning rate makes another candidate; the program spoils it after the evaluator has accepted it.
    ended = sluiceway("run", "taxi", "--json", "--set", "hparams.learning_rate=0.004", state=live, program=[TAMPERING])
    assert_refused(ended, live, gate="infra_validator", saying="NaN", versions_before=before)
    assert next(node["state"] for node in ended.document["nodes"] if node["name"] == "Evaluator") == "done"
    LocalStore(live / "store").verify("taxi", 1)
