"""One request to a model, from its body to its answer: route, check, wait for room, ask, write. Knows no HTTP framework.

body -> document -> choice of a version -> fits its signature? -> room? -> the model server -> JSON as TF Serving writes it
                                                                                     \\-> a copy to the shadow
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from configs.gateway import Limits
from serving.gateway import checks
from serving.gateway.admission import Admission
from serving.gateway.checks import Problem, Unfit
from serving.gateway.metrics import Metrics
from serving.gateway.routing import Target
from serving.gateway.shadow import Shadows
from serving.gateway.upstream import Known, UpstreamServer, model_spec
from serving.protocol import examples, json_text, predict, tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.json_arrays import Array
from serving.protocol.predict import Format
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, StatusError

T = TypeVar("T")
Classes = list[tuple[str, float]]


@dataclass(frozen=True)
class Asked:
    """A request to a model whose version is chosen. ``shadow``: where a copy goes, None: nowhere."""

    model: str
    verb: str
    target: Target
    shadow: Target | None = None
    tolerance: float = 0.0


@dataclass(frozen=True)
class Answered:
    """``version``: which one gave it; ``text``: JSON in TF Serving's form."""

    text: str
    version: int


@dataclass(frozen=True)
class Predicted:
    """Outputs by name, the first axis the rows."""

    outputs: Mapping[str, Array]
    version: int
    signature: str


class Calls:
    """Asks one upstream's models. Belongs to one event loop."""

    def __init__(self, limits: Limits, metrics: Metrics, shadows: Shadows) -> None:
        self.limits = limits
        self._metrics, self._shadows = metrics, shadows

    async def answer(self, asked: Asked, body: bytes, upstream: UpstreamServer, room: Admission, timeout: float) -> Answered:
        """Answer a request in TF Serving's JSON.

        Raises:
            Unfit: the body does not fit the model.
            StatusError: the server refused, failed or is not there.
            Overloaded: there is no room.
        """
        try:
            document = json_text.parse_object(body)
            name = predict.read_signature_name(document)
        except StatusError as error:
            raise Unfit([Problem("", error.message)]) from error
        if asked.verb == "predict":
            return await self._predict(asked, document, name, upstream, room, timeout)
        return await self._examples(asked, document, name, upstream, room, timeout)

    async def _predict(
        self, asked: Asked, document: Mapping[str, Any], name: str, upstream: UpstreamServer, room: Admission, timeout: float
    ) -> Answered:
        known = await upstream.signatures(asked.model, asked.target, timeout)
        spec, form, inputs = self._read(document, name, known)
        try:
            predicted = await self.outputs(asked, spec, inputs, upstream, room, timeout)
        except StatusError as error:
            if error.code is not Code.INVALID_ARGUMENT:
                raise
            # Another version may stand behind the same name since its signature was read.
            again = await upstream.signatures(asked.model, asked.target, timeout, fresh=True)
            if again.version == known.version:
                raise
            spec, form, inputs = self._read(document, name, again)
            predicted = await self.outputs(asked, spec, inputs, upstream, room, timeout)
        return Answered(predict.write_outputs(predicted.outputs, form), predicted.version)

    def _read(self, document: Mapping[str, Any], name: str, known: Known) -> tuple[SignatureSpec, Format, dict[str, Array]]:
        spec = checks.find_signature(known.signatures, name, "predict")
        return (spec, *checks.read_inputs(document, spec, self.limits.batch))

    async def outputs(
        self, asked: Asked, spec: SignatureSpec, inputs: Mapping[str, Array], upstream: UpstreamServer, room: Admission, timeout: float
    ) -> Predicted:
        """The outputs of one signature. Raises as `answer`, but Unfit."""
        request = wire.PredictRequest(model_spec=model_spec(asked.model, asked.target, spec.name))
        for alias, array in inputs.items():
            tensors.write_proto(request.inputs[alias], array)
        async with room.room():
            answer = await self._timed(asked.model, upstream.predict(request, timeout))
        try:
            outputs = {alias: tensors.to_array(proto) for alias, proto in sorted(answer.outputs.items())}
        except ValueError as error:
            raise StatusError(Code.INTERNAL, f"the model server {upstream.name} answered with a broken tensor: {error}") from error
        if asked.shadow is not None:
            copy = wire.PredictRequest()
            copy.CopyFrom(request)
            copy.model_spec.CopyFrom(model_spec(asked.model, asked.shadow, spec.name))
            self._shadows.send(asked.model, copy, outputs, upstream, timeout, asked.tolerance)
        return Predicted(outputs, answer.model_spec.version.value, spec.name)

    async def _examples(
        self, asked: Asked, document: Mapping[str, Any], name: str, upstream: UpstreamServer, room: Admission, timeout: float
    ) -> Answered:
        known = await upstream.signatures(asked.model, asked.target, timeout)
        spec = checks.find_signature(known.signatures, name, asked.verb)
        rows = document.get("examples")
        if isinstance(rows, list) and len(rows) > self.limits.batch:
            raise Unfit([Problem("examples", f"{len(rows)} rows; at most {self.limits.batch} at once")])
        try:
            built = examples.read_examples(document)
        except StatusError as error:
            raise Unfit([Problem("examples", error.message)]) from error
        if asked.verb == "classify":
            rows, version = await self._classified(asked, spec, built, upstream, room, timeout)
            return Answered(examples.write_classifications(rows), version)
        given = wire.Input(example_list=wire.ExampleList(examples=built))
        request = wire.RegressionRequest(model_spec=model_spec(asked.model, asked.target, spec.name), input=given)
        async with room.room():
            values = await self._timed(asked.model, upstream.regress(request, timeout))
        return Answered(examples.write_regressions([row.value for row in values.result.regressions]), values.model_spec.version.value)

    async def classes(
        self,
        asked: Asked,
        spec: SignatureSpec,
        features: Sequence[Mapping[str, Any]],
        upstream: UpstreamServer,
        room: Admission,
        timeout: float,
    ) -> tuple[list[Classes], int]:
        """For each example its classes as (label, score), and the version that gave them. Raises as `outputs`."""
        built = [examples.build_example(dict(row)).SerializeToString() for row in features]
        return await self._classified(asked, spec, built, upstream, room, timeout)

    async def _classified(
        self, asked: Asked, spec: SignatureSpec, built: list[bytes], upstream: UpstreamServer, room: Admission, timeout: float
    ) -> tuple[list[Classes], int]:
        given = wire.Input(example_list=wire.ExampleList(examples=built))
        request = wire.ClassificationRequest(model_spec=model_spec(asked.model, asked.target, spec.name), input=given)
        async with room.room():
            answer = await self._timed(asked.model, upstream.classify(request, timeout))
        rows = [[(item.label, item.score) for item in row.classes] for row in answer.result.classifications]
        return rows, answer.model_spec.version.value

    async def _timed(self, model: str, call: Awaitable[T]) -> T:
        begun = time.perf_counter()
        answer = await call
        self._metrics.upstream_seconds.labels(self._metrics.name(model)).observe(time.perf_counter() - begun)
        return answer
