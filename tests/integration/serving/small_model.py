"""Builds the small SavedModels of the serving tests, in a process of their own: TensorFlow's warnings and memory stay there."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAMES = ("plain", "doubled", "keras", "failing_warmup")
# plain: y = 2 x + n; k comes back. doubled: y = 4 x + n.


@functools.cache
def saved_models() -> Path:
    """A directory with one SavedModel per name. Built once per test run, removed at its end."""
    root = Path(tempfile.mkdtemp(prefix="sluiceway-test-models-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    environment = os.environ | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_USE_LEGACY_KERAS": "0",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    subprocess.run([sys.executable, "-W", "ignore", __file__, str(root)], check=True, env=environment, capture_output=True)
    return root


def saved_model(name: str) -> Path:
    """One of them. Tests that change it copy it first."""
    return saved_models() / name


def _small_module(vocabulary: Path, slope: float) -> Any:
    """A module with a variable, a table with an asset, and one function per signature."""
    import tensorflow as tf

    class Small(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = tf.Variable(slope)
            initializer = tf.lookup.TextFileInitializer(
                str(vocabulary), tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE
            )
            self.labels = tf.lookup.StaticHashTable(initializer, "?")

        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.float32, "x"),
                tf.TensorSpec([None], tf.int64, "n"),
                tf.TensorSpec([None], tf.string, "k"),
            ]
        )
        def columns(self, x: tf.Tensor, n: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": self.slope * x + tf.cast(n, tf.float32), "k": k, "count": n}

        def _parse(self, examples: tf.Tensor) -> tf.Tensor:
            return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
        def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            high = tf.sigmoid(self._parse(inputs))
            scores = tf.stack([1.0 - high, high], axis=1)
            numbers = tf.tile(tf.constant([[0, 1]], tf.int64), [tf.shape(scores)[0], 1])
            return {"scores": scores, "classes": self.labels.lookup(numbers)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
        def regress(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"outputs": self.slope * self._parse(inputs)}

    return Small()


def _build_all(root: Path) -> None:
    import tensorflow as tf

    vocabulary = root / "vocabulary.txt"
    vocabulary.write_text("low\nhigh\n", encoding="utf-8")

    def save(name: str, slope: float) -> None:
        module = _small_module(vocabulary, slope)
        classify, regress = module.classify.get_concrete_function(), module.regress.get_concrete_function()
        signatures = {"serving_default": module.columns.get_concrete_function(), "classify": classify, "regress": regress}
        tf.saved_model.save(module, str(root / name), signatures=signatures)

    save("plain", 2.0)
    save("doubled", 4.0)
    save("failing_warmup", 2.0)
    _write_warmup(root / "plain", "x")
    _write_warmup(root / "failing_warmup", "not_an_input")

    inputs = [tf.keras.Input((1,), name=name) for name in ("a", "b")]
    hidden = tf.keras.layers.Dense(3, activation="relu")(tf.keras.layers.Concatenate()(inputs))
    tf.keras.Model(inputs, tf.keras.layers.Dense(1)(hidden)).export(str(root / "keras"))


def _write_warmup(path: Path, first_input: str) -> None:
    import tensorflow as tf

    from serving.protocol import tensors
    from serving.protocol import wire_pb2 as wire

    request = wire.PredictRequest()
    for name, value, dtype in ((first_input, [1.0], "float32"), ("n", [1], "int64"), ("k", ["a"], "string")):
        request.inputs[name].CopyFrom(tensors.to_proto(value, dtype))
    (path / "assets.extra").mkdir()
    with tf.io.TFRecordWriter(str(path / "assets.extra" / "tf_serving_warmup_requests")) as writer:
        writer.write(wire.PredictionLog(predict_log=wire.PredictLog(request=request)).SerializeToString())


if __name__ == "__main__":
    _build_all(Path(sys.argv[1]))
