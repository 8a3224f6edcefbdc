"""One request to a model, from its body to its answer: route, check, wait for room, ask, write. Knows no HTTP framework.

body -> document -> choice of a version -> fits its signature? -> room? -> the model server -> JSON as TF Serving writes it
                                                                                     \\-> a copy to the shadow
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from configs.gateway import Limits
from serving.gateway import checks
from serving.gateway.admission import Admission
from serving.gateway.checks import Problem, Unfit
from serving.gateway.images import check_features, check_inputs
from serving.gateway.metrics import Metrics
from serving.gateway.routing import Asked
from serving.gateway.shadow import Shadows
from serving.gateway.upstream import UpstreamServer, model_spec
from serving.protocol import examples, json_text, predict, tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.json_arrays import Array
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, StatusError

T = TypeVar("T")
Request = TypeVar("Request", wire.PredictRequest, wire.ClassificationRequest, wire.RegressionRequest)
Classes = list[tuple[str, float]]
# How often a request that does not fit may have the signature read again.
_LOOK_AGAIN_SECONDS = 1.0


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
        give = self._predict if asked.verb == "predict" else self._examples
        known = await upstream.signatures(asked.model, asked.target, timeout)
        # There is such a model: what it refuses from here on is counted by its name.
        self._metrics.learn(asked.model)
        try:
            return await give(asked, document, checks.find_signature(known.signatures, name, asked.verb), upstream, room, timeout)
        except (Unfit, StatusError) as error:
            if isinstance(error, StatusError) and error.code is not Code.INVALID_ARGUMENT:
                raise
            # Another version may stand behind the same name since its signature was read. The server's own refusal says that it is
            # worth a look; ours only now and then, or wrong requests would cost a call after all.
            oldest = _LOOK_AGAIN_SECONDS if isinstance(error, Unfit) else 0.0
            again = await upstream.signatures(asked.model, asked.target, timeout, oldest=oldest)
            if again.version == known.version:
                raise
        return await give(asked, document, checks.find_signature(again.signatures, name, asked.verb), upstream, room, timeout)

    async def _predict(
        self, asked: Asked, document: Mapping[str, Any], spec: SignatureSpec, upstream: UpstreamServer, room: Admission, timeout: float
    ) -> Answered:
        form, inputs = checks.read_inputs(document, spec, self.limits.batch)
        check_inputs(document, inputs, spec, self.limits)
        predicted = await self.outputs(asked, spec, inputs, upstream, room, timeout)
        return Answered(predict.write_outputs(predicted.outputs, form), predicted.version)

    async def outputs(
        self, asked: Asked, spec: SignatureSpec, inputs: Mapping[str, Array], upstream: UpstreamServer, room: Admission, timeout: float
    ) -> Predicted:
        """The outputs of one signature. Raises as `answer`, but Unfit."""
        request = wire.PredictRequest(model_spec=model_spec(asked.model, asked.target, spec.name))
        for alias, array in inputs.items():
            tensors.write_proto(request.inputs[alias], array)
        async with room.room():
            answer = await self._timed(asked.model, upstream.predict(request, timeout))
        outputs = _outputs(answer, upstream)
        if asked.shadow is not None:
            copy = _to_shadow(asked, request)

            async def shadow() -> Mapping[str, Array]:
                return _outputs(await upstream.predict(copy, timeout, counted=False), upstream)

            self._shadows.send(asked, shadow, outputs)
        return Predicted(outputs, answer.model_spec.version.value, spec.name)

    async def _examples(
        self, asked: Asked, document: Mapping[str, Any], spec: SignatureSpec, upstream: UpstreamServer, room: Admission, timeout: float
    ) -> Answered:
        rows = document.get("examples")
        if isinstance(rows, list) and len(rows) > self.limits.batch:
            raise Unfit([Problem("examples", f"{len(rows)} rows; at most {self.limits.batch} at once")])
        try:
            built = examples.read_examples(document)
        except StatusError as error:
            raise Unfit([Problem("examples", error.message)]) from error
        check_features(document, self.limits)
        if asked.verb == "classify":
            classified, version = await self._classified(asked, spec, built, upstream, room, timeout)
            return Answered(examples.write_classifications(classified), version)
        values, version = await self._regressed(asked, spec, built, upstream, room, timeout)
        return Answered(examples.write_regressions(values), version)

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
        rows = _classes(answer)
        if asked.shadow is not None:
            copy = _to_shadow(asked, request)

            async def shadow() -> Mapping[str, Array]:
                return class_arrays(_classes(await upstream.classify(copy, timeout, counted=False)))

            self._shadows.send(asked, shadow, class_arrays(rows))
        return rows, answer.model_spec.version.value

    async def _regressed(
        self, asked: Asked, spec: SignatureSpec, built: list[bytes], upstream: UpstreamServer, room: Admission, timeout: float
    ) -> tuple[list[float], int]:
        given = wire.Input(example_list=wire.ExampleList(examples=built))
        request = wire.RegressionRequest(model_spec=model_spec(asked.model, asked.target, spec.name), input=given)
        async with room.room():
            answer = await self._timed(asked.model, upstream.regress(request, timeout))
        values = _values(answer)
        if asked.shadow is not None:
            copy = _to_shadow(asked, request)

            async def shadow() -> Mapping[str, Array]:
                return {"value": np.array(_values(await upstream.regress(copy, timeout, counted=False)))}

            self._shadows.send(asked, shadow, {"value": np.array(values)})
        return values, answer.model_spec.version.value

    async def _timed(self, model: str, call: Awaitable[T]) -> T:
        begun = time.perf_counter()
        answer = await call
        self._metrics.upstream_seconds.labels(self._metrics.name(model)).observe(time.perf_counter() - begun)
        return answer


def _outputs(answer: wire.PredictResponse, upstream: UpstreamServer) -> dict[str, Array]:
    try:
        return {alias: tensors.to_array(proto) for alias, proto in sorted(answer.outputs.items())}
    except ValueError as error:
        raise StatusError(Code.INTERNAL, f"the model server {upstream.name} answered with a broken tensor: {error}") from error


def _classes(answer: wire.ClassificationResponse) -> list[Classes]:
    return [[(item.label, item.score) for item in row.classes] for row in answer.result.classifications]


def _values(answer: wire.RegressionResponse) -> list[float]:
    return [row.value for row in answer.result.regressions]


def class_arrays(rows: Sequence[Classes]) -> dict[str, Array]:
    """Classes as outputs that can be held against each other, [rows, classes] where all rows have as many, else one after the other.

    By their names: two models that agree may rank what is hardly likely in another order.
    """
    rows = [sorted(row) for row in rows]
    sizes = {len(row) for row in rows}
    shape = (len(rows), sizes.pop()) if len(sizes) == 1 else (-1,)
    labels = np.empty(sum(map(len, rows)), object)
    labels[:] = [label.encode() for row in rows for label, _ in row]
    scores = np.array([score for row in rows for _, score in row], np.float64)
    return {"classes": labels.reshape(shape), "scores": scores.reshape(shape)}


def _to_shadow(asked: Asked, request: Request) -> Request:
    """The same request to the shadow's version."""
    copy = type(request)()
    copy.CopyFrom(request)
    copy.model_spec.CopyFrom(model_spec(asked.model, asked.shadow or asked.target, request.model_spec.signature_name))
    return copy
