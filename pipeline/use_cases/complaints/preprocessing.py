"""From raw complaint columns to model features, with TensorFlow Transform: the same graph trains and serves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.use_cases.complaints.features import (
    CATEGORIES,
    DISPUTED,
    LABEL,
    MAX_WORDS,
    NARRATIVE,
    NGRAM_FREQUENCY,
    NGRAM_VOCABULARY,
    NGRAMS,
    RAW_LABEL,
    ZIP_CODE,
    ZIP_DIGITS,
    ZIP_PREFIX,
    max_ngrams,
    numbered,
)


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """TFT's entry point.

    Args:
        inputs: each raw column as a sparse tensor [batch, 0..1]; a missing value has no entry.

    Returns:
        ``narrative`` string [batch], for an encoder that reads text; ``narrative_ngrams`` int64 [batch, 399]; one int64 [batch] for
        each categorical column; the label float32 [batch].
    """
    narrative = _dense(inputs[NARRATIVE])
    outputs = {NARRATIVE: narrative, NGRAMS: _numbered(_ngrams(narrative)).to_tensor(0, shape=[None, max_ngrams()])}
    for name, size in CATEGORIES.items():
        words = _zip_prefix(_dense(inputs[ZIP_CODE])) if name == ZIP_PREFIX else _plain(_dense(inputs[name]))
        known = tft.compute_and_apply_vocabulary(words, top_k=size, default_value=-1, vocab_filename=name)
        number = tf.where(known < 0, tf.constant(size + 1, tf.int64), known + 1)
        outputs[numbered(name)] = tf.where(tf.equal(words, ""), tf.zeros_like(number), number)
    outputs[LABEL] = tf.cast(tf.equal(_plain(_dense(inputs[RAW_LABEL])), DISPUTED), tf.float32)
    return outputs


def _ngrams(text: tf.Tensor) -> tf.RaggedTensor:
    """Text [batch] as its single words and pairs of neighbours, string [batch, 0..399]: letters and digits of any script, in lower case."""
    # RE2 reads invalid UTF-8 as no letter, so such bytes part words and break nothing.
    letters = tf.strings.regex_replace(tf.strings.lower(text, encoding="utf-8"), r"[^\pL\pM\pN']+", " ")
    words = tf.strings.split(letters)[:, :MAX_WORDS]
    return tf.strings.ngrams(words, ngram_width=(1, 2), separator=" ")


def _numbered(ngrams: tf.RaggedTensor) -> tf.RaggedTensor:
    """N-grams as numbers: 1 is the most frequent, one more than the vocabulary's size is what was never seen; 0 is kept for nothing."""
    known = tft.compute_and_apply_vocabulary(
        ngrams, top_k=NGRAM_VOCABULARY, frequency_threshold=NGRAM_FREQUENCY, default_value=-1, vocab_filename=NGRAMS
    )
    numbers = tf.where(known.flat_values < 0, tf.constant(NGRAM_VOCABULARY + 1, tf.int64), known.flat_values + 1)
    return known.with_flat_values(numbers)


def _zip_prefix(codes: tf.Tensor) -> tf.Tensor:
    """ZIP codes [batch] as their first three digits; a code that does not begin with three digits tells no more than a missing one."""
    codes = tf.strings.strip(codes)
    # Not a group of the pattern: TensorFlow writes \1 for a group, and the rest of a match must be a text as well.
    fits = tf.strings.regex_full_match(codes, rf"[0-9]{{{ZIP_DIGITS}}}(?s:.*)")
    return tf.where(fits, tf.strings.substr(codes, 0, ZIP_DIGITS), tf.fill(tf.shape(codes), ""))


def _plain(words: tf.Tensor) -> tf.Tensor:
    """Words [batch] without the differences that mean nothing: case and blanks around them."""
    return tf.strings.strip(tf.strings.lower(words, encoding="utf-8"))


def _dense(column: Any) -> tf.Tensor:
    """A sparse column [batch, 0..1] as a dense one [batch]; nothing is the empty text."""
    shaped = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    return tf.squeeze(tf.sparse.to_dense(shaped, ""), axis=1)
