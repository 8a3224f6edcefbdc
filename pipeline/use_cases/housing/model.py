"""The housing model: a small dense net over z-scores (Keras 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from pipeline.use_cases.housing.features import INPUTS, LABEL, NUMERIC


def build_model(hparams: Mapping[str, Any]) -> keras.Model:
    """A compiled model.

    Args:
        hparams: ``hidden_units`` (list of int), ``learning_rate``, ``l2`` (held against the hidden layers' weights).

    Returns:
        From ``{"numeric": float32 [batch, 12]}`` to the price in 1000 dollars, float32 [batch, 1].
    """
    numeric = keras.Input((len(INPUTS),), name=NUMERIC, dtype="float32")
    hidden = numeric
    for units in hparams["hidden_units"]:
        hidden = keras.layers.Dense(units, activation="relu", kernel_regularizer=keras.regularizers.L2(hparams["l2"]))(hidden)
    # Softplus: no home has a negative price, whatever is asked.
    output = keras.layers.Dense(1, activation="softplus", name=LABEL)(hidden)
    model = keras.Model({NUMERIC: numeric}, output)
    model.compile(
        optimizer=keras.optimizers.Adam(hparams["learning_rate"]),
        # Huber: the census wrote every price above 50 as 50, and those rows should not bend the rest.
        loss=keras.losses.Huber(delta=5.0),
        metrics=[keras.metrics.MeanAbsoluteError(name="mae")],
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
        "learning_rate": parameters.Float("learning_rate", 2e-3, 1e-2, sampling="log"),
        "l2": parameters.Choice("l2", [0.05, 0.1, 0.2]),
    }
