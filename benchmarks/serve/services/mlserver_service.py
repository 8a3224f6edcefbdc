"""MLServer: a custom runtime behind the V2 inference protocol, with adaptive batching."""

from __future__ import annotations

from typing import Any

from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from benchmarks.serve.services.savedmodel import Signature


class Predict(MLModel):  # type: ignore[misc] # not in the project's environment
    """One request input for each column."""

    async def load(self) -> bool:
        self.signature = Signature()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        columns = {}
        for item in payload.inputs:
            codec = StringCodec if item.datatype == "BYTES" else NumpyCodec
            columns[item.name] = codec.decode_input(item)
        outputs = self.signature.columns(columns)
        return InferenceResponse(
            model_name=self.name,
            outputs=[self._output(name, array) for name, array in outputs.items()],
        )

    def _output(self, name: str, array: Any) -> ResponseOutput:
        if array.dtype.kind == "U":
            return StringCodec.encode_output(name, array.tolist())
        return NumpyCodec.encode_output(name, array)
