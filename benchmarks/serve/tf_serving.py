"""TF Serving's gRPC messages for a case: what our server speaks, and Ray Serve when it is given the same service."""

from __future__ import annotations

from typing import Any

from benchmarks.serve.case import Case

PREDICT = "/tensorflow.serving.PredictionService/Predict"


def request(case: Case) -> bytes:
    """A PredictRequest with a batch of the one example; floats as tensor_content, as TensorFlow's make_tensor_proto packs them."""
    from serving.protocol import wire_pb2 as wire
    from serving.protocol.tensors import to_proto

    message = wire.PredictRequest()
    message.model_spec.name, message.model_spec.signature_name = case.name, case.signature
    for column in case.columns:
        tensor = to_proto([case.example[column.name]], column.dtype, as_content=bool(column.shape))
        message.inputs[column.name].CopyFrom(tensor)
    return bytes(message.SerializeToString())


def answer(message: bytes) -> dict[str, Any]:
    """The outputs of a PredictResponse."""
    from serving.protocol import wire_pb2 as wire
    from serving.protocol.tensors import to_array

    outputs = {name: to_array(tensor).tolist() for name, tensor in wire.PredictResponse.FromString(message).outputs.items()}
    return {name: [value.decode() if isinstance(value, bytes) else value for value in values] for name, values in outputs.items()}
