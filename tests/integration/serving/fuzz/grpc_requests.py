"""gRPC calls that are wrong: messages made from good ones, paths that lead nowhere, and bytes that are no HTTP/2."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError, Message

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from tests.integration.serving.contract.zoo import DTYPES
from tests.integration.serving.fuzz import mutation

_PREDICTION, _MODEL, _HEALTH, _PROFILER = (
    "/tensorflow.serving.PredictionService/",
    "/tensorflow.serving.ModelService/",
    "/grpc.health.v1.Health/",
    "/tensorflow.ProfilerService/",
)
_RELOAD = _MODEL + "HandleReloadConfigRequest"
_KINDS: dict[str, type[Message]] = {
    _PREDICTION + "Predict": wire.PredictRequest,
    _PREDICTION + "Classify": wire.ClassificationRequest,
    _PREDICTION + "Regress": wire.RegressionRequest,
    _PREDICTION + "MultiInference": wire.MultiInferenceRequest,
    _PREDICTION + "GetModelMetadata": wire.GetModelMetadataRequest,
    _MODEL + "GetModelStatus": wire.GetModelStatusRequest,
    _RELOAD: wire.ReloadConfigRequest,
    _HEALTH + "Check": wire.HealthCheckRequest,
}
_ODD_PATHS = (
    "/",
    "/x",
    "/x/y",
    "/%00/%ff",
    "/" + "a" * 4000,
    _PREDICTION,
    _PREDICTION + "predict",
    _PREDICTION + "Predict/",
    _PREDICTION + "PredictStreamed",
    _PREDICTION.upper() + "Predict",
    _HEALTH + "List",
    "/tensorflow.serving.SessionService/SessionRun",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
# Whatever comes before it, a message that ends with this asks for a folder that is refused: no fuzzed reload changes the models.
_POISON = b"\n\x13\n\x11\n\x0f\n\x04half\x12\x07refused"
_DIMENSIONS = (*mutation.SIZES, 2, 3, 1, 0)
# One value may stand for a whole tensor, here as upstream: a request of few bytes that asks for gigabytes is right, and not for a test.
_LARGEST, _REFUSED = 2**16, 2**31


@dataclass(frozen=True)
class Call:
    """A unary call: the method's path and the bytes of its message."""

    path: str
    content: bytes


def call(seed: int, number: int) -> Call:
    """The malformed call of this number."""
    random = Random(f"{seed} grpc {number}")
    path = random.choice([*_KINDS, *[_PREDICTION + "Predict"] * 6])
    what = random.randrange(20)
    if what == 0:
        # No profile is taken: a first byte of 7 is a tag that no parser takes.
        return Call(random.choice((*_ODD_PATHS, _PROFILER + "Nothing")), random.randbytes(random.randrange(20)))
    message = _good(random, path)
    if what <= 2:
        content = random.randbytes(random.choice((1, 3, 10, 50, 1000)))
    elif what <= 6:
        content = mutation.spoil_bytes(random, message.SerializeToString())
    elif what == 7:
        content = b""
    else:
        for _ in range(random.randint(1, 3)):
            _spoil_message(random, message)
        content = message.SerializeToString()
    if path == _RELOAD:
        content += _POISON
    return Call(path, content) if not _asks_for_gigabytes(_KINDS[path], content) else Call(path, b"\x07")


def _good(random: Random, path: str) -> Any:
    spec = wire.ModelSpec(name="examples" if random.random() < 0.5 else "half")
    kind = _KINDS[path]
    if kind is wire.PredictRequest:
        return _predict(random)
    if kind is wire.ReloadConfigRequest:
        return wire.ReloadConfigRequest(
            config=random.randbytes(random.randrange(12)), metric_names=[mutation.text(random).encode("utf-8", "replace").decode()]
        )
    if kind is wire.HealthCheckRequest:
        return wire.HealthCheckRequest(service=random.choice(("", "half", "nobody", "PredictionService")))
    if kind is wire.GetModelStatusRequest:
        return wire.GetModelStatusRequest(model_spec=spec)
    if kind is wire.GetModelMetadataRequest:
        return wire.GetModelMetadataRequest(model_spec=spec, metadata_field=[random.choice(("signature_def", "x"))])
    examples = wire.Input(example_list=wire.ExampleList(examples=[_example().SerializeToString() for _ in range(2)]))
    if random.random() < 0.3:
        listed = wire.ExampleListWithContext(examples=[b"", random.randbytes(5)], context=_example().SerializeToString())
        examples = wire.Input(example_list_with_context=listed)
    if kind is wire.MultiInferenceRequest:
        spec.name = "half"
        request = wire.MultiInferenceRequest(input=examples)
        for signature, method in (("regress_x_to_y", "regress"), ("classify_x_to_y", "classify")):
            task = request.tasks.add(method_name=f"tensorflow/serving/{method}", model_spec=spec)
            task.model_spec.signature_name = signature
        return request
    names = ("x", "i", "s", "value", "mismatch") if spec.name == "examples" else ("regress_x_to_y", "classify_x_to_y", "regress_x2_to_y3")
    spec.signature_name = random.choice(names)
    return kind(model_spec=spec, input=examples)


