"""A pool of TFLite interpreters as a servable; the interpreters are fakes, real ones are in the integration tests."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.runtime import tflite

FLAT = {"dtype": np.float32, "shape": np.int32([1]), "shape_signature": np.int32([-1])}
X, Y = {"a/x": np.float32([1, 2])}, ["a/y"]


class Runner:
    """y = 2 x; waits for its gate."""

    def __init__(self, gate: threading.Event, busy: list[int]) -> None:
        self._gate, self._busy = gate, busy

    def get_input_details(self) -> Mapping[str, Any]:
        return {"x": FLAT}

    def get_output_details(self) -> Mapping[str, Any]:
        return {"y": FLAT, "text": {"dtype": np.bytes_, "shape": np.int32([2]), "shape_signature": np.int32([])}}

    def __call__(self, x: np.ndarray) -> Mapping[str, Any]:
        if x.size == 0:
            raise ValueError("no\n  rows")
        self._busy.append(1)
        assert self._gate.wait(10)
        return {"y": x * 2, "text": np.array([b"a"])}


class Interpreter:
    """One with a signature ``a``."""

    gate, busy = threading.Event(), list[int]()

    def __init__(self, model_path: str, num_threads: int) -> None:
        warnings.warn("use my successor", UserWarning, stacklevel=2)
        if "junk" in model_path:
            raise ValueError("Model provided has\nmodel identifier 'junk'")
        assert num_threads == 1

    def get_signature_list(self) -> Mapping[str, Any]:
        return {"a": {}}

    def get_signature_runner(self, name: str) -> Runner:
        assert name == "a"
        return Runner(self.gate, self.busy)


class Bare:
    """One of a model that names no signature; strings in, numbers out."""

    def __init__(self, model_path: str, num_threads: int) -> None:
        del model_path, num_threads
        self.tensors: dict[int, np.ndarray] = {}
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.allocated = 0

    def get_signature_list(self) -> Mapping[str, Any]:
        return {}

    def get_input_details(self) -> list[Any]:
        return [{"name": "words:0", "index": 3, "dtype": np.bytes_, "shape": np.int32([1]), "shape_signature": np.int32([-1])}]

    def get_output_details(self) -> list[Any]:
        return [{"name": "lengths:0", "index": 5, "dtype": np.int64, "shape": np.int32([1]), "shape_signature": np.int32([-1])}]

    def allocate_tensors(self) -> None:
        self.allocated += 1

    def resize_tensor_input(self, index: int, shape: tuple[int, ...]) -> None:
        self.shapes[index] = shape

    def set_tensor(self, index: int, array: np.ndarray) -> None:
        assert (self.shapes[index], array.dtype.kind) == (array.shape, "S")
        self.tensors[index] = array

    def invoke(self) -> None:
        self.tensors[5] = np.char.str_len(self.tensors[3])

    def get_tensor(self, index: int) -> np.ndarray:
        return self.tensors[index]


@pytest.fixture
def package(monkeypatch):
    """TensorFlow's module of interpreters, with one that a test chooses."""
    module = SimpleNamespace(Interpreter=Interpreter)
    monkeypatch.setattr(tflite, "import_without_init", lambda _: module)
    Interpreter.gate, Interpreter.busy = threading.Event(), []
    Interpreter.gate.set()
    return module


@pytest.fixture
def model(package):
    assert package.Interpreter is Interpreter
    return tflite.load(Path("good.tflite"), 2)


def test_signatures_are_those_of_the_file(model):
    signature = model.signatures["a"]
    assert {alias: (spec.tensor_name, spec.dtype) for alias, spec in signature.inputs.items()} == {"x": ("a/x", "float32")}
    assert {alias: spec.dtype for alias, spec in signature.outputs.items()} == {"y": "float32", "text": "string"}
    definition = model.signature_defs["a"]
    assert definition.method_name == "tensorflow/serving/predict"
    assert [dim.size for dim in definition.inputs["x"].tensor_shape.dim] == [-1]
    assert [dim.size for dim in definition.outputs["text"].tensor_shape.dim] == [2]


def test_outputs_come_in_the_order_asked_for_and_strings_as_objects(model):
    text, y = model.run(X, ["a/text", "a/y"])
    assert (y.tolist(), text.tolist(), text.dtype) == ([2, 4], [b"a"], np.dtype(object))


@pytest.mark.usefixtures("package")
def test_what_the_interpreter_refuses_is_one_line_and_frees_it():
    model = tflite.load(Path("good.tflite"), 1)
    for _ in range(3):
        with pytest.raises(StatusError, match=r"^no rows$") as caught:
            model.run({"a/x": np.float32([])}, Y, 5.0)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert model.run(X, Y, 5.0)[0].tolist() == [2, 4]


def test_so_many_calls_run_at_once_and_the_next_one_waits_no_longer_than_told(model):
    Interpreter.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(model.run, X, Y) for _ in range(2)]
        while len(Interpreter.busy) < 2:
            threading.Event().wait(0.001)
        with pytest.raises(StatusError, match=r"no TFLite interpreter was free within 0\.010 s") as caught:
            model.run(X, Y, 0.01)
        Interpreter.gate.set()
        assert [one.result(10)[0].tolist() for one in running] == [[2, 4]] * 2
    assert caught.value.code is Code.DEADLINE_EXCEEDED


def test_a_call_is_never_answered_where_it_was_read(model):
    model.run(X, Y)
    assert not model.quick(X, Y)
    model.close()


def test_a_model_without_signatures_gets_the_default_one(package):
    package.Interpreter = Bare
    model = tflite.load(Path("bare.tflite"))
    signature = model.signatures["serving_default"]
    assert (signature.inputs["words"].dtype, signature.outputs["lengths"].dtype) == ("string", "int64")
    (lengths,) = model.run({"serving_default/words": np.array([b"a", b"abc"], object)}, ["serving_default/lengths"])
    assert lengths.tolist() == [1, 3]


@pytest.mark.usefixtures("package")
def test_a_file_that_is_no_model_is_one_line():
    with pytest.raises(StatusError, match=r"^junk\.tflite: Model provided has model identifier 'junk'$") as caught:
        tflite.load(Path("junk.tflite"))
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_tensorflow_without_interpreters_says_so(monkeypatch):
    def missing(module: str) -> None:
        raise ImportError(f"No module named {module}")

    monkeypatch.setattr(tflite, "import_without_init", missing)
    with pytest.raises(StatusError, match=r"this TensorFlow has no TFLite interpreter: No module named tensorflow\.lite") as caught:
        tflite.load(Path("m.tflite"))
    assert caught.value.code is Code.UNIMPLEMENTED
