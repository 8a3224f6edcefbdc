"""Builds the served models: `python -m benchmarks.serve.models half_plus_two|taxi|cnn FOLDER [STORE]`.

Writes `FOLDER/<name>/1/` (the SavedModel) and `FOLDER/<name>.json` (the case). Runs as a child, so that the one who measures never holds
TensorFlow. STORE is where `sluiceway run taxi` published.
"""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.serve.case import Case, Column, write

SERVING_DEFAULT = "serving_default"
IMAGE = (96, 96, 3)


class Linear(tf.Module):  # type: ignore[misc] # tensorflow has no types
    """TF Serving's half_plus_two: y = x / 2 + 2."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = tf.Variable(0.5), tf.Variable(2.0)

    def call(self, x: Any) -> dict[str, Any]:
        return {"y": self.a * x + self.b}


class Network(tf.Module):  # type: ignore[misc] # tensorflow has no types
    """A Keras model whose variables are saved once (pipeline/training/export.py says why the model itself is not tracked)."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.weights = [variable.value for variable in model.variables]
        self._untracked = lambda image: model(image, training=False)

    def call(self, image: Any) -> dict[str, Any]:
        return {"scores": self._untracked(image)}


def half_plus_two(target: Path, _: Path | None) -> tuple[str, dict[str, Any]]:
    """One multiplication: what is measured is the server."""
    _save(Linear(), tf.TensorSpec([None], tf.float32, name="x"), target)
    return SERVING_DEFAULT, {"x": 1.0}


def cnn(target: Path, _: Path | None) -> tuple[str, dict[str, Any]]:
    """Four convolutions and two dense layers, 2.8 million weights (11 MB), untrained; an image is 170 kB of JSON."""
    import keras

    keras.utils.set_random_seed(7)
    layers: list[Any] = [keras.Input(IMAGE)]
    layers += [keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu") for filters in (32, 64, 128, 256)]
    layers += [keras.layers.Flatten(), keras.layers.Dense(256, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    _save(Network(keras.Sequential(layers)), tf.TensorSpec([None, *IMAGE], tf.float32, name="image"), target)
    return SERVING_DEFAULT, {"image": np.random.default_rng(7).random(IMAGE).round(3).tolist()}


def taxi(target: Path, store: Path | None) -> tuple[str, dict[str, Any]]:
    """The published taxi model: 17 columns of numbers and words, vocabularies, one-hot, two small dense layers."""
    from pipeline.use_cases.taxi.evaluation import GOLDEN_ROWS
    from serving.rows import MISSING_INT

    if store is None:
        raise ValueError("taxi is copied out of a store; name it")
    versions = [path for path in (store / "taxi").iterdir() if path.name.isdigit()]
    copytree(max(versions, key=lambda path: int(path.name)), target)
    return "predict", {name: MISSING_INT if value is None else value for name, value in GOLDEN_ROWS[0].items()}


BUILDERS = {"half_plus_two": half_plus_two, "taxi": taxi, "cnn": cnn}


def _save(module: Any, spec: Any, target: Path) -> None:
    function = tf.function(module.call, autograph=False).get_concrete_function(spec)
    tf.saved_model.save(module, str(target), signatures={SERVING_DEFAULT: function})


def answered(name: str, base: Path, signature: str, example: dict[str, Any]) -> Case:
    """The case: columns as the loaded signature declares them, and what it answers in this process."""
    function = tf.saved_model.load(str(base / "1")).signatures[signature]
    specs = function.structured_input_signature[1]
    columns = tuple(Column(column, spec.dtype.name, tuple(spec.shape[1:])) for column, spec in sorted(specs.items()))
    outputs = function(**{column: tf.constant([example[column]], specs[column].dtype) for column in specs})
    values = {output: tensor.numpy()[:1].tolist()[0] for output, tensor in outputs.items()}
    expected = {output: value.decode() if isinstance(value, bytes) else value for output, value in values.items()}
    return Case(name, str(base), signature, columns, {column: example[column] for column in sorted(specs)}, expected)


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    store = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    signature, example = BUILDERS[name](folder / name / "1", store)
    write(answered(name, folder / name, signature, example), folder / f"{name}.json")


if __name__ == "__main__":
    main()
