"""Requests answered together get, byte for byte, what each would have got alone: the good ones, the bad ones, and all of them mixed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.protocol import wire_pb2 as wire
from serving.protocol.routes import Target
from serving.protocol.status import StatusError, invalid
from serving.server import tfrecord, together
from serving.server.batching.batched import BatchedServable
from serving.server.batching.scheduler import BatchScheduler
from serving.server.batching_parameters import BatchingParameters
from serving.server.core import Core
from serving.server.model_config import LoggingSettings
from serving.server.models import Models
from serving.server.rest_api import Answer, RestApi
from serving.server.servable import Array
from tests.fakes.core import core_of
from tests.fakes.servable import FLOAT, INT64, STRING, FakeServable, signature_def

PATH = "/v1/models/m:predict"
SCALAR = 13.0  # makes an answer without rows
LIMIT = 40  # rows of a batch


def graph(feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Row by row, as a model that can be batched must; refuses 666 as an operation would."""
    tensors = dict(feeds)
    if "x:0" in feeds:
        if np.any(feeds["x:0"] == 666):
            raise invalid("666 is no good")
        with np.errstate(over="ignore", invalid="ignore"):
            tensors["y:0"] = feeds["x:0"] * np.float32(1.1)
        if np.any(feeds["x:0"] == SCALAR):
            tensors["y:0"] = np.float32(1)
    return tensors


SIGNATURES = {
    "serving_default": signature_def({"x": FLOAT}, {"y": FLOAT}),
    "several": signature_def({"x": FLOAT, "n": INT64}, {"y": FLOAT, "n": INT64}),
    "text": signature_def({"s": STRING}, {"s": STRING}),
    "bytes": signature_def({"s": STRING}, {}),
}
SIGNATURES["bytes"].outputs["s_bytes"].CopyFrom(wire.TensorInfo(name="s:0", dtype=wire.DataType.ValueType(STRING)))


class Server:
    """A REST API on one batched model that counts how often it runs."""

    def __init__(self, log: LoggingSettings | None = None, *, batched: bool = True) -> None:
        self.runs = 0
        self._scheduler = BatchScheduler(1)
        models, parameters = Models(), BatchingParameters(max_batch_size=LIMIT)
        model = FakeServable(SIGNATURES, self._run)
        models.load("m", 1, lambda: BatchedServable(model, parameters, self._scheduler) if batched else model)
        self.core: Core = core_of(models, configured=["m"], log=log)
        self.api = RestApi(self.core)

    def _run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        self.runs += 1
        return graph(feeds)

    def together(self, *bodies: bytes) -> list[Answer]:
        return self.api.answer_together(PATH, bodies)

    def apart(self, *bodies: bytes) -> list[Answer]:
        return [self.api.answer("POST", PATH, body) for body in bodies]

    def counts(self) -> dict[str, int]:
        """How many requests ended in which way."""
        points = self.core.metrics.snapshot()["/tensorflow/serving/request_count"]["points"]
        return {point["labels"][1]: int(point["value"]) for point in points}

    def close(self) -> None:
        self._scheduler.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def seen(answers: Sequence[Answer]) -> list[tuple[int, bytes, bytes]]:
    return [(answer.status, answer.body, answer.content_type) for answer in answers]


def body(rows: Any, **more: Any) -> bytes:
    return json.dumps({"instances": rows, **more}).encode()


numbers = st.one_of(
    st.integers(-3, 3),
    st.integers(-(2**70), 2**70),
    st.floats(width=32),
    st.floats(),
    st.sampled_from([666, SCALAR, 16777217, 0.1, 1e39, -0.0]),
)
odd = st.sampled_from([None, True, "text", {"b64": "AQI="}, {"b64": "?"}, {"x": 1}, {}, [], [[]], "\ud800"])
texts = st.one_of(st.text(max_size=5), st.binary(max_size=3).map(lambda content: {"b64": base64.b64encode(content).decode()}))
lists = st.lists(numbers, min_size=2, max_size=2)
rows = {
    "serving_default": st.one_of(numbers, lists, odd),
    "several": st.one_of(
        st.fixed_dictionaries({"x": numbers, "n": st.integers(-5, 5)}),
        st.fixed_dictionaries({"x": numbers, "n": odd}),
        st.just({"x": 1}),
        odd,
    ),
    "text": st.one_of(texts, odd),
    "bytes": st.one_of(texts, odd),
}
regular = {
    "serving_default": numbers.filter(lambda number: number not in (666, SCALAR)),
    "several": st.fixed_dictionaries({"x": st.floats(width=32), "n": st.integers(-5, 5)}),
    "text": texts,
    "bytes": texts,
}


@st.composite
def documents(draw: st.DrawFn, kinds: Mapping[str, st.SearchStrategy[Any]], names: st.SearchStrategy[str]) -> bytes:
    """A request in row format; most mixtures have one signature, or there would be little to put together."""
    name = draw(names)
    members = {} if name == "serving_default" and draw(st.booleans()) else {"signature_name": name}
    return body(draw(st.lists(kinds[name], min_size=1, max_size=4)), **members)


