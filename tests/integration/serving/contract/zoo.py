"""Builds one SavedModel of every kind that a model server meets, in a process of their own: TensorFlow's warnings and memory stay there."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SAVED_MODEL, SHARD, INDEX = "saved_model.pb", "variables.data-00000-of-00001", "variables.index"
WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
# Every element type, by TensorFlow's name for it.
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = (*FLOATS, *INTEGERS, "bool", "string", "complex64", "complex128")


@functools.cache
def zoo() -> Path:
    """A directory with one SavedModel per name. Built once per test run, removed at its end."""
    root = Path(tempfile.mkdtemp(prefix="sluiceway-test-zoo-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    environment = os.environ | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_USE_LEGACY_KERAS": "0",  # TFX, imported by an earlier test of this process, sets it to 1
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }
    built = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, str(root)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if built.returncode:
        raise RuntimeError(f"the model zoo cannot be built:\n{built.stdout[-5000:]}")
    return root


def lay_out(base: Path, *animals: tuple[str, int, str]) -> Path:
    """A folder of models, each ``(model, version, name in the zoo)``."""
    for model, version, name in animals:
        shutil.copytree(zoo() / name, base / model / str(version))
    return base


def entry(base: Path, model: str, more: str = "") -> str:
    """One model of a model config file, its versions below ``base``; `more` is further text of the entry."""
    return f'config {{ name: "{model}" base_path: "{base / model}" model_platform: "tensorflow" {more} }}'


def config_text(*entries: str) -> str:
    """A model config file."""
    return "model_config_list {\n  " + "\n  ".join(entries) + "\n}\n"


# What follows runs in the child process.


def half_plus(path: Path, addend: float) -> None:
    """TensorFlow 1's way, as upstream's own test model: y = x / 2 + addend, y2 = x / 2 + 3, y3 = x2 / 2 + 3."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        half, b, c = (v1.get_variable(name, initializer=value) for name, value in (("a", 0.5), ("b", addend), ("c", 3.0)))
        serialized = v1.placeholder(tf.string, name="tf_example")
        columns = {"x": tf.io.FixedLenFeature([1], tf.float32), "x2": tf.io.FixedLenFeature([1], tf.float32, [0.0])}
        parsed = tf.io.parse_example(serialized, columns)
        x, x2 = (tf.identity(parsed[name], name=name) for name in ("x", "x2"))
        y, y2, y3 = (tf.add(tf.multiply(half, at), plus, name=name) for name, at, plus in (("y", x, b), ("y2", x, c), ("y3", x2, c)))
        session.run(v1.global_variables_initializer())
        build = v1.saved_model.signature_def_utils
        info = v1.saved_model.utils.build_tensor_info
        signatures = {
            "serving_default": build.predict_signature_def({"x": x}, {"y": y}),
            "regress_x_to_y": build.regression_signature_def(serialized, y),
            "regress_x_to_y2": build.regression_signature_def(serialized, y2),
            "classify_x_to_y": build.classification_signature_def(serialized, None, y),
            "regress_x2_to_y3": build.build_signature_def({"inputs": info(x2)}, {"outputs": info(y3)}, "tensorflow/serving/regress"),
        }
        builder = v1.saved_model.builder.SavedModelBuilder(str(path))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()


def export(path: Path, signatures: dict[str, tuple[Callable[..., Any], dict[str, Any]]]) -> None:
    """TensorFlow 2's way: a module with a variable and one function for each signature, given with the types of its inputs."""
    import tensorflow as tf

    module = tf.Module()
    module.one = tf.Variable(1.0)
    concrete = {}
    for name, (function, inputs) in signatures.items():
        specs = {alias: tf.TensorSpec(shape, dtype, alias) for alias, (shape, dtype) in inputs.items()}
        traced = tf.function(function)
        setattr(module, f"function_{name}", traced)
        concrete[name] = traced.get_concrete_function(**specs)
    # Variables are what a half-copied model lacks, so each model reads one.
    module.touch = tf.function(lambda: module.one + 1.0)
    module.touch.get_concrete_function()
    tf.saved_model.save(module, str(path), signatures=concrete)


