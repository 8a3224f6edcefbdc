"""A TensorFlow Lite model behind the same door: a pool of interpreters, since each does one call at a time."""

from __future__ import annotations

import queue
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.protocol import dtypes, metadata
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import DEFAULT_SIGNATURE, PREDICT_METHOD, SignatureSpec
from serving.protocol.status import Code, StatusError, invalid
from serving.server.runtime.python_package import import_without_init

Array = np.ndarray[Any, Any]
_Details = Mapping[str, Mapping[str, Any]]


class TfliteModel:
    """A `Servable` over interpreters of one model. A graph tensor is called ``<signature>/<alias>`` here."""

    def __init__(self, path: Path, interpreters: int) -> None:
        module = import_without_init("tensorflow.lite.python.interpreter")
        made = []
        for _ in range(max(1, interpreters)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # announces its successor; which interpreter we use is not the user's concern
                made.append(_Interpreter(module.Interpreter(model_path=str(path), num_threads=1)))
        self._free: queue.SimpleQueue[_Interpreter] = queue.SimpleQueue()
        for interpreter in made:
            self._free.put(interpreter)
        self.signature_defs = made[0].signature_defs()
        self.signatures: Mapping[str, SignatureSpec] = metadata.from_messages(self.signature_defs)

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        """See `Servable.run`. Waits for a free interpreter, at most ``timeout_seconds``; a call under way is not cut off."""
        try:
            interpreter = self._free.get(timeout=timeout_seconds)
        except queue.Empty:
            raise StatusError(Code.DEADLINE_EXCEEDED, f"no TFLite interpreter was free within {timeout_seconds:.3f} s") from None
        try:
            return interpreter.run(feeds, fetches)
        except (ValueError, RuntimeError, TypeError) as error:
            raise invalid(" ".join(str(error).split())[:1000]) from error
        finally:
            self._free.put(interpreter)

    def quick(self, feeds: Iterable[str], fetches: Iterable[str]) -> bool:
        """See `Servable.quick`. It may have to wait for an interpreter."""
        del feeds, fetches
        return False

    def close(self) -> None:
        """See `Servable.close`. The interpreters' memory goes with the object."""


class _Interpreter:
    """One interpreter and its signatures; a model without any gets ``serving_default`` over all its inputs and outputs."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        names = interpreter.get_signature_list()
        self._runners = {name: interpreter.get_signature_runner(name) for name in names}
        if not names:
            interpreter.allocate_tensors()

    def _details(self) -> dict[str, tuple[_Details, _Details]]:
        if self._runners:
            return {name: (runner.get_input_details(), runner.get_output_details()) for name, runner in self._runners.items()}
        sides = (self._interpreter.get_input_details(), self._interpreter.get_output_details())
        inputs, outputs = ({item["name"].removesuffix(":0"): item for item in side} for side in sides)
        return {DEFAULT_SIGNATURE: (inputs, outputs)}

    def signature_defs(self) -> dict[str, wire.SignatureDef]:
        return {
            name: wire.SignatureDef(
                method_name=PREDICT_METHOD,
                inputs={alias: _info(f"{name}/{alias}", item) for alias, item in inputs.items()},
                outputs={alias: _info(f"{name}/{alias}", item) for alias, item in outputs.items()},
            )
            for name, (inputs, outputs) in self._details().items()
        }

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        name = next(iter(fetches)).partition("/")[0]
        inputs = {key.partition("/")[2]: _plain(array) for key, array in feeds.items()}
        wanted = [key.partition("/")[2] for key in fetches]
        if self._runners:
            outputs = self._runners[name](**inputs)
            return [_as_served(outputs[alias]) for alias in wanted]
        ((known_inputs, known_outputs),) = self._details().values()
        for alias, array in inputs.items():
            self._interpreter.resize_tensor_input(known_inputs[alias]["index"], array.shape)
        self._interpreter.allocate_tensors()
        for alias, array in inputs.items():
            self._interpreter.set_tensor(known_inputs[alias]["index"], array)
        self._interpreter.invoke()
        return [_as_served(self._interpreter.get_tensor(known_outputs[alias]["index"])) for alias in wanted]


def _info(name: str, item: Mapping[str, Any]) -> wire.TensorInfo:
    kind = "string" if item["dtype"] in (np.object_, np.bytes_, np.str_) else np.dtype(item["dtype"]).name
    sizes = item["shape_signature"] if len(item["shape_signature"]) else item["shape"]
    shape = wire.TensorShapeProto(dim=[wire.TensorShapeProto.Dim(size=int(size)) for size in sizes])
    return wire.TensorInfo(name=name, dtype=wire.DataType.ValueType(dtypes.BY_NAME[kind].number), tensor_shape=shape)


def _plain(array: Array) -> Array:
    """Strings as the bytes arrays that the interpreter takes."""
    return array.astype(np.bytes_) if array.dtype.kind == "O" else array


def _as_served(array: Any) -> Array:
    found = np.asarray(array)
    return found.astype(object) if found.dtype.kind in "SU" else found


def load(path: Path, interpreters: int = 1) -> TfliteModel:
    """Load a TFLite file. Raises StatusError with one line that says why not."""
    try:
        return TfliteModel(path, interpreters)
    except (ValueError, RuntimeError, OSError) as error:
        raise invalid(f"{path}: {' '.join(str(error).split())[:1000]}") from error
    except ImportError as error:
        raise StatusError(Code.UNIMPLEMENTED, f"{path}: this TensorFlow has no TFLite interpreter: {error}") from error
