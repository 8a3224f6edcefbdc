"""The leaves preprocessing on golden rows, through Beam as in a run, and the models that configuration offers."""

from __future__ import annotations

import numpy as np
import pytest

from configs.errors import ConfigError
from pipeline.use_cases.base import get_use_case
from pipeline.use_cases.leaves.features import CLASSES, LABEL, PIXELS, SHAPE
from tests.integration.pipeline.use_cases.analysed import transformed

USE_CASE = get_use_case("leaves")
MOBILENET = {**USE_CASE.hparams, "model": "mobilenet"}


def build(hparams):
    return USE_CASE.load(USE_CASE.build_model_name)(hparams)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the golden rows become; the first five are of the five kinds."""
    golden = USE_CASE.golden_rows()
    labels = [*CLASSES, *[None] * (len(golden) - len(CLASSES))]
    rows = [{**row, "label": label, "name": "x"} for row, label in zip(golden, labels, strict=True)]
    return transformed(USE_CASE, rows[: len(CLASSES)], rows, tmp_path_factory.mktemp("transform"))


def pixels_of(outputs):
    return {PIXELS: np.stack([output[PIXELS] for output in outputs])}


def test_nothing_but_pixels_and_label_comes_out(outputs):
    assert {frozenset(output) for output in outputs} == {frozenset({PIXELS, LABEL})}
    assert {(output[PIXELS].shape, output[PIXELS].dtype.name) for output in outputs} == {((3456,), "int64")}


def test_a_label_is_kaggles_number(outputs):
    assert [int(output[LABEL]) for output in outputs[: len(CLASSES)]] == [0, 1, 2, 3, 4]


def test_the_same_leaf_is_nearly_the_same_in_every_form(outputs):
    from pipeline.training.images import Unpacked

    pictures = np.asarray(Unpacked(SHAPE)(pixels_of(outputs)[PIXELS]))
    healthy = pictures[4]
    # PNG, RGBA, palette, CMYK and the larger JPEG.
    for place in (5, 7, 8, 9, 11):
        assert np.abs(pictures[place] - healthy).mean() < 0.04, place
    grey = pictures[6]
    np.testing.assert_allclose(grey[..., 0], grey[..., 2], atol=1e-6)


def test_the_cnn_gives_five_probabilities_and_the_same_ones_each_time(outputs):
    built = build(dict(USE_CASE.hparams))
    answers = np.asarray(built(pixels_of(outputs), training=False))
    assert answers.shape == (len(outputs), 5)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(built(pixels_of(outputs), training=False), answers)


def test_mobilenet_without_weights_learns_all_of_itself_and_with_them_only_its_head(outputs, tmp_path):
    import keras

    path = tmp_path / "mobilenet.weights.h5"
    keras.applications.MobileNetV3Small(input_shape=SHAPE, include_top=False, pooling="avg", weights=None).save_weights(path)
    fresh, given = build(MOBILENET), build({**MOBILENET, "weights": str(path)})
    assert len(fresh.trainable_variables) > 100
    assert len(given.trainable_variables) == 4
    assert np.asarray(given(pixels_of(outputs), training=False)).shape == (len(outputs), 5)


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"weights": "imagenet"}, "^hparams.weights: 'imagenet' is for hparams.model=mobilenet; the cnn begins with none$"),
        ({"model": "mobilenet", "weights": "/nowhere.h5"}, "^hparams.weights: there is no file '/nowhere.h5'; allowed: imagenet, none, or"),
    ],
)
def test_what_cannot_be_built_is_one_line(changed, saying):
    with pytest.raises(ConfigError, match=saying):
        build({**USE_CASE.hparams, **changed})


def test_weights_that_cannot_be_downloaded_are_one_line_with_the_way_out(monkeypatch):
    import keras

    def load(**_):
        raise Exception("URL fetch failure on\nhttps://storage: None")

    monkeypatch.setattr(keras.applications, "MobileNetV3Small", load)
    with pytest.raises(ConfigError) as caught:
        build({**MOBILENET, "weights": "imagenet"})
    assert str(caught.value) == (
        "hparams.weights: 'imagenet' cannot be had: URL fetch failure on https://storage: None; give the path of a weights file,"
        " or none to begin without"
    )


def test_a_file_that_holds_no_weights_is_one_line(tmp_path):
    path = tmp_path / "some.weights.h5"
    path.write_text("no weights")
    with pytest.raises(ConfigError, match=r"cannot be had: .*give the path of a weights file"):
        build({**MOBILENET, "weights": str(path)})
