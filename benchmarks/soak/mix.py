"""The requests of a soak: every way through the server, good and bad, over REST and gRPC."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire

MODELS = {"half": "half_plus_two", "columns": "columns", "examples": "examples"}
"""Which model of the tests' zoo stands behind each name."""
SWAPPED = ("half", ("half_plus_two", "half_plus_three"))
"""The model whose versions are swapped, and what they are in turn."""

_SERVICE = "/tensorflow.serving.PredictionService/"
_LONG = "x" * 500


@dataclass(frozen=True)
class Kind:
    """One request, sent again and again. ``body`` None: a GET. ``good``: an answer of 200 (or a message) is the only right one."""

    name: str
    protocol: str
    path: str
    body: bytes | None
    good: bool = True


def _rest(name: str, path: str, document: Any = None, *, good: bool = True) -> Kind:
    body = document if document is None or isinstance(document, bytes) else json.dumps(document).encode()
    return Kind(f"rest {name}", "rest", f"/v1/models/{path}", body, good)


def _grpc(name: str, path: str, message: Any, *, good: bool = True) -> Kind:
    return Kind(f"grpc {name}", "grpc", path, message if isinstance(message, bytes) else message.SerializeToString(), good)


def _spec(model: str, signature: str = "") -> wire.ModelSpec:
    return wire.ModelSpec(name=model, signature_name=signature)


def _predict(model: str, signature: str = "", **inputs: Any) -> wire.PredictRequest:
    return wire.PredictRequest(model_spec=_spec(model, signature), inputs={name: tensors.to_proto(value) for name, value in inputs.items()})


def _example() -> wire.Example:
    example = wire.Example()
    example.features.feature["x"].float_list.value.append(1.0)
    example.features.feature["s"].bytes_list.value.append(_LONG.encode())
    return example


def kinds() -> list[Kind]:
    """All of them; a soak gives each the same share."""
    input_ = wire.Input(example_list=wire.ExampleList(examples=[_example().SerializeToString()] * 3))
    both = wire.MultiInferenceRequest(input=input_)
    both.tasks.add(model_spec=_spec("half", "regress_x_to_y"), method_name="tensorflow/serving/regress")
    both.tasks.add(model_spec=_spec("half", "classify_x_to_y"), method_name="tensorflow/serving/classify")
    strings = np.array([_LONG.encode(), b"", b"\xff" * 40], dtype=object)
    return [
        _rest("numbers", "half:predict", {"instances": [1.0, 2.0]}),
        _rest("columns", "columns:predict", {"inputs": {"x": [1.0] * 64, "n": [1] * 64}}),
        _rest("strings", "columns:predict", {"signature_name": "strings", "instances": [_LONG, {"b64": "//79"}]}),
        _rest("classify", "examples:classify", {"signature_name": "s", "examples": [{"s": _LONG}]}),
        _rest("regress", "half:regress", {"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}]}),
        _rest("metadata", "columns/metadata"),
        _rest("status", "half"),
        _rest("no model", "nobody:predict", {"instances": [1.0]}, good=False),
        _rest("no JSON", "half:predict", b'{"instances": [1.0', good=False),
        _rest("wrong shape", "columns:predict", {"signature_name": "product", "inputs": {"a": [[1.0]], "b": [[1.0]] * 3}}, good=False),
        _grpc("numbers", _SERVICE + "Predict", _predict("half", x=np.float32([1, 2]))),
        _grpc("columns", _SERVICE + "Predict", _predict("columns", x=np.ones(64, np.float32), n=np.ones(64, np.int64))),
        _grpc("strings", _SERVICE + "Predict", _predict("columns", "strings", s=strings)),
        _grpc("classify", _SERVICE + "Classify", wire.ClassificationRequest(model_spec=_spec("examples", "s"), input=input_)),
        _grpc("regress", _SERVICE + "Regress", wire.RegressionRequest(model_spec=_spec("half", "regress_x_to_y"), input=input_)),
        _grpc("both", _SERVICE + "MultiInference", both),
        _grpc(
            "metadata",
            _SERVICE + "GetModelMetadata",
            wire.GetModelMetadataRequest(model_spec=_spec("half"), metadata_field=["signature_def"]),
        ),
        _grpc("status", "/tensorflow.serving.ModelService/GetModelStatus", wire.GetModelStatusRequest(model_spec=_spec("half"))),
        _grpc(
            "wrong shape",
            _SERVICE + "Predict",
            _predict("columns", "product", a=np.ones((1, 1), np.float32), b=np.ones((3, 1), np.float32)),
            good=False,
        ),
        _grpc("no message", _SERVICE + "Predict", b"\x07", good=False),
    ]
