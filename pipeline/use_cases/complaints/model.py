"""The complaints model: an encoded narrative beside one-hot categories, and a small dense net over both (Keras 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from pipeline.use_cases.complaints.features import LABEL, NARRATIVE, NGRAM_VOCABULARY, NGRAMS, depth, max_ngrams, one_hot_depths


def build_model(hparams: Mapping[str, Any]) -> keras.Model:
    """A compiled model.

    Args:
        hparams: ``encoder`` (``words``: a mean of learnt vectors of words and pairs; ``hub``: a frozen sentence encoder), ``hub_handle``
            (where that is), ``embedding`` (length of a learnt vector), ``hidden_units`` (list of int), ``learning_rate``, ``dropout``.

    Returns:
        From ``{"narrative": string [batch], "narrative_ngrams": int64 [batch, 399], <category>_number: int64 [batch]}`` to the probability
        of a dispute, float32 [batch, 1].

    Raises:
        ConfigError: the encoder cannot be had here.
    """
    inputs = {NARRATIVE: keras.Input((), name=NARRATIVE, dtype="string"), NGRAMS: keras.Input((max_ngrams(),), name=NGRAMS, dtype="int64")}
    parts = [_encoder(hparams)(dict(inputs))]
    for name, values in one_hot_depths().items():
        inputs[name] = keras.Input((), name=name, dtype="int64")
        parts.append(keras.layers.CategoryEncoding(num_tokens=values, output_mode="one_hot")(inputs[name]))
    hidden = keras.layers.Dropout(hparams["dropout"])(keras.layers.Concatenate()(parts))
    for units in hparams["hidden_units"]:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
        hidden = keras.layers.Dropout(hparams["dropout"])(hidden)
    output = keras.layers.Dense(1, activation="sigmoid", name=LABEL)(hidden)
    model = keras.Model(inputs, output)
    model.compile(
        optimizer=keras.optimizers.Adam(hparams["learning_rate"]),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.AUC(name="auc")],
        # XLA knows no texts, and the narrative is one.
        jit_compile=False,
    )
    return model


def search_space(parameters: Any, hparams: Mapping[str, Any]) -> dict[str, Any]:
    """What the Tuner may vary, around the configured values: every corner of it trains to a model worth judging.

    Args:
        parameters: ``keras_tuner.HyperParameters``.
        hparams: the configured values; those not searched stay as they are, the encoder among them.
    """
    return {
        **hparams,
        "embedding": parameters.Choice("embedding", [8, 16, 32]),
        "learning_rate": parameters.Float("learning_rate", 5e-3, 2e-2, sampling="log"),
        "dropout": parameters.Choice("dropout", [0.2, 0.3, 0.4]),
    }


class MeanOfWords(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """A narrative in both its forms to the mean of the learnt vectors of its words and pairs, float32 [batch, width]; of none, zeros."""

    def __init__(self, width: int, **more: Any) -> None:
        super().__init__(**more)
        self.vectors = keras.layers.Embedding(depth(NGRAM_VOCABULARY), width)

    def call(self, narrative: Mapping[str, Any]) -> Any:
        """Look up, and leave out what is only padding."""
        ngrams = narrative[NGRAMS]
        there = keras.ops.cast(keras.ops.not_equal(ngrams, 0), "float32")[:, :, None]
        # Not a pooling layer with a mask: that one divides by the number of words, and some narratives have none.
        return keras.ops.sum(self.vectors(ngrams) * there, axis=1) / keras.ops.maximum(keras.ops.sum(there, axis=1), 1.0)


def _encoder(hparams: Mapping[str, Any]) -> keras.layers.Layer:
    """What makes one vector [batch, width] of a narrative. It is given both forms: Keras wants every feature to be read by some layer."""
    if hparams["encoder"] == "words":
        return MeanOfWords(hparams["embedding"], name="mean_of_words")
    # Here and not above: most models need no encoder.
    from pipeline.use_cases.complaints.encoder import SentenceEncoder

    return SentenceEncoder(hparams["hub_handle"], name="sentence_encoder")