def build_columns(path: Path) -> None:
    """Signatures of many shapes: several inputs, strings, outputs that a batch cannot be cut from."""
    import tensorflow as tf

    flat = ([None], tf.float32)
    export(
        path,
        {
            "serving_default": (lambda x, n: {"sum": x + tf.cast(n, tf.float32), "count": n}, {"x": flat, "n": ([None], tf.int64)}),
            "strings": (lambda s: {"text": tf.identity(s), "text_bytes": tf.identity(s)}, {"s": ([None], tf.string)}),
            "text": (lambda s: {"text": tf.identity(s)}, {"s": (None, tf.string)}),
            "matrix": (lambda m: {"m": tf.identity(m)}, {"m": ([None, None], tf.float32)}),
            "total": (lambda x: {"total": tf.reduce_sum(x)}, {"x": flat}),
            "uneven": (lambda x: {"a": tf.identity(x), "b": tf.concat([x, x], 0)}, {"x": flat}),
            "halves": (lambda x: {"h": tf.cast(x, tf.float16)}, {"x": flat}),
            "column": (lambda x: {"y": x / 2.0}, {"x": ([None, 1], tf.float32)}),
            "constant": (lambda: {"c": tf.constant([1.0])}, {}),
            "product": (lambda a, b: {"c": tf.matmul(a, b)}, {"a": ([None, None], tf.float32), "b": ([None, None], tf.float32)}),
        },
    )


def build_examples(path: Path) -> None:
    """Signatures on serialized examples, right and wrong ones; only the last three parse them."""
    import tensorflow as tf

    serialized = ([None], tf.string)

    def scores(inputs: Any) -> Any:
        return tf.ones([tf.size(inputs), 2])

    def labels(inputs: Any) -> Any:
        return tf.tile(tf.constant([["no", "yes"]]), [tf.size(inputs), 1])

    def parse(inputs: Any) -> Any:
        features = {"i": tf.io.FixedLenFeature([], tf.int64, 0), "s": tf.io.FixedLenFeature([], tf.string, "")}
        return tf.io.parse_example(inputs, features | {"x": tf.io.FixedLenFeature([], tf.float32, 0.0)})

    given = {"inputs": serialized}
    export(
        path,
        {
            "serving_default": (lambda inputs: {"classes": labels(inputs), "scores": scores(inputs)}, given),
            "only_classes": (lambda inputs: {"classes": labels(inputs)}, given),
            "scores_of_double": (lambda inputs: {"scores": tf.cast(scores(inputs), tf.float64)}, given),
            "classes_of_float": (lambda inputs: {"classes": scores(inputs)}, given),
            "flat_scores": (lambda inputs: {"scores": tf.ones([tf.size(inputs)])}, given),
            "too_few_scores": (lambda inputs: {"scores": scores(inputs)[1:]}, given),
            "mismatch": (lambda inputs: {"classes": labels(inputs), "scores": scores(inputs)[:, :1]}, given),
            "three_outputs": (lambda inputs: {"classes": labels(inputs), "scores": scores(inputs), "more": scores(inputs)}, given),
            "value": (lambda inputs: {"outputs": tf.ones([tf.size(inputs)])}, given),
            "value_of_int": (lambda inputs: {"outputs": tf.ones([tf.size(inputs)], tf.int64)}, given),
            "wide_value": (lambda inputs: {"outputs": scores(inputs)}, given),
            "too_few_values": (lambda inputs: {"outputs": tf.ones([tf.size(inputs)])[1:]}, given),
            "x": (lambda inputs: {"outputs": parse(inputs)["x"]}, given),
            "i": (lambda inputs: {"outputs": tf.cast(parse(inputs)["i"], tf.float32)}, given),
            "s": (lambda inputs: {"classes": parse(inputs)["s"][:, tf.newaxis]}, given),
        },
    )


def build_echo(path: Path) -> None:
    """An answer y = x for every element type, any shape."""
    import tensorflow as tf

    export(path, {name: (lambda x: {"y": tf.identity(x)}, {"x": (None, tf.dtypes.as_dtype(name))}) for name in DTYPES})


def build_slow(path: Path) -> None:
    """Takes about x seconds on one core, in a loop that the runtime can be stopped in, and says how often it went round."""
    import tensorflow as tf

    def spin(x: Any) -> Any:
        until = tf.timestamp() + tf.cast(x[0], tf.float64)
        matrix = tf.ones([64, 64]) / 64.0
        rounds, _ = tf.while_loop(lambda *_: tf.timestamp() < until, lambda i, m: (i + 1, tf.matmul(m, matrix)), (0, matrix))
        return {"y": tf.reshape(rounds, [1])}

    export(path, {"serving_default": (spin, {"x": ([None], tf.float32)})})


