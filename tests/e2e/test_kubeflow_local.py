"""The compiled pipeline, run end to end by the official SDK's local runner: the same model goes live, the same bad one is refused."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.use_cases.base import get_use_case
from serving import golden
from serving.store.local import LocalStore
from tests.e2e.command import ROOT, Ended, environment, sluiceway

IMAGE = os.environ.get("SLUICEWAY_TEST_PIPELINE_IMAGE")
KFP = tuple(int(part) for part in importlib.metadata.version("kfp").split(".")[:2])
pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.skipif(KFP < (2, 16), reason=f"not on this stack: kfp {KFP[0]}.{KFP[1]} runs no dsl.If locally"),
]


@dataclass(frozen=True)
class LocalRun:
    """A run of the compiled pipeline on this machine. ``root`` holds a folder for each task that ran."""

    root: Path
    output: str
    code: int

    @property
    def tasks(self) -> set[str]:
        (run,) = [path for path in self.root.iterdir() if path.name.startswith("taxi-")]
        return {path.name for path in run.iterdir()}

    def page(self, task: str) -> str:
        (path,) = self.root.glob(f"taxi-*/{task}/report")
        return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pipeline as users compile it. The store is a volume there and a folder here, so the run's own parameter says where it is."""
    folder = tmp_path_factory.mktemp("compiled")
    # With an image the infra gate boots the server that the image carries; a process has the embedded one.
    given = ["--set", f"kubeflow.image={IMAGE}"] if IMAGE else ["--set", "launcher=embedded", "--set", f"state={folder / 'state'}"]
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "compile",
        "taxi",
        "-o",
        str(folder / "taxi.yaml"),
        *given,
        "--set",
        "kubeflow.step.retries=0",
    ]
    subprocess.run([*command, "--set", "kubeflow.steps={}"], cwd=ROOT, env=environment(), check=True, timeout=300, capture_output=True)
    return folder / "taxi.yaml"


def run_locally(package: Path, folder: Path, parameters: dict[str, Any]) -> LocalRun:
    """Run the package; ``folder`` is all that the steps see of this machine."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    for path in (folder, root):
        path.chmod(0o777)  # the steps are another user: the image's
    for old in root.glob("taxi-*"):
        old.rename(folder / f"before-{old.name}")
    command = [sys.executable, str(Path(__file__).with_name("kfp_local.py")), str(package), "--root", str(root), "--folder", str(folder)]
    command += ["--engine", "docker" if IMAGE else "process", "--image", IMAGE or "sluiceway/pipeline:0.1.0"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ended = subprocess.run(
        [*command, "--parameters", json.dumps({"budget": "smoke", **parameters})],
        cwd=ROOT,
        env={**environment(), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    return LocalRun(root, ended.stdout, ended.returncode)


@pytest.fixture(scope="module")
def published(package: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LocalRun]:
    """(folder with the store, the run) of a first run from the rows that ship."""
    folder = tmp_path_factory.mktemp("kubeflow")
    return folder, run_locally(package, folder, {"store": str(folder / "store")})


def test_the_same_model_goes_live_as_in_a_local_run(published: tuple[Path, LocalRun], first_run: tuple[Path, Ended]) -> None:
    folder, run = published
    assert run.code == 0, run.output
    assert "prove" in run.tasks
    assert not {task for task in run.tasks if task.startswith("refused")}
    there, here = LocalStore(folder / "store").live("taxi"), LocalStore(first_run[0] / "store").live("taxi")
    assert there is not None
    assert here is not None
    LocalStore(folder / "store").verify("taxi", there.number)
    measured, expected = dict(there.manifest.identity.metrics), dict(here.manifest.identity.metrics)
    assert measured.keys() == expected.keys()
    assert measured["example_count"] == expected["example_count"]
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, abs=0.02), name
    for one, other in zip(golden.read(there.path), golden.read(here.path), strict=True):
        assert one.outputs.keys() == other.outputs.keys()
        for name, value in one.outputs.items():
            if np.issubdtype(value.dtype, np.number):
                np.testing.assert_allclose(value, other.outputs[name], atol=0.05)


def test_what_a_person_sees_of_each_step_is_its_verdict_and_its_figures(published: tuple[Path, LocalRun]) -> None:
    _, run = published
    assert run.page("plan").startswith("# taxi: go")
    assert run.page("evaluator").startswith("# Evaluator: accepted")
    assert "auc" in run.page("evaluator")
    assert run.page("prove").startswith("# LIVE taxi v1")


def test_with_nothing_new_the_run_ends_after_its_plan(published: tuple[Path, LocalRun], package: Path) -> None:
    folder, _ = published
    again = run_locally(package, folder, {"store": str(folder / "store")})
    assert again.code == 0, again.output
    assert again.tasks == {"plan"}
    assert again.page("plan").startswith("# taxi: unchanged")
    assert [version.number for version in LocalStore(folder / "store").versions("taxi")] == [1]


def test_a_candidate_trained_on_shuffled_labels_ends_as_refused_with_its_reason(package: Path, tmp_path: Path) -> None:
    with get_use_case("taxi").source().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:4000]
    labels = [row["tips"] for row in rows]
    random.Random(5).shuffle(labels)
    data = tmp_path / "shuffled.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "tips": label} for row, label in zip(rows, labels, strict=True))
    run = run_locally(package, tmp_path, {"store": str(tmp_path / "store"), "data": str(data)})
    assert run.code == 0, "a refusal is a result, not a failure"
    assert "refused-by-evaluator" in run.tasks
    assert not run.tasks & {"infra-validator", "pusher", "prove"}
    assert run.page("refused-by-evaluator").startswith("# REFUSED taxi")
    assert "auc 0." in run.page("refused-by-evaluator")
    assert LocalStore(tmp_path / "store").versions("taxi") == []
    (event,) = sluiceway("history", "taxi", "--json", "--set", f"store.path={tmp_path / 'store'}", state=tmp_path / "state").document[
        "events"
    ]
    assert (event["kind"], event["details"]["gate"]) == ("refuse", "evaluator")
