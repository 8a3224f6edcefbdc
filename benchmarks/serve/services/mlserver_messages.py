"""MLServer's gRPC messages from and to JSON, standard input to standard output: `... request|answer MODEL`."""

from __future__ import annotations

import json
import sys
from typing import Any

from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.grpc.dataplane_pb2 import ModelInferResponse
from mlserver.types import InferenceRequest


def request(body: bytes, model: str) -> bytes:
    """A REST request of the V2 protocol as a ModelInferRequest, tensors packed raw."""
    message = ModelInferRequestConverter.from_types(InferenceRequest.model_validate_json(body), model_name=model, use_raw=True)
    return bytes(message.SerializeToString())


def answer(message: bytes) -> bytes:
    """The outputs of a ModelInferResponse as JSON."""
    response = ModelInferResponseConverter.to_types(ModelInferResponse.FromString(message))
    return json.dumps({item.name: _plain(item) for item in response.outputs}).encode()


def _plain(item: Any) -> Any:
    return StringCodec.decode_output(item) if item.datatype == "BYTES" else NumpyCodec.decode_output(item).tolist()


if __name__ == "__main__":
    given = sys.stdin.buffer.read()
    sys.stdout.buffer.write(request(given, sys.argv[2]) if sys.argv[1] == "request" else answer(given))