def build_keras(path: Path) -> None:
    """Keras's own export of a model with two inputs: y = a + 2 b."""
    import numpy as np
    import tensorflow as tf

    inputs = [tf.keras.Input((1,), name=name) for name in ("a", "b")]
    outputs = tf.keras.layers.Dense(1, use_bias=False, name="y")(tf.keras.layers.Concatenate()(inputs))
    model = tf.keras.Model(inputs, outputs)
    model.set_weights([np.float32([[1.0], [2.0]])])
    model.export(str(path), verbose=False)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a SavedModel's only meta graph in place."""
    from tensorflow.core.protobuf import saved_model_pb2

    file = path / SAVED_MODEL
    document = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    change(document.meta_graphs[0])
    file.write_bytes(document.SerializeToString())


def build_defaults(path: Path) -> None:
    """An answer y = x + n, where n is 5 unless a request says otherwise."""
    import tensorflow as tf

    export(path, {"serving_default": (lambda x, n: {"y": x + n}, {"x": ([None], tf.float32), "n": ([None], tf.float32)})})

    def add_default(meta_graph: Any) -> None:
        meta_graph.signature_def["serving_default"].defaults["n"].CopyFrom(tf.make_tensor_proto([5.0]))

    edit(path, add_default)


def build_py_function(path: Path) -> None:
    """Loads, and cannot run where there is no Python."""
    import tensorflow as tf

    export(path, {"serving_default": (lambda x: {"y": tf.numpy_function(lambda v: v, [x], tf.float32)}, {"x": ([None], tf.float32)})})


def build_tflite(path: Path) -> None:
    """A SavedModel of y = x / 2 + 2 beside a TFLite model of y = x / 2 + 3, so that an answer tells which of them gave it."""
    import tensorflow as tf

    half_plus(path, 2.0)
    plain = path.parent / "tflite_source"
    export(plain, {"serving_default": (lambda x: {"y": x / 2.0 + 3.0}, {"x": ([None], tf.float32)})})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(plain), signature_keys=["serving_default"])
    (path / "model.tflite").write_bytes(converter.convert())


def break_copies(root: Path) -> None:
    """Models that cannot be loaded, each a good one with one thing wrong."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(root / "half_plus_two", root / name))

    (copy("no_index") / "variables" / INDEX).unlink()
    (copy("no_shard") / "variables" / SHARD).unlink()
    shutil.rmtree(copy("no_variables") / "variables")
    os.truncate(copy("short_shard") / "variables" / SHARD, 6)
    os.truncate(copy("short_pb") / SAVED_MODEL, 300)
    (copy("no_pb") / SAVED_MODEL).unlink()
    (unreadable := copy("unreadable_pb") / SAVED_MODEL).unlink()
    unreadable.mkdir()  # permissions would not keep root from reading

    def other_tags(meta_graph: Any) -> None:
        meta_graph.meta_info_def.tags[:] = ["train"]

    def unknown_op(meta_graph: Any) -> None:
        next(node for node in meta_graph.graph_def.node if node.op == "Mul").op = "NobodyRegisteredThis"
        meta_graph.meta_info_def.stripped_op_list.Clear()

    edit(copy("wrong_tags"), other_tags)
    edit(copy("custom_op"), unknown_op)
    write_warmup(copy("failing_warmup"), "not_an_input")
    write_warmup(copy("good_warmup"), "x")
    (junk := copy("junk_warmup") / WARMUP).parent.mkdir()
    junk.write_bytes(b"this is not a record file, whoever reads it")


def write_warmup(path: Path, alias: str) -> None:
    """One request that feeds `alias`."""
    import tensorflow as tf

    from serving.protocol import tensors
    from serving.protocol import wire_pb2 as wire

    request = wire.PredictRequest(inputs={alias: tensors.to_proto([[1.0]], "float32")})
    (path / WARMUP).parent.mkdir()
    with tf.io.TFRecordWriter(str(path / WARMUP)) as writer:
        writer.write(wire.PredictionLog(predict_log=wire.PredictLog(request=request)).SerializeToString())


def build_all(root: Path) -> None:
    """Everything there is."""
    half_plus(root / "half_plus_two", 2.0)
    half_plus(root / "half_plus_three", 3.0)
    for build in (build_columns, build_examples, build_echo, build_slow, build_keras, build_defaults, build_py_function, build_tflite):
        build(root / build.__name__.removeprefix("build_"))
    break_copies(root)


if __name__ == "__main__":
    build_all(Path(sys.argv[1]))
