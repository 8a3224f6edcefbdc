"""The leaves models: a small convolutional net, and MobileNetV3 for transfer learning, by configuration (Keras 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from configs.errors import ConfigError
from configs.paths import expanded
from pipeline.training.images import Unpacked, packed_size
from pipeline.use_cases.leaves.features import CLASSES, LABEL, PIXELS, SHAPE
from pipeline.use_cases.leaves.weights import IMAGENET, NO_WEIGHTS, check


def build_model(hparams: Mapping[str, Any]) -> keras.Model:
    """A compiled model.

    Args:
        hparams: ``model`` (cnn or mobilenet), ``filters`` of the small net (list of int, each halves the picture), ``learning_rate``,
            ``dropout``, ``weights`` of MobileNetV3 (imagenet, none, or the path of a weights file; given ones stay as they are).

    Returns:
        From ``{"pixels": int64 [batch, 3456]}`` to the probabilities of the five kinds, float32 [batch, 5].

    Raises:
        ConfigError: its weights cannot be had.
    """
    check(hparams)
    inputs = {PIXELS: keras.Input((packed_size(*SHAPE),), name=PIXELS, dtype="int64")}
    # A leaf has no upside; this is done while training only.
    seen = keras.layers.RandomFlip("horizontal_and_vertical", seed=1)(Unpacked(SHAPE)(inputs[PIXELS]))
    hidden = _convolved(seen, hparams) if hparams["model"] == "cnn" else _mobilenet(seen, hparams["weights"])
    hidden = keras.layers.Dropout(hparams["dropout"])(keras.layers.Dense(64, activation="relu")(hidden))
    model = keras.Model(inputs, keras.layers.Dense(len(CLASSES), activation="softmax", name=LABEL)(hidden))
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
        "learning_rate": parameters.Float("learning_rate", 1e-3, 4e-3, sampling="log"),
        "dropout": parameters.Choice("dropout", [0.1, 0.2, 0.3]),
    }


def _convolved(pictures: Any, hparams: Mapping[str, Any]) -> Any:
    # Around zero, and with weights made for relu: else some beginnings stay at a guess for many epochs.
    hidden = keras.layers.Rescaling(2.0, -1.0)(pictures)
    for filters in hparams["filters"]:
        hidden = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu", kernel_initializer="he_normal")(hidden)
    # Marks count, not where they are.
    both = [keras.layers.GlobalAveragePooling2D()(hidden), keras.layers.GlobalMaxPooling2D()(hidden)]
    return keras.layers.Concatenate()(both)


def _mobilenet(pictures: Any, weights: str) -> Any:
    chosen = {NO_WEIGHTS: None, IMAGENET: IMAGENET}.get(weights, str(expanded(weights)))
    try:
        base = keras.applications.MobileNetV3Small(input_shape=SHAPE, include_top=False, pooling="avg", weights=chosen)
    except Exception as error:
        # Keras raises a plain Exception when it cannot download, and whatever HDF5 does for a file that is something else.
        why = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"hparams.weights: {weights!r} cannot be had: {why}; give the path of a weights file, or {NO_WEIGHTS} to begin without"
        ) from error
    base.trainable = chosen is None
    # It scales pictures of 0..255 itself; its batch norms keep what they were trained with.
    return base(keras.layers.Rescaling(255.0)(pictures), training=None if chosen is None else False)
