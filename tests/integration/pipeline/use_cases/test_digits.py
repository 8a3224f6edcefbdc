"""The digits preprocessing on golden rows, through Beam as in a run, and the models that configuration offers."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.digits.features import CLASSES, LABEL, PIXELS, SHAPE
from tests.integration.pipeline.use_cases.analysed import transformed

USE_CASE = get_use_case("digits")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the golden rows become, with the labels 0 to 9 and then none."""
    labels = [*CLASSES, None, None, None]
    rows = [{**row, "label": label, "name": "x"} for row, label in zip(USE_CASE.golden_rows(), labels, strict=True)]
    return transformed(USE_CASE, rows[: len(CLASSES)], rows, tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="module")
def pictures(outputs):
    from pipeline.training.images import Unpacked

    return np.asarray(Unpacked(SHAPE)(np.stack([output[PIXELS] for output in outputs])))[..., 0]


def test_nothing_but_pixels_and_label_comes_out(outputs):
    assert {frozenset(output) for output in outputs} == {frozenset({PIXELS, LABEL})}
    assert {(output[PIXELS].shape, output[PIXELS].dtype.name) for output in outputs} == {((98,), "int64")}


def test_a_label_is_its_classes_number(outputs):
    assert [int(output[LABEL]) for output in outputs[: len(CLASSES)]] == list(range(10))


def test_the_clean_seven_is_the_same_in_every_form(pictures):
    first = pictures[0]
    assert first.max() == 1.0
    # RGB, GIF, both transparent ones; then the JPEG, larger and rounded.
    for place in (4, 5, 6, 7):
        np.testing.assert_allclose(pictures[place], first, atol=0.02)
    assert np.corrcoef(pictures[1].ravel(), first.ravel())[0, 1] > 0.75


def test_blank_and_white_stay_what_they_are(pictures):
    assert (pictures[9] == 0).all()
    assert (pictures[10] == 1).all()


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("shift", [0.0, 0.12])
def test_a_model_gives_ten_probabilities_and_the_same_ones_each_time(model, shift, outputs):
    built = USE_CASE.load(USE_CASE.build_model_name)({**USE_CASE.hparams, "model": model, "shift": shift})
    pixels = {PIXELS: np.stack([output[PIXELS] for output in outputs])}
    answers = np.asarray(built(pixels, training=False))
    assert answers.shape == (len(outputs), 10)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(built(pixels, training=False), answers)
    assert built.count_params() < 400_000


def test_images_are_moved_while_training_only(outputs):
    pixels = {PIXELS: outputs[0][PIXELS][np.newaxis]}
    # Dropout is not what makes the difference: without shifts there is no other.
    still = USE_CASE.load(USE_CASE.build_model_name)({**USE_CASE.hparams, "shift": 0.0, "dropout": 0.0})
    np.testing.assert_allclose(still(pixels, training=True), still(pixels, training=False), atol=1e-6)
    moved = USE_CASE.load(USE_CASE.build_model_name)({**USE_CASE.hparams, "dropout": 0.0})
    assert not np.allclose(moved(pixels, training=True), moved(pixels, training=False), atol=1e-4)


def test_every_corner_of_the_search_can_be_built():
    class Corner:
        def __init__(self, end):
            self.end = end

        def Choice(self, _, values):  # noqa: N802 - keras_tuner's name
            return values[self.end]

        def Float(self, _, low, high, *, sampling):  # noqa: N802 - keras_tuner's name
            assert sampling == "log"
            return (low, high)[self.end]

    space, build = USE_CASE.load(USE_CASE.search_space_name), USE_CASE.load(USE_CASE.build_model_name)
    found = [space(Corner(end), USE_CASE.hparams) for end in (0, -1)]
    assert [values["model"] for values in found] == ["mlp", "cnn"]
    assert {len(build(values).outputs) for values in found} == {1}