def _example() -> wire.Example:
    example = wire.Example()
    example.features.feature["x"].float_list.value.append(1.0)
    example.features.feature["s"].bytes_list.value.append(b"a")
    return example


def _predict(random: Random) -> wire.PredictRequest:
    request = wire.PredictRequest()
    model, signature, inputs = random.choice(
        (
            ("half", "", {"x": np.float32([1, 2])}),
            ("columns", "", {"x": np.float32([1, 2]), "n": np.int64([1, 2])}),
            ("columns", "strings", {"s": np.array([b"a", b"\xff\0"], object)}),
            ("columns", "matrix", {"m": np.float32([[1, 2], [3, 4]])}),
            ("columns", "constant", {}),
            ("examples", "x", {"inputs": np.array([_example().SerializeToString(), b""], object)}),
            ("defaults", "", {"x": np.float32([1])}),
            *(("echo", name, {"x": _two(name)}) for name in DTYPES),
        )
    )
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for alias, array in inputs.items():
        dtype = signature if model == "echo" else None
        request.inputs[alias].CopyFrom(tensors.to_proto(array, dtype, as_content=random.random() < 0.5))
    return request


def _two(name: str) -> Any:
    return np.array([b"a", b"b"], object) if name == "string" else np.array([0, 1], np.float32 if name == "bfloat16" else name)


def _spoil_message(random: Random, message: Any) -> None:
    """One field somewhere in the message gets another value, or none."""
    fields = [*message.DESCRIPTOR.fields]
    present = [field for field, _ in message.ListFields()]
    field = random.choice(present or fields) if random.random() < 0.8 else random.choice(fields)
    if isinstance(message, wire.TensorProto) and random.random() < 0.6:
        _spoil_tensor(random, message)
    elif random.random() < 0.15:
        message.ClearField(field.name)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        container = getattr(message, field.name)
        key = random.choice([*container, mutation.text(random).encode("utf-8", "replace").decode()])
        if field.message_type.fields_by_name["value"].message_type is not None:
            _spoil_message(random, container[key])
    elif field.message_type is not None:
        child = getattr(message, field.name)
        if hasattr(child, "add"):
            child = random.choice(child) if len(child) and random.random() < 0.8 else child.add()
        else:
            child.SetInParent()
        _spoil_message(random, child)
    else:
        _spoil_scalar(random, message, field)


def _spoil_scalar(random: Random, message: Any, field: Any) -> None:
    if field.type == field.TYPE_STRING:
        value: Any = mutation.text(random).encode("utf-8", "replace").decode()
    elif field.type == field.TYPE_BYTES:
        value = random.randbytes(random.choice((0, 1, 20)))
    elif field.type in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
        value = random.choice((1e39, float("nan"), float("-inf"), -0.0, 5e-324))
    else:
        bits = 1 if field.type == field.TYPE_BOOL else 31 if field.type in (field.TYPE_INT32, field.TYPE_UINT32, field.TYPE_ENUM) else 63
        value = random.choice(mutation.SIZES) % 2**bits
    if isinstance(getattr(message, field.name), (str, bytes, int, float)):
        setattr(message, field.name, value)
    else:
        getattr(message, field.name).extend([value] * random.choice((1, 2, 50)))


def _spoil_tensor(random: Random, tensor: wire.TensorProto) -> None:
    what = random.randrange(5)
    if what == 0:
        tensor.dtype = random.choice([*range(26), 101, 119, 999])  # type: ignore[assignment]
    elif what == 1:
        tensor.tensor_content = random.choice((tensor.tensor_content[:-1], tensor.tensor_content * 2, random.randbytes(8), b"\x80" * 9))
    elif what == 2:
        tensor.tensor_shape.unknown_rank = True
    else:
        del tensor.tensor_shape.dim[:]
        for _ in range(random.choice((0, 1, 1, 2, 3, 33, 65, 255, 300))):
            tensor.tensor_shape.dim.add(size=random.choice(_DIMENSIONS), name=random.choice(("", "x")))


def _tensors(message: Message) -> Iterator[wire.TensorProto]:
    if isinstance(message, wire.PredictRequest):
        yield from message.inputs.values()


def _asks_for_gigabytes(kind: type[Message], content: bytes) -> bool:
    try:
        counts = [math.prod(dim.size for dim in tensor.tensor_shape.dim) for tensor in _tensors(kind.FromString(content))]
    except DecodeError:
        return False
    return any(_LARGEST < count < _REFUSED for count in counts)
