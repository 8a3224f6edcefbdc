"""The chopsticks models: a linear one and a small net over a length and a person (Keras 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from pipeline.use_cases.chopsticks.features import CLASSES, INDIVIDUAL, INDIVIDUALS, LABEL, LENGTH, MODELS

# How many numbers the net keeps of a person.
_TRAITS = 3


def build_model(hparams: Mapping[str, Any]) -> keras.Model:
    """A compiled model.

    What is known of a person starts at zero and is held near it by ``shrinkage``: who was tried seldom counts little, and who was
    never seen is the average person.

    Args:
        hparams: ``model`` (``linear`` or ``net``), ``hidden_units`` (list of int, of the net), ``learning_rate``, ``shrinkage``.

    Returns:
        From ``{"length": float32 [batch, 2], "individual": int64 [batch]}`` to the probabilities of poor, fair and good,
        float32 [batch, 3].
    """
    length = keras.Input((2,), name=LENGTH, dtype="float32")
    individual = keras.Input((), name=INDIVIDUAL, dtype="int64")
    if hparams["model"] == "linear":
        # These numbers are the logits themselves, with no layer after them to make them larger.
        person = _person(individual, CLASSES, hparams["shrinkage"] / 5)
        logits = keras.layers.Add()([keras.layers.Dense(CLASSES)(length), person])
    else:
        hidden = keras.layers.Concatenate()([length, _person(individual, _TRAITS, hparams["shrinkage"])])
        for units in hparams["hidden_units"]:
            hidden = keras.layers.Dense(units, activation="relu", kernel_regularizer=keras.regularizers.L2(hparams["shrinkage"]))(hidden)
        logits = keras.layers.Dense(CLASSES)(hidden)
    model = keras.Model({LENGTH: length, INDIVIDUAL: individual}, keras.layers.Softmax(name=LABEL)(logits))
    model.compile(
        optimizer=keras.optimizers.Adam(hparams["learning_rate"]),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
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
        "learning_rate": parameters.Float("learning_rate", 5e-3, 2e-2, sampling="log"),
        "shrinkage": parameters.Float("shrinkage", 5e-3, 2e-2, sampling="log"),
    }


def _person(individual: Any, width: int, shrinkage: float) -> Any:
    """[batch] places to [batch, width] numbers; the place of whoever was never seen is never trained and stays zero."""
    embedding = keras.layers.Embedding(
        INDIVIDUALS + 1, width, embeddings_initializer="zeros", embeddings_regularizer=keras.regularizers.L2(shrinkage)
    )
    return embedding(individual)
