"""The digits models: a dense net and a small convolutional one, by configuration (Keras 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from pipeline.training.images import Unpacked, packed_size
from pipeline.use_cases.digits.features import CLASSES, LABEL, MODELS, PIXELS, SHAPE


def build_model(hparams: Mapping[str, Any]) -> keras.Model:
    """A compiled model.

    Args:
        hparams: ``model`` (mlp or cnn), ``hidden_units`` of the dense net, ``filters`` of the convolutional one (lists of int),
            ``learning_rate``, ``dropout``, ``shift`` (how far images are moved, turned and scaled while training, as a share).

    Returns:
        From ``{"pixels": int64 [batch, 98]}`` to the probabilities of the ten digits, float32 [batch, 10].
    """
    inputs = {PIXELS: keras.Input((packed_size(*SHAPE),), name=PIXELS, dtype="int64")}
    seen = Unpacked(SHAPE)(inputs[PIXELS])
    if hparams["shift"]:
        seen = _moved(seen, hparams["shift"])
    hidden = _dense(seen, hparams) if hparams["model"] == "mlp" else _convolved(seen, hparams)
    output = keras.layers.Dense(len(CLASSES), activation="softmax", name=LABEL)(hidden)
    model = keras.Model(inputs, output)
    model.compile(
        optimizer=keras.optimizers.Adam(hparams["learning_rate"]),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        # Compiling the step for this processor takes longer than a small model trains.
        jit_compile=False,
    )
    return model


def search_space(parameters: Any, hparams: Mapping[str, Any]) -> dict[str, Any]:
    """What the Tuner may vary, around the configured values: every corner of it trains to a model worth judging.

    Args:
        parameters: ``keras_tuner.HyperParameters``.
        hparams: the configured values; those not searched stay as they are.
    """
    return {
        **hparams,
        "model": parameters.Choice("model", list(MODELS)),
        "learning_rate": parameters.Float("learning_rate", 1e-3, 5e-3, sampling="log"),
        "dropout": parameters.Choice("dropout", [0.1, 0.2, 0.3]),
    }


def _moved(images: Any, share: float) -> Any:
    """Hands do not write in the middle, upright and at one size; this is done while training only."""
    images = keras.layers.RandomTranslation(share, share, fill_mode="constant", seed=1)(images)
    # A share of a full turn would be much: digits lean by some degrees.
    images = keras.layers.RandomRotation(share / 3, fill_mode="constant", seed=2)(images)
    return keras.layers.RandomZoom((-share, 2 * share), (-share, 2 * share), fill_mode="constant", seed=3)(images)


def _dense(images: Any, hparams: Mapping[str, Any]) -> Any:
    hidden = keras.layers.Flatten()(images)
    for units in hparams["hidden_units"]:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
        hidden = keras.layers.Dropout(hparams["dropout"])(hidden)
    return hidden


def _convolved(images: Any, hparams: Mapping[str, Any]) -> Any:
    hidden = images
    for filters in hparams["filters"]:
        hidden = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(hidden)
        hidden = keras.layers.MaxPooling2D()(hidden)
    hidden = keras.layers.Dropout(hparams["dropout"])(keras.layers.Flatten()(hidden))
    return keras.layers.Dense(64, activation="relu")(hidden)
