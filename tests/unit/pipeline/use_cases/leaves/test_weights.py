"""Weights that cannot be had are found before a run."""

from __future__ import annotations

import pytest

from configs.errors import ConfigError
from pipeline.use_cases.leaves.weights import check


@pytest.mark.parametrize(
    ("model", "weights", "line"),
    [
        ("cnn", "imagenet", "hparams.weights: 'imagenet' is for hparams.model=mobilenet; the cnn begins with none"),
        (
            "mobilenet",
            "/nowhere.h5",
            "hparams.weights: there is no file '/nowhere.h5'; allowed: imagenet, none, or the path of a weights file",
        ),
        ("mobilenet", "", "hparams.weights: there is no file ''; allowed: imagenet, none, or the path of a weights file"),
    ],
)
def test_weights_that_cannot_be_are_one_line(model, weights, line):
    with pytest.raises(ConfigError) as caught:
        check({"model": model, "weights": weights})
    assert str(caught.value) == line


def test_weights_that_may_be_are_let_through(tmp_path):
    (tmp_path / "a.weights.h5").touch()
    check({"model": "cnn", "weights": "none"})
    for weights in ("none", "imagenet", str(tmp_path / "a.weights.h5")):
        check({"model": "mobilenet", "weights": weights})
