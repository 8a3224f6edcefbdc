"""Which weights the leaves models begin with: what can be said of that without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from configs.errors import ConfigError
from configs.paths import expanded

# Weights of a MobileNetV3 that come from nowhere, or from Keras' own download.
NO_WEIGHTS, IMAGENET = "none", "imagenet"


def check(hparams: Mapping[str, Any]) -> None:
    """Whether the model can have the weights; whether imagenet's can be downloaded shows only then.

    Raises:
        ConfigError: it cannot.
    """
    weights = hparams["weights"]
    if hparams["model"] == "cnn" and weights != NO_WEIGHTS:
        raise ConfigError(f"hparams.weights: {weights!r} is for hparams.model=mobilenet; the cnn begins with {NO_WEIGHTS}")
    if weights not in {NO_WEIGHTS, IMAGENET} and not (weights and expanded(weights).is_file()):
        allowed = f"{IMAGENET}, {NO_WEIGHTS}, or the path of a weights file"
        raise ConfigError(f"hparams.weights: there is no file {weights!r}; allowed: {allowed}")
