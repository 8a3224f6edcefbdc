"""Builds a model that takes long to load and little to run: `python -m benchmarks.swap.models FOLDER`.

Writes `FOLDER/wide/1/` and `FOLDER/wide.json`, like benchmarks.serve.models.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import tensorflow as tf

from benchmarks.serve.case import write
from benchmarks.serve.models import SERVING_DEFAULT, Network, answered

COLUMNS = 16


def main() -> None:
    """Dense layers with 2.6 million weights, 10 MB."""
    folder = Path(sys.argv[1])
    keras.utils.set_random_seed(7)
    wide = [keras.layers.Dense(width, activation="relu") for width in (512, 1024, 1024, 1024)]
    module = Network(keras.Sequential([keras.Input((COLUMNS,)), *wide, keras.layers.Dense(1, activation="sigmoid")]))
    function = tf.function(module.call, autograph=False).get_concrete_function(tf.TensorSpec([None, COLUMNS], tf.float32, name="image"))
    tf.saved_model.save(module, str(folder / "wide" / "1"), signatures={SERVING_DEFAULT: function})
    write(answered("wide", folder / "wide", SERVING_DEFAULT, {"image": [0.5] * COLUMNS}), folder / "wide.json")


if __name__ == "__main__":
    main()
