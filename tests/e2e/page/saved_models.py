"""Builds what the page's tests ask, without a pipeline, in a process of their own: TensorFlow's warnings and memory stay there.

leaves/1, leaves/2   a picture's mean colour decides among three kinds; the second sees yellow where the first sees green
trips/1, trips/2     columns of every kind that a form has; the second answers with higher probabilities
tips/1, tips/2       the probability of the second of two classes beside a label, and a classify that has both
sticks/1             probabilities without names, and a classify that has them, from columns that may be missing
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("cbsd", "cmd", "healthy")
GRADES = ("poor", "good", "fair")
# Brown, yellow, green; [kinds, channels].
COLOURS = ((0.45, 0.25, 0.1), (0.85, 0.8, 0.2), (0.2, 0.6, 0.2))
# By version: how sure, and what each kind gets on top.
VERSIONS = {1: (6.0, (0.0, 0.0, 0.0)), 2: (3.0, (0.0, 3.5, 0.0))}


def build(root: Path) -> None:
    """A SavedModel at root/<model>/<version> for each of them."""
    environment = os.environ | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, "-W", "ignore", __file__, str(root)], check=True, env=environment, capture_output=True)


def _leaves(sure: float, more: tuple[float, ...]) -> tuple[Any, dict[str, Any]]:
    import tensorflow as tf

    def predicted(image: Any) -> Any:
        def mean(content: Any) -> Any:
            decoded = tf.io.decode_image(content, channels=3, expand_animations=False)
            return tf.reduce_mean(tf.cast(decoded, tf.float32) / 255.0, axis=[0, 1])

        colours = tf.map_fn(mean, image, fn_output_signature=tf.float32)
        distances = tf.norm(colours[:, tf.newaxis, :] - tf.constant(COLOURS), axis=2)
        return tf.nn.softmax(tf.constant(more) - sure * distances)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image")])
    def predict(image: Any) -> dict[str, Any]:
        scores = predicted(image)
        label = tf.gather(tf.constant(KINDS), tf.argmax(scores, axis=1))
        return {"label": label, "probabilities": scores, "probability": tf.reduce_max(scores, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: Any) -> dict[str, Any]:
        image = tf.io.parse_example(inputs, {"image": tf.io.FixedLenFeature([], tf.string)})["image"]
        scores, places = tf.math.top_k(predicted(image), k=len(KINDS))
        return {"classes": tf.gather(tf.constant(KINDS), places), "scores": scores}

    return tf.Module(), {"predict": predict, "classify": classify}


def _trips(sure: float, more: tuple[float, ...]) -> tuple[Any, dict[str, Any]]:
    import tensorflow as tf

    columns = {
        "fare": tf.TensorSpec([None], tf.float32, "fare"),
        "payment_type": tf.TensorSpec([None], tf.string, "payment_type"),
        "shared": tf.TensorSpec([None], tf.bool, "shared"),
        "speeds": tf.TensorSpec([None, 3], tf.float32, "speeds"),
        "trip_start_hour": tf.TensorSpec([None], tf.int64, "trip_start_hour"),
    }

    @tf.function
    def predict(**given: Any) -> dict[str, Any]:
        fare = tf.where(tf.math.is_nan(given["fare"]), 0.0, given["fare"])
        cash = tf.cast(tf.equal(given["payment_type"], "Cash"), tf.float32)
        high = tf.sigmoid((fare - 10.0) / sure - 2.0 * cash + more[1])
        label = tf.where(high > 0.5, "big_tip", "small_tip")
        return {
            "label": label,
            "probability": high,
            "known_fare": tf.logical_not(tf.math.is_nan(given["fare"])),
            "fare_seen": given["fare"],
        }

    return tf.Module(), {"predict": predict.get_concrete_function(**columns)}


def _tips(sure: float, more: tuple[float, ...]) -> tuple[Any, dict[str, Any]]:
    import tensorflow as tf

    def high(fare: Any) -> Any:
        return tf.sigmoid((fare - 10.0) / sure + more[1])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "fare"), tf.TensorSpec([None, 2], tf.float32, "place")])
    def predict(fare: Any, place: Any) -> dict[str, Any]:
        return {"label": tf.where(high(fare) > 0.5, "big_tip", "small_tip"), "probability": high(fare), "place_seen": place}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: Any) -> dict[str, Any]:
        columns = {"fare": tf.io.FixedLenFeature([], tf.float32), "place": tf.io.FixedLenFeature([2], tf.float32)}
        found = high(tf.io.parse_example(inputs, columns)["fare"])
        names = tf.tile(tf.constant([["small_tip", "big_tip"]]), [tf.shape(found)[0], 1])
        return {"classes": names, "scores": tf.stack([1.0 - found, found], axis=1)}

    return tf.Module(), {"predict": predict, "classify": classify}


def _sticks() -> tuple[Any, dict[str, Any]]:
    import tensorflow as tf

    def scores(length: Any) -> Any:
        return tf.nn.softmax(tf.stack([length, 2.0 * length, tf.zeros_like(length)], axis=1) / 10.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "length"), tf.TensorSpec([None], tf.int64, "hand")])
    def predict(length: Any, hand: Any) -> dict[str, Any]:
        found = scores(length)
        label = tf.gather(tf.constant(GRADES), tf.argmax(found, axis=1))
        return {"label": label, "probabilities": found, "probability": tf.reduce_max(found, axis=1), "hand_seen": hand}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: Any) -> dict[str, Any]:
        columns = {"length": tf.io.FixedLenFeature([], tf.float32), "hand": tf.io.VarLenFeature(tf.int64)}
        best, places = tf.math.top_k(scores(tf.io.parse_example(inputs, columns)["length"]), k=len(GRADES))
        return {"classes": tf.gather(tf.constant(GRADES), places), "scores": best}

    return tf.Module(), {"predict": predict, "classify": classify}


def _build_all(root: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    def save(folder: Path, module: Any, signatures: dict[str, Any]) -> None:
        module.kept = list(signatures.values())
        tf.saved_model.save(module, str(folder), signatures=signatures)
        path = folder / "saved_model.pb"
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        # TensorFlow 2 writes predict's method for every signature.
        for graph in saved.meta_graphs:
            if "classify" in graph.signature_def:
                graph.signature_def["classify"].method_name = "tensorflow/serving/classify"
        path.write_bytes(saved.SerializeToString(deterministic=True))

    for version, given in VERSIONS.items():
        save(root / "leaves" / str(version), *_leaves(*given))
        save(root / "trips" / str(version), *_trips(*given))
        save(root / "tips" / str(version), *_tips(*given))
    save(root / "sticks" / "1", *_sticks())


if __name__ == "__main__":
    _build_all(Path(sys.argv[1]))
