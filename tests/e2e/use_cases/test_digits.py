"""The published digits model is sensible: a clean seven is a seven, in any size and format, over every signature."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.use_cases.base import get_use_case
from serving.errors import BadRequest
from tests.e2e.command import Ended
from tests.e2e.use_cases.pictures import file_of, instances, shuffled
from tests.e2e.use_cases.published import Published, refused

USE_CASE = "digits"
# The first test waits for the run of this module.
pytestmark = pytest.mark.timeout(900)

# Strokes as shares of the picture's sides. Those who wrote the rows give a seven a bar.
STROKES: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(0.5 + 0.2 * math.cos(turn / 5), 0.5 + 0.33 * math.sin(turn / 5)) for turn in range(33)]],
    "3": [[(0.3, 0.22), (0.5, 0.16), (0.66, 0.3), (0.46, 0.48), (0.68, 0.65), (0.5, 0.84), (0.28, 0.76)]],
    "4": [[(0.62, 0.85), (0.62, 0.15), (0.25, 0.6), (0.8, 0.6)]],
    "7": [[(0.28, 0.2), (0.72, 0.2), (0.45, 0.82)], [(0.35, 0.52), (0.72, 0.52)]],
}


def drawn(digit: str, size: int = 28) -> Image.Image:
    """A digit in white on black."""
    picture = Image.new("L", (size, size))
    for stroke in STROKES[digit]:
        ImageDraw.Draw(picture).line([(x * size, y * size) for x, y in stroke], fill=255, width=round(0.1 * size), joint="curve")
    return picture


def labels(published: Published, *files: bytes) -> list[str]:
    return [answer["label"] for answer in published.predict([{"image": file} for file in files])]


def test_the_run_ends_live_and_nearly_always_right(run: tuple[str, Ended]) -> None:
    _, ended = run
    assert ended.code == 0, ended.err
    assert ended.document["verdict"] == "live"
    assert ended.document["metrics"]["accuracy"] > 0.93


def test_every_signature_gives_the_trainers_answers_over_both_transports(published: Published) -> None:
    assert published.assert_golden_answers() == set(published.signatures)


def test_the_signatures_read_well(published: Published) -> None:
    signatures = published.signatures
    assert set(signatures) == {"predict", "serving_default", "classify", "predict_images", "transform_features"}
    outputs = {"label": ("string", (None,)), "probabilities": ("float32", (None, 10)), "probability": ("float32", (None,))}
    for name, inputs in {"predict": {"image": ("string", (None,))}, "predict_images": {"images": ("float32", (None, 28, 28))}}.items():
        assert {key: (spec.dtype, spec.shape) for key, spec in signatures[name].inputs.items()} == inputs
        assert {key: (spec.dtype, spec.shape) for key, spec in signatures[name].outputs.items()} == outputs
    assert signatures["classify"].method_name == "tensorflow/serving/classify"


@pytest.mark.parametrize("digit", STROKES)
def test_a_clean_digit_is_that_digit_in_any_size_and_format(digit: str, published: Published) -> None:
    files = [file_of(drawn(digit, size), form) for size in (28, 64, 200, 501) for form in ("PNG", "JPEG", "GIF")]
    assert labels(published, *files) == [digit] * len(files)


def test_it_is_sure_of_a_clean_seven(published: Published) -> None:
    (answer,) = published.predict([{"image": file_of(drawn("7"))}])
    assert answer["probability"] > 0.8
    assert answer["probability"] == pytest.approx(max(answer["probabilities"]))


def test_real_digits_are_mostly_right(published: Published) -> None:
    files = [
        (folder.name, path.read_bytes())
        for folder in sorted(get_use_case(USE_CASE).source().iterdir())
        for path in sorted(folder.iterdir())[:5]
    ]
    right = [label == found for (label, _), found in zip(files, labels(published, *(file for _, file in files)), strict=True)]
    assert sum(right) >= 45


def test_pixels_have_the_answer_of_their_file(published: Published) -> None:
    pixels = np.asarray(drawn("7"), np.float32)[np.newaxis] / 255
    (by_file,) = published.predict([{"image": file_of(drawn("7"))}])
    for client in (published.rest, published.grpc):
        answer = client.predict(USE_CASE, {"images": pixels}, signature="predict_images")
        assert answer["label"].tolist() == [b"7"]
        np.testing.assert_allclose(answer["probabilities"][0], by_file["probabilities"], atol=1e-5)


def test_classify_gives_all_ten_classes_as_texts_likeliest_first(published: Published) -> None:
    scores = published.classify([{"image": file_of(drawn("7"))}, {"image": file_of(drawn("0"))}])
    assert [next(iter(each)) for each in scores] == ["7", "0"]
    for each in scores:
        assert sorted(each) == list("0123456789")
        assert list(each.values()) == sorted(each.values(), reverse=True)
        assert sum(each.values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(Image.new("L", (28, 28)), id="blank"),
        pytest.param(Image.new("L", (28, 28), 255), id="white"),
        pytest.param(Image.new("RGB", (1, 1), (9, 9, 9)), id="one-pixel"),
        pytest.param(Image.new("RGBA", (700, 3), (0, 0, 0, 0)), id="long-and-transparent"),
    ],
)
def test_what_shows_no_digit_has_an_answer_all_the_same(picture: Image.Image, published: Published) -> None:
    (answer,) = published.predict([{"image": file_of(picture)}])
    assert answer["label"] in STROKES or answer["label"] in "0123456789"
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_white_ink_on_nothing_is_read_too(published: Published) -> None:
    ink = drawn("7")
    assert labels(published, file_of(Image.merge("LA", (Image.new("L", ink.size, 255), ink)))) == ["7"]


def test_a_batch_of_64_is_answered_row_by_row(published: Published) -> None:
    digits = [list(STROKES)[place % 4] for place in range(64)]
    assert labels(published, *(file_of(drawn(digit, 20 + place)) for place, digit in enumerate(digits))) == digits


@pytest.mark.parametrize(
    ("file", "saying"),
    [
        pytest.param(b"", "image 1 of the batch is empty or missing", id="zero-bytes"),
        pytest.param(b"seven", "image 1 of the batch is not a JPEG, PNG, GIF or BMP file", id="no-image"),
        pytest.param(file_of(drawn("7", 200), "JPEG")[:300], "JPEG", id="cut-off"),
    ],
)
def test_what_is_no_image_is_a_400_that_says_so(file: bytes, saying: str, published: Published) -> None:
    answer = published.post("predict", instances(file_of(drawn("7")), file))
    assert answer.status_code == 400
    assert saying in answer.text
    with pytest.raises(BadRequest, match=saying):
        published.grpc.classify(USE_CASE, [{"image": file_of(drawn("7"))}, {"image": file}], signature="classify")


@pytest.mark.parametrize(
    ("body", "saying"),
    [
        pytest.param({"signature_name": "predict", "instances": [{}]}, "image", id="no-column"),
        pytest.param({"signature_name": "predict_images", "instances": [[[255.0] * 28] * 28]}, "divide 0..255 by 255", id="not-scaled"),
        pytest.param({"signature_name": "predict_images", "instances": [[[0.0] * 14] * 14] * 4}, "[?,28,28]", id="other-size"),
    ],
)
def test_a_request_that_does_not_fit_is_a_400_that_says_why(body: Any, saying: str, published: Published) -> None:
    answer = published.post("predict", body)
    assert answer.status_code == 400
    assert saying in answer.text


def test_an_example_without_an_image_is_told(published: Published) -> None:
    for client in (published.rest, published.grpc):
        with pytest.raises(BadRequest, match="image 0 of the batch is empty or missing"):
            client.classify(USE_CASE, [{}], signature="classify")


def test_a_model_on_shuffled_labels_is_refused(tmp_path: Path) -> None:
    data = shuffled(get_use_case(USE_CASE).source(), tmp_path / "data", most=40)
    assert "accuracy" in refused(USE_CASE, data, tmp_path / "state", "--set", "budgets.smoke.epochs=4")