OTHERS = [
    b"",
    b"{",
    b"[]",
    b"{}",
    b"\xff",
    b'{"instances": []}',
    b'{"instances": 3}',
    b'{"inputs": [1.5]}',
    b'{"inputs": [1.5], "instances": [1]}',
    b'{"instances": [1], "signature_name": 7}',
    b'{"instances": [1], "signature_name": "nope"}',
    b'{"instances": [1], "signature_name": ""}',
    b'{"instances": [1, NaN, -Infinity]} and more',
    b'{"instances": [2], "instances": [3]}',
    b'{"instances": ["\xff\xfe"], "signature_name": "text"}',
    b'{"instances": [1], "unknown": {"a": 1}}',
    body([1.0] * LIMIT),
    body([1.0] * (LIMIT + 1)),
]
others = st.sampled_from(OTHERS)
mixtures = st.sampled_from(sorted(SIGNATURES)).flatmap(
    lambda name: st.lists(
        st.one_of(
            documents(regular, st.just(name)),
            documents(regular, st.just(name)),
            documents(rows, st.just(name)),
            documents(rows, st.sampled_from(sorted(SIGNATURES))),
            others,
        ),
        min_size=2,
        max_size=6,
    )
)
alike = st.sampled_from(sorted(SIGNATURES)).flatmap(lambda name: st.lists(documents(regular, st.just(name)), min_size=2, max_size=6))


@settings(max_examples=40, deadline=None)
@given(mixtures)
def test_whatever_comes_together_each_gets_its_own_answer(server, bodies):
    assert seen(server.together(*bodies)) == seen(server.apart(*bodies))


@pytest.mark.parametrize("other", OTHERS)
def test_a_request_of_another_kind_gets_its_own_answer_beside_a_good_one(server, other):
    for bodies in ([body([1]), other], [other, body([1])], [other, other]):
        assert seen(server.together(*bodies)) == seen(server.apart(*bodies))


@settings(max_examples=40, deadline=None)
@given(alike)
def test_good_requests_of_one_signature_get_their_own_answers_too(server, bodies):
    assert seen(server.together(*bodies)) == seen(server.apart(*bodies))


@pytest.mark.parametrize(
    ("bodies", "runs"),
    [
        ([body([1]), body([2, 3])], 1),
        ([body([1]), body([2.5], signature_name="")], 1),
        ([body([1]), body([2], unknown=3)], 1),
        ([body([1])], 1),
        ([body([{"x": 1, "n": 2}], signature_name="several")] * 3, 1),
        ([body(["a"], signature_name="text"), body([{"b64": "AQI="}], signature_name="text")], 1),
        ([body([1]), body([2], signature_name="serving_default")], 2),
        ([body([1]), b'{"inputs": [2]}'], 2),
        ([body([1]), body([[1]])], 2),
        ([body([1]), b"{"], 1),
        ([body([1]), body([666])], 3),
        ([body([1.0] * LIMIT), body([1])], 2),
    ],
)
def test_what_goes_together_is_one_run(bodies, runs):
    server = Server()
    server.together(*bodies)
    assert server.runs == runs
    server.close()


@pytest.mark.parametrize("bodies", [[body([1])] * 5, [body([1]), b"{", body([666]), body([2])]])
def test_requests_are_counted_as_if_each_had_come_alone(bodies):
    one, other = Server(), Server()
    one.together(*bodies)
    other.apart(*bodies)
    assert one.counts() == other.counts()
    one.close()
    other.close()


def logged(folder: Path) -> list[wire.PredictionLog]:
    return [wire.PredictionLog.FromString(record) for file in sorted(folder.iterdir()) for record in tfrecord.read(file)]


def test_requests_are_logged_as_if_each_had_come_alone(tmp_path):
    bodies = [body([{"x": 1, "n": 2}], signature_name="several"), body([{"x": 3, "n": 4}, {"x": 5, "n": 6}], signature_name="several")]
    found = []
    for name in ("together", "apart"):
        (tmp_path / name).mkdir()
        server = Server(LoggingSettings(f"{tmp_path}/{name}/log", 1.0))
        getattr(server, name)(*bodies)
        server.core.logs.close()
        server.close()
        found.append(logged(tmp_path / name))
    assert found[0] == found[1]
    assert len(found[0]) == 2


def test_a_model_that_is_not_batched_answers_one_by_one(server):
    server = Server(batched=False)
    with pytest.raises(StatusError, match="these requests do not go together"):
        together.answer(server.core, Target("m"), [body([1]), body([2])])
    assert server.runs == 0
    assert [answer.status for answer in server.together(body([1]), body([2]))] == [200, 200]
    assert server.runs == 2
    server.close()


def test_answers_say_that_the_next_ones_may_be_given_together(server):
    assert [(answer.quick, answer.together) for answer in server.together(body([1]), body([2]))] == [(True, True)] * 2


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/models/x:predict", 404), ("/v1/models/m/versions/9:predict", 404), ("/nowhere", 404), ("/v1/models/m", 400)]
)
def test_a_path_that_leads_nowhere_leads_nowhere_for_all(server, path, status):
    bodies = [body([1]), body([2])]
    answers = server.api.answer_together(path, bodies)
    assert seen(answers) == seen([server.api.answer("POST", path, one) for one in bodies])
    assert [answer.status for answer in answers] == [status] * 2


def test_a_fault_of_ours_is_logged_and_costs_nobody_an_answer(server, monkeypatch, caplog):
    monkeypatch.setattr(together.predict, "join_rows", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(server.api, "answer", lambda _method, _path, one: Answer(200, one))
    assert [answer.body for answer in server.together(b'{"instances": [1]}', b'{"instances": [2]}')] == [
        b'{"instances": [1]}',
        b'{"instances": [2]}',
    ]
    assert f"POST {PATH}: 2 requests together failed" in caplog.text
