"""The published leaves model is sensible: an obviously diseased leaf is not healthy and a healthy one is, at any size and format."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.leaves.drawing import leaf
from serving.errors import BadRequest
from tests.e2e.command import Ended, sluiceway
from tests.e2e.use_cases.pictures import file_of, instances, shuffled
from tests.e2e.use_cases.published import Published, refused

USE_CASE = "leaves"
# The first test waits for the run of this module.
pytestmark = pytest.mark.timeout(900)

KINDS = ["cbb", "cbsd", "cgm", "cmd", "healthy"]
DISEASES = KINDS[:-1]


def new(kind: str, seed: int) -> Image.Image:
    """A leaf that nothing was learnt from."""
    return leaf(kind, np.random.default_rng([99, seed]))


def labels(published: Published, *files: bytes) -> list[str]:
    return [answer["label"] for answer in published.predict([{"image": file} for file in files])]


def test_the_run_ends_live_and_nearly_always_right(run: tuple[str, Ended]) -> None:
    _, ended = run
    assert ended.code == 0, ended.err
    assert ended.document["verdict"] == "live"
    assert ended.document["metrics"]["accuracy"] > 0.87


def test_every_signature_gives_the_trainers_answers_over_both_transports(published: Published) -> None:
    assert published.assert_golden_answers() == set(published.signatures)


def test_the_signatures_read_well(published: Published) -> None:
    signatures = published.signatures
    assert set(signatures) == {"predict", "serving_default", "classify", "transform_features"}
    predict = signatures["predict"]
    assert {name: (spec.dtype, spec.shape) for name, spec in predict.inputs.items()} == {"image": ("string", (None,))}
    assert {name: (spec.dtype, spec.shape) for name, spec in predict.outputs.items()} == {
        "label": ("string", (None,)),
        "probabilities": ("float32", (None, 5)),
        "probability": ("float32", (None,)),
    }
    assert signatures["classify"].method_name == "tensorflow/serving/classify"


@pytest.mark.parametrize("kind", DISEASES)
def test_an_obviously_diseased_leaf_is_not_healthy(kind: str, published: Published) -> None:
    found = labels(published, *(file_of(new(kind, seed), "JPEG") for seed in range(12)))
    assert found.count("healthy") <= 1
    assert found.count(kind) >= 9


def test_a_healthy_leaf_is_healthy(published: Published) -> None:
    assert labels(published, *(file_of(new("healthy", seed), "JPEG") for seed in range(12))).count("healthy") >= 10


@pytest.mark.parametrize("kind", ["cmd", "healthy"])
@pytest.mark.parametrize("size", [(64, 64), (320, 240), (1200, 900)])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_size_and_format_of_a_photo_do_not_matter(kind: str, size: tuple[int, int], form: str, published: Published) -> None:
    found = labels(published, *(file_of(new(kind, seed).resize(size), form) for seed in range(5)))
    assert found.count(kind) >= 4


def test_classify_gives_the_kinds_likeliest_first(published: Published) -> None:
    (scores,) = published.classify([{"image": file_of(new("cmd", 1), "JPEG")}])
    assert next(iter(scores)) == "cmd"
    assert sorted(scores) == KINDS
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    (answer,) = published.predict([{"image": file_of(new("cmd", 1), "JPEG")}])
    assert [scores[kind] for kind in KINDS] == pytest.approx(answer["probabilities"], abs=1e-5)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(Image.new("L", (96, 96), 120), id="grey"),
        pytest.param(Image.new("RGBA", (200, 90), (40, 120, 40, 0)), id="transparent"),
        pytest.param(Image.new("RGB", (1, 1)), id="one-pixel"),
        pytest.param(Image.new("RGB", (3, 900), (40, 120, 40)), id="long"),
    ],
)
def test_what_shows_no_leaf_has_an_answer_all_the_same(picture: Image.Image, published: Published) -> None:
    (answer,) = published.predict([{"image": file_of(picture)}])
    assert answer["label"] in KINDS
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_a_batch_of_64_is_answered_row_by_row(published: Published) -> None:
    files = [file_of(new(KINDS[place % 5], place), "JPEG") for place in range(64)]
    together = published.predict([{"image": file} for file in files])
    assert len(together) == 64
    (alone,) = published.predict([{"image": files[63]}])
    assert together[63]["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)
    assert sum(answer["label"] == KINDS[place % 5] for place, answer in enumerate(together)) >= 56


@pytest.mark.parametrize(
    ("file", "saying"),
    [
        pytest.param(b"", "image 1 of the batch is empty or missing", id="zero-bytes"),
        pytest.param(b"<html>a page</html>", "image 1 of the batch is not a JPEG, PNG, GIF or BMP file", id="no-image"),
        pytest.param(file_of(new("cmd", 1), "JPEG")[:900], "JPEG", id="cut-off"),
    ],
)
def test_what_is_no_image_is_a_400_that_says_so(file: bytes, saying: str, published: Published) -> None:
    good = file_of(new("healthy", 1))
    answer = published.post("predict", instances(good, file))
    assert answer.status_code == 400
    assert saying in answer.text
    with pytest.raises(BadRequest, match=saying):
        published.grpc.classify(USE_CASE, [{"image": good}, {"image": file}], signature="classify")


def test_an_example_without_an_image_is_told(published: Published) -> None:
    for client in (published.rest, published.grpc):
        with pytest.raises(BadRequest, match="image 0 of the batch is empty or missing"):
            client.classify(USE_CASE, [{}], signature="classify")


def test_a_model_on_shuffled_labels_is_refused(tmp_path: Path) -> None:
    data = shuffled(get_use_case(USE_CASE).source(), tmp_path / "data", most=70)
    assert "accuracy" in refused(USE_CASE, data, tmp_path / "state", "--set", "budgets.smoke.epochs=3")


def test_kaggles_file_with_its_numbers_for_kinds_runs_through(tmp_path: Path) -> None:
    photos = tmp_path / "train_images"
    photos.mkdir()
    rows = []
    for number, kind in enumerate(KINDS):
        for path in sorted((get_use_case(USE_CASE).source() / kind).iterdir())[:70]:
            name = f"{number}{path.name}"
            (photos / name).symlink_to(path)
            rows.append([name, str(number)])
    with (tmp_path / "train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["image_id", "label"], *rows])
    mapping = ", ".join(f"{number}: {kind}" for number, kind in enumerate(KINDS))
    ended = sluiceway(
        "run",
        USE_CASE,
        "--json",
        "--data",
        str(tmp_path / "train.csv"),
        "--set",
        "data.images=train_images",
        "--set",
        f"data.classes={{{mapping}}}",
        state=tmp_path / "state",
    )
    assert ended.code == 0, ended.err
    assert ended.document["verdict"] == "live"
