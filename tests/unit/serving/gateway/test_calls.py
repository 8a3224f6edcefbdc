"""One request from its body to its answer; what the server says is passed on, what it breaks is told."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from configs.gateway import Limits
from serving.gateway.admission import Admission
from serving.gateway.calls import Calls, class_arrays
from serving.gateway.checks import Unfit
from serving.gateway.compare import differ
from serving.gateway.metrics import Metrics
from serving.gateway.routing import Asked, Target
from serving.gateway.shadow import Shadows
from serving.gateway.upstream import Known
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import CLASSIFY_METHOD, PREDICT_METHOD, REGRESS_METHOD, SignatureSpec, TensorSpec
from serving.protocol.status import Code, StatusError

SERIALIZED = {"inputs": TensorSpec("string", (None,))}
SIGNATURES = {
    "serving_default": SignatureSpec("serving_default", PREDICT_METHOD, {"x": TensorSpec("float32", (None,))}, {}),
    "kinds": SignatureSpec("kinds", CLASSIFY_METHOD, SERIALIZED, {}),
    "value": SignatureSpec("value", REGRESS_METHOD, SERIALIZED, {}),
}


class Scripted:
    """A model server that answers as it is told and keeps what it was asked."""

    name = "default"

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked, self.looked = answers, list[Any](), 0

    async def signatures(self, model: str, target: Target, timeout: float, **_: Any) -> Known:
        del model, target, timeout
        self.looked += 1
        return Known(self.answers.get("versions", [1] * 9)[self.looked - 1], SIGNATURES, 0.0)

    async def _answer(self, verb: str, request: Any, counted: bool) -> Any:
        self.asked.append(request)
        answer = self.answers["shadow" if not counted else verb]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def predict(self, request: Any, timeout: float, *, counted: bool = True) -> Any:
        del timeout
        return await self._answer("predict", request, counted)

    async def classify(self, request: Any, timeout: float, *, counted: bool = True) -> Any:
        del timeout
        return await self._answer("classify", request, counted)

    async def regress(self, request: Any, timeout: float, *, counted: bool = True) -> Any:
        del timeout
        return await self._answer("regress", request, counted)


def ask(verb: str, body: bytes, to: Target | None = None, batch: int = 4, **answers: Any) -> tuple[Any, Scripted, Shadows]:
    async def story() -> tuple[Any, Scripted, Shadows]:
        metrics = Metrics()
        server, shadows = Scripted(**answers), Shadows(metrics)
        calls = Calls(Limits(batch=batch), metrics, shadows)
        answered = await calls.answer(Asked("m", verb, Target(), to, 1e-3), body, server, Admission(1, 0, 1.0), 5.0)  # type: ignore[arg-type]
        await shadows.settle(5)
        return answered, server, shadows

    return asyncio.run(story())


def predicted(*values: float, version: int = 1) -> wire.PredictResponse:
    answer = wire.PredictResponse()
    answer.model_spec.version.value = version
    answer.outputs["y"].dtype = wire.DataType.ValueType(1)
    answer.outputs["y"].tensor_shape.dim.add(size=len(values))
    answer.outputs["y"].float_val.extend(values)
    return answer


def classified(*rows: list[tuple[str, float]]) -> wire.ClassificationResponse:
    answer = wire.ClassificationResponse()
    answer.model_spec.version.value = 1
    for row in rows:
        classes = answer.result.classifications.add()
        for label, score in row:
            classes.classes.add(label=label, score=score)
    return answer


def regressed(*values: float) -> wire.RegressionResponse:
    answer = wire.RegressionResponse()
    answer.model_spec.version.value = 1
    for value in values:
        answer.result.regressions.add(value=value)
    return answer


EXAMPLES = b'{"examples": [{"x": 1.5}]}'
TWO = Target(version=2)


@pytest.mark.parametrize(
    ("verb", "body", "answer", "text"),
    [
        ("predict", b'{"instances": [1]}', predicted(2.5), '{\n    "predictions": [2.5\n    ]\n}'),
        ("classify", EXAMPLES, classified([("a", 0.5), ("b", 0.25)]), '{\n    "results": [[["a", 0.5], ["b", 0.25]]\n    ]\n}'),
        ("regress", EXAMPLES, regressed(0.5), '{\n    "results": [0.5\n    ]\n}'),
    ],
)
def test_an_answer_is_written_as_tf_serving_does(verb, body, answer, text):
    answered, server, _ = ask(verb, body, **{verb: answer})
    assert (answered.text, answered.version) == (text, 1)
    assert (len(server.asked), server.looked) == (1, 1)


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("predict", b"{", ""),
        ("predict", b"[1]", ""),
        ("predict", b'{"signature_name": 5}', ""),
        ("predict", b'{"signature_name": "nope"}', "signature_name"),
        ("classify", b'{"signature_name": "value", "examples": [{}]}', "signature_name"),
        ("classify", b"{}", "examples"),
        ("classify", b'{"examples": []}', "examples"),
        ("classify", b'{"examples": [{}, {}, {}, {}, {}]}', "examples"),
        ("regress", b'{"examples": [{"x": {}}]}', "examples"),
        ("regress", b'{"examples": [{"x": [1, 2.5]}]}', "examples"),
        ("regress", b'{"examples": [{"\xff": 1}]}', "examples"),
        ("regress", b'{"context": 5, "examples": [{}]}', "examples"),
    ],
)
def test_what_does_not_fit_costs_no_call(verb, body, field):
    with pytest.raises(Unfit) as caught:
        ask(verb, body)
    assert caught.value.problems[0].field == field


def test_a_refusal_of_the_server_is_passed_on_and_the_signature_read_again_once():
    with pytest.raises(StatusError, match="no"):
        ask("predict", b'{"instances": [1]}', predict=StatusError(Code.INVALID_ARGUMENT, "no"), versions=[1, 1])
    with pytest.raises(StatusError, match="no"):
        ask("predict", b'{"instances": [1]}', predict=StatusError(Code.INVALID_ARGUMENT, "no"), versions=[1, 2])
    with pytest.raises(StatusError, match="gone"):
        ask("predict", b'{"instances": [1]}', predict=StatusError(Code.UNAVAILABLE, "gone"), versions=[1])


def test_a_broken_tensor_is_the_servers_fault():
    answer = predicted(1.0)
    answer.outputs["y"].tensor_shape.dim[0].size = -5
    with pytest.raises(StatusError, match="the model server default answered with a broken tensor") as caught:
        ask("predict", b'{"instances": [1]}', predict=answer)
    assert caught.value.code is Code.INTERNAL


@pytest.mark.parametrize(
    ("verb", "body", "answer", "other", "result"),
    [
        ("predict", b'{"instances": [1]}', predicted(2.5), predicted(2.5), "same"),
        ("predict", b'{"instances": [1]}', predicted(2.5), predicted(3.5), "different"),
        ("classify", EXAMPLES, classified([("a", 0.5)]), classified([("a", 0.5)]), "same"),
        ("classify", EXAMPLES, classified([("a", 0.5)]), classified([("b", 0.5)]), "different"),
        ("classify", EXAMPLES, classified([("a", 0.5)], []), classified([("a", 0.5)], [("b", 1.0)]), "different"),
        ("regress", EXAMPLES, regressed(0.5), regressed(0.5), "same"),
        ("regress", EXAMPLES, regressed(0.5), regressed(0.75), "different"),
        ("regress", EXAMPLES, regressed(0.5), StatusError(Code.UNAVAILABLE, "gone"), "failed"),
    ],
)
def test_every_verb_is_copied_to_the_shadow(verb, body, answer, other, result):
    _, server, shadows = ask(verb, body, TWO, shadow=other, **{verb: answer})
    assert shadows.record("m")["counts"] == {result: 1}
    own, copy = server.asked
    assert (own.model_spec.version.value, copy.model_spec.version.value) == (0, 2)
    copy.model_spec.CopyFrom(own.model_spec)
    assert copy == own


def test_classes_become_arrays_that_can_be_compared():
    found = class_arrays([[("a", 0.5), ("b", 0.25)], [("c", 1.0), ("ü", 0.0)]])
    assert found["classes"].tolist() == [[b"a", b"b"], [b"c", "ü".encode()]]
    np.testing.assert_array_equal(found["scores"], [[0.5, 0.25], [1.0, 0.0]])
    assert class_arrays([[("a", 0.5)], []])["scores"].shape == (1,)
    assert class_arrays([])["scores"].shape == (0,)
    assert class_arrays([[], []])["scores"].shape == (2, 0)


def test_classes_are_compared_by_name_and_not_by_rank():
    one = class_arrays([[("a", 0.9), ("b", 1e-8), ("c", 1e-9)]])
    other = class_arrays([[("a", 0.9), ("c", 1e-8), ("b", 1e-9)]])
    assert differ(one, other, 1e-3).same
    assert not differ(one, class_arrays([[("b", 0.9), ("a", 1e-8), ("c", 1e-9)]]), 1e-3).same
