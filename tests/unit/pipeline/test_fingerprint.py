"""What decides a run changes its fingerprint; what does not leaves it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest

from configs.load import load_settings
from pipeline import fingerprint
from pipeline.fingerprint import files_digest, run_fingerprint, training_digest
from pipeline.use_cases.base import get_use_case


def of(*overrides, environment="local", data="d", training="t"):
    return run_fingerprint(load_settings("taxi", environment, overrides), data, training)


def test_the_same_run_has_the_same_fingerprint():
    assert of() == of()
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", of())


@pytest.mark.parametrize(
    "override",
    [
        "thresholds.auc=0.1",
        "change.auc=0.5",
        "slices.min_examples=7",
        "hparams.dropout=0.2",
        "data.train_buckets=4",
        "budgets.full.epochs=9",
        "tuner.enabled=true",
        "infra.tolerance=0.1",
        "launcher=binary",
        "launcher=docker",
    ],
)
def test_what_decides_the_model_or_a_verdict_changes_it(override):
    assert of(override) != of()


@pytest.mark.parametrize(
    "override",
    [
        "state=elsewhere",
        "cache=false",
        "server.rest_port=1",
        "beam.args=['--direct_num_workers=2']",
        "data.source=x.csv",
        "budgets.smoke.epochs=9",
        "launchers.docker.images=[a:1]",
    ],
)
def test_places_and_what_was_not_chosen_do_not(override):
    assert of(override) == of()


def test_every_image_and_flag_of_the_chosen_launcher_changes_it_and_its_place_does_not():
    def pods(change: str) -> str:
        return of("launcher=kubernetes", f"launchers.kubernetes={{images: [a:1], claim: c{change}}}")

    images = [of("launcher=docker", f"launchers.docker.images={images}") for images in ("[a:1]", "[a:2]", "[a:1, a:2]")]
    flags = of("launcher=docker", "launchers.docker.images=[a:1]", "launchers.docker.flags=[--enable_batching]")
    assert len({*images, flags}) == 4
    assert pods("") == pods(", namespace: other, mount: /elsewhere")
    assert pods("") != pods(", flags: [--enable_batching]")


def test_data_and_code_change_it():
    assert len({of(), of(data="other"), of(training="other")}) == 3


def test_only_the_chosen_budget_counts():
    assert of(environment="smoke") != of()
    assert of("budgets.smoke.epochs=9", environment="smoke") != of(environment="smoke")


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The sources in a place where they may be changed, and the taxi use case in it."""
    for part in (*fingerprint._TRAINING, *fingerprint._JUDGING, "pipeline/use_cases/taxi"):
        source, target = fingerprint._ROOT / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__")) if source.is_dir() else shutil.copy(source, target)
    monkeypatch.setattr(fingerprint, "_ROOT", tmp_path)
    return tmp_path


class _Elsewhere:
    """A use case whose files lie in a folder of the test."""

    def __init__(self, folder):
        self.folder = folder


def test_the_digest_of_the_code_does_not_know_where_it_lies(copied):
    assert training_digest(_Elsewhere(copied / "pipeline/use_cases/taxi")) == digest_here()


def digest_here():
    return training_digest(get_use_case("taxi"))


@pytest.mark.parametrize(
    ("file", "training", "judging"),
    [
        ("pipeline/training/export.py", True, False),
        ("pipeline/training/new.py", True, False),
        ("pipeline/use_cases/taxi/preprocessing.py", True, False),
        ("pipeline/use_cases/taxi/schema.pbtxt", True, False),
        ("serving/golden.py", True, False),
        ("pipeline/gates.py", False, True),
        ("components/evaluator/judge.py", False, True),
        ("pipeline/use_cases/taxi/words.txt", True, False),
        ("serving/server/savedmodel.py", False, True),
        ("pipeline/cli/run.py", False, False),
    ],
)
def test_code_that_trains_and_code_that_judges_are_known_apart(copied, file, training, judging):
    use_case = _Elsewhere(copied / "pipeline/use_cases/taxi")
    before = training_digest(use_case), of()
    path = copied / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as changed:
        changed.write("\n# changed\n")
    assert (training_digest(use_case) != before[0], of() != before[1]) == (training, judging)


def test_a_new_release_of_a_library_changes_the_digest_of_the_code(monkeypatch):
    before = digest_here()
    monkeypatch.setattr(fingerprint.metadata, "version", lambda package: "99" if package == "tensorflow" else "1")
    after = digest_here()
    monkeypatch.setattr(fingerprint.metadata, "version", lambda _: "1")
    assert len({before, after, digest_here()}) == 3


def test_a_library_that_is_not_there_has_no_version(monkeypatch):
    def missing(package):
        raise fingerprint.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(fingerprint.metadata, "version", missing)
    assert digest_here()


def test_a_file_that_a_hyperparameter_names_is_part_of_it(tmp_path):
    use_case = replace(get_use_case("taxi"), hparams={"weights": "none"}, files=("weights",), bounds={})
    assert files_digest(use_case, {}) == ""
    path = tmp_path / "weights.h5"
    path.write_bytes(b"one")
    first = files_digest(use_case, {"weights": str(path)})
    path.write_bytes(b"two")
    assert first != files_digest(use_case, {"weights": str(path)}) != ""


def test_what_an_editor_leaves_is_no_part_of_the_code(copied):
    use_case = _Elsewhere(copied / "pipeline/use_cases/taxi")
    before = training_digest(use_case)
    for hidden in (".git/HEAD", ".data.py.swp", ".ipynb_checkpoints/x.py"):
        path = use_case.folder / hidden
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert training_digest(use_case) == before
