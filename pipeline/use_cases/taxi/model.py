"""The taxi model: a small dense net over scaled numbers and one-hot categories (Keras 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from pipeline.use_cases.taxi.features import LABEL, NUMERIC, numeric_width, one_hot_depths


def build_model(hparams: Mapping[str, Any]) -> keras.Model:
    """A compiled model.

    Args:
        hparams: ``hidden_units`` (list of int), ``learning_rate``, ``dropout``.

    Returns:
        From ``{"numeric": float32 [batch, 7], <category>: int64 [batch]}`` to the probability of a big tip, float32 [batch, 1].
    """
    numeric = keras.Input((numeric_width(),), name=NUMERIC, dtype="float32")
    inputs, parts = {NUMERIC: numeric}, [numeric]
    for name, depth in one_hot_depths().items():
        inputs[name] = keras.Input((), name=name, dtype="int64")
        parts.append(keras.layers.CategoryEncoding(num_tokens=depth, output_mode="one_hot")(inputs[name]))
    hidden = keras.layers.Concatenate()(parts)
    for units in hparams["hidden_units"]:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
        hidden = keras.layers.Dropout(hparams["dropout"])(hidden)
    output = keras.layers.Dense(1, activation="sigmoid", name=LABEL)(hidden)
    model = keras.Model(inputs, output)
    model.compile(
        optimizer=keras.optimizers.Adam(hparams["learning_rate"]),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.AUC(name="auc")],
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
        "hidden_units": [parameters.Choice("units", [32, 64, 128]), *hparams["hidden_units"][1:]],
        "learning_rate": parameters.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
        "dropout": parameters.Choice("dropout", [0.0, 0.1, 0.2]),
    }
